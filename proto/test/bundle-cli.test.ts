/** Guarantee checked: the bundle commands explain any file, verify with the root alone, and prove and export only what holds. */
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { noun } from "../cli/bundle.ts";
import { readForm } from "../cli/form.ts";
import { bufferSource, openBundle, readHeader, verifyHeader } from "../src/bundle/index.ts";
import { runNoun } from "../src/cli/index.ts";
import { lightferry } from "../src/gen/index.js";
import { formatId } from "../src/ids.ts";
import {
  createRequest,
  issueCertificate,
  issueRevocationList,
  parseCertificate,
  toPem,
} from "../src/pki/index.ts";
import { type TestPki, testPki } from "../src/testing/pki.ts";
import {
  context,
  DAY,
  NOW,
  type Party,
  policy,
  provider,
  sealInput,
  sealToBytes,
  sender,
} from "./bundle-fixture.ts";

const { Header } = lightferry.bundle.v1;
const AT = new Date(NOW + 1000).toISOString();
const contents = [Buffer.from("first"), Buffer.alloc(10_000, 3)];
let pki: TestPki;
let other: TestPki;
let folder = "";
let bytes: Buffer;
let bundle = "";
let exchange = "";
let certificates: Uint8Array[] = [];

const path = (name: string) => join(folder, name);
function put(name: string, content: Uint8Array | string): string {
  writeFileSync(path(name), content);
  return path(name);
}

async function run(...argv: string[]): Promise<{ code: number; out: string; err: string }> {
  let [out, err] = ["", ""];
  const code = await runNoun(noun, argv, {
    environment: { LANG: "en_GB.UTF-8" },
    stdout: (text) => {
      out += text;
    },
    stderr: (text) => {
      err += text;
    },
  });
  return { code, out, err };
}

interface Answer {
  readonly steps?: readonly { id: string; result: string; code?: string }[];
  readonly fault?: unknown;
}

async function runJson(...argv: string[]): Promise<{ code: number; json: Answer }> {
  const { code, out } = await run(...argv, "--json");
  return { code, json: JSON.parse(out) as Answer };
}

/** A certificate for a key of the fixture. */
function certify(owner: Party, use: "sign" | "policy"): Uint8Array {
  const identity = { zone: "extranet", node: owner.nodeId, use };
  const request = createRequest(provider, owner.key, {
    identity,
    organisation: "test",
    demo: true,
  });
  const validity = { notBeforeMs: NOW - DAY, notAfterMs: NOW + 300 * DAY };
  return issueCertificate(provider, pki.issuer("extranet"), request, validity);
}

beforeAll(async () => {
  const zones = { extranet: "node-extranet", business: "node-business" };
  folder = mkdtempSync(join(tmpdir(), "lightferry-bundle-cli-"));
  pki = await testPki({ zones });
  other = await testPki({ zones });
  const reader = "node-business";
  certificates = [
    certify(sender, "sign"),
    certify(policy, "policy"),
    pki.issuer("extranet").certificate.der,
  ];
  const input = sealInput(
    contents.map((content) => ({ content })),
    {
      certificates,
      recipients: [
        {
          nodeId: reader,
          keyId: pki.keyId(reader, "encrypt"),
          publicKey: pki.key(reader, "encrypt").publicKey,
        },
      ],
    },
  );
  bytes = Buffer.from(await sealToBytes(input));
  bundle = put("good.lfb", bytes);
  const verified = verifyHeader(provider, await readHeader(bundle), context);
  for await (const item of openBundle(provider, verified, pki.key(reader, "encrypt"))) {
    if (item.index === 1) exchange = formatId(item.entry.exchangeId);
  }
});
afterAll(async () => {
  await pki.cleanup();
  await other.cleanup();
  rmSync(folder, { recursive: true });
});

/** Steering characters of any kind but the line feed. */
const STEERING = /[^\P{Cc}\n]|[\u202a-\u202e\u2066-\u2069]/u;

/** A bundle's front with another header, its length set right. */
function withHeader(header: Uint8Array): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(header.length);
  const rest = bytes.subarray(8 + bytes.readUInt32BE(4));
  return Buffer.concat([bytes.subarray(0, 4), length, header, rest]);
}

function changedHeader(change: lightferry.bundle.v1.Header.$Properties): Buffer {
  const header = Header.decode(bytes.subarray(8, 8 + bytes.readUInt32BE(4)));
  return withHeader(Header.encode({ ...header, ...change }).finish());
}

describe("inspect", () => {
  it("shows everything of a good bundle without any key", async () => {
    const { code, out } = await run("inspect", bundle);
    expect(code).toBe(0);
    for (const text of [
      "inbound/node-extranet/normal",
      "lightferry://extranet/node-extranet/sign",
      "policy signing",
      "permit-registration",
      "G2",
      "2026-01-15T08:00:00.000Z",
      pki.keyId("node-business", "encrypt"),
      "Nothing of this was verified",
    ]) {
      expect(out).toContain(text);
    }
    const { json } = await runJson("inspect", bundle);
    expect(json).toMatchObject({
      verified: false,
      fault: null,
      headerComplete: true,
      header: { version: 1, lane: "inbound", sequence: 1, grade: "G2", chunkCount: 1 },
      chunks: [{ chunk: 0, bytes: statSync(bundle).size - bytes.readUInt32BE(4) - 72 - 32 }],
    });
  });

  it("names the first failing check and its byte", async () => {
    const length = bytes.readUInt32BE(4);
    const patched = (offset: number, ...values: number[]) => {
      const copy = Buffer.from(bytes);
      copy.set(values, offset);
      return copy;
    };
    // Header fields: 1 version at 8, 2 bundle_id at 10, 3 lane at 28.
    const cases: [string, Buffer, number, string, number][] = [
      ["empty", Buffer.alloc(0), 1, "bundle.truncated", 0],
      ["seven bytes", bytes.subarray(0, 7), 1, "bundle.truncated", 7],
      ["magic", patched(2, 0x58), 1, "bundle.not-a-bundle", 2],
      ["length", patched(4, 0xff), 2, "bundle.header-too-large", 4],
      ["cut in the header", bytes.subarray(0, 60), 3, "bundle.truncated", 60],
      ["cut in the signature", bytes.subarray(0, length + 40), 3, "bundle.truncated", length + 40],
      ["a length that runs out", patched(29, 0xff, 0xff, 0x7f), 4, "bundle.header-malformed", 28],
      ["a group", patched(28, 0x1b), 4, "bundle.header-malformed", 28],
      ["version", patched(9, 2), 5, "bundle.version-unsupported", 8],
      [
        "unknown field",
        withHeader(Buffer.concat([bytes.subarray(8, 8 + length), Buffer.from([0xf8, 0x07, 1])])),
        6,
        "bundle.not-canonical",
        8 + length,
      ],
      ["lane", changedHeader({ lane: "Inbound" }), 7, "bundle.header-invalid", 28],
      [
        "no bundle id",
        changedHeader({ bundleId: new Uint8Array() }),
        7,
        "bundle.header-invalid",
        10,
      ],
      ["cut in a chunk", bytes.subarray(0, -1), 8, "bundle.truncated", bytes.length - 1],
      ["more", Buffer.concat([bytes, Buffer.of(0)]), 8, "bundle.trailing-bytes", bytes.length],
    ];
    for (const [name, content, step, code, offset] of cases) {
      const file = put("damaged.lfb", content);
      const { code: exit, json } = await runJson("inspect", file);
      expect(exit, name).toBe(3);
      expect(json.fault, name).toMatchObject({ step, code, offset });
      const { out } = await run("inspect", file);
      expect(out, name).toContain(`Malformed at byte ${offset}, check 8.1.${step}`);
    }
  });

  it("shows what stands before the damage", async () => {
    const file = put("damaged.lfb", bytes.subarray(0, 200));
    const { out } = await run("inspect", file);
    expect(out).toContain("inbound/node-extranet/normal");
    const { json } = await runJson("inspect", file);
    expect(json).toMatchObject({
      headerComplete: false,
      header: { lane: "inbound", keyCommitment: "" },
    });
  });

  it("lets nothing of the file steer the terminal", async () => {
    const steering = "a\u001b[2J\u009b31m\u202eb\r\nc\u0007";
    const header = Header.decode(bytes.subarray(8, 8 + bytes.readUInt32BE(4)));
    const verdict = lightferry.policy.v1.Verdict.encode({
      grade: steering,
      policyVersion: steering,
      ruleIds: [steering],
      obligations: [steering],
    }).finish();
    const hostile = changedHeader({
      ...{ lane: steering, stream: steering, sender: steering, signKeyId: steering },
      ...{ grade: steering, policyVersion: steering },
      // No calendar knows these.
      ...{ createdMs: Number.MAX_SAFE_INTEGER, expiresMs: 0 },
      recipients: [{ nodeId: steering, keyId: steering, wrappedSecret: Buffer.of(1) }],
      verdictBatches: [{ ...header.verdictBatches[0], policyNode: steering, keyId: steering }],
      items: [{ ...header.items[0], verdict }],
      checkpoint: { note: Buffer.from(`${steering}\n${steering}\n${steering}`) },
    });
    const file = put("hostile.lfb", hostile);
    for (const argv of [
      ["inspect", file],
      ["inspect", file, "--json"],
    ]) {
      const { out, err } = await run(...argv);
      expect(out).toContain("[2J");
      expect(out + err).not.toMatch(STEERING);
    }
    const root = ["--root", pki.rootPath];
    for (const more of [[], ["--json"]]) {
      const { out, err } = await run("verify", file, ...root, ...more);
      expect(out + err).not.toMatch(STEERING);
    }
    const { json } = await runJson("inspect", file);
    expect(json).toMatchObject({ header: { lane: steering } });
  });

  it("explains any damage with the reader's own code", async () => {
    const length = bytes.readUInt32BE(4);
    const damage = fc.record({
      cut: fc.option(fc.nat(bytes.length)),
      places: fc.array(fc.tuple(fc.nat(length + 100), fc.nat(255)), { maxLength: 4 }),
    });
    await fc.assert(
      fc.asyncProperty(damage, async ({ cut, places }) => {
        const copy = Buffer.from(bytes.subarray(0, cut ?? bytes.length));
        for (const [at, value] of places) if (at < copy.length) copy[at] = value;
        const form = await readForm(put("fuzz.lfb", copy));
        const code = await readHeader(bufferSource(copy)).then(
          () => undefined,
          (error: { code: string }) => error.code,
        );
        expect(form.fault?.code).toBe(code);
        if (form.fault !== undefined) {
          expect(form.fault.offset).toBeLessThanOrEqual(
            Math.max(copy.length, form.layout?.fileSize ?? 0),
          );
        }
        expect([0, 3]).toContain((await run("inspect", path("fuzz.lfb"))).code);
      }),
      { numRuns: 150 },
    );
  });

  it("says in words that there is no such file", async () => {
    const { code, err } = await run("inspect", path("none.lfb"));
    expect(code).toBe(2);
    expect(err).toContain("no such file");
  });
});

describe("verify", () => {
  const verify = (...argv: string[]) =>
    runJson("verify", bundle, "--root", pki.rootPath, "--at", AT, ...argv);
  const failure = ({ steps }: Answer) => steps?.find(({ result }) => result === "failed");

  it("goes through with the root alone, and says what it could not check", async () => {
    const { code, json } = await verify();
    expect(code).toBe(0);
    expect(json).toMatchObject({ verified: true });
    const { steps = [] } = json;
    expect(steps.filter(({ result }) => result === "skipped").map(({ id }) => id)).toEqual([
      "8.2.1",
      "8.2.12",
      ...["8.4.1", "8.4.2", "8.4.3", "8.4.4", "8.4.5", "8.4.6"],
    ]);
    const { out } = await run("verify", bundle, "--root", pki.rootPath, "--at", AT);
    expect(out).toContain("demonstration certificates prove nothing");
  });

  it("leaves no step out with everything given", async () => {
    const node = "node-business";
    const { json } = await verify(
      ...["--lane", "inbound", "--self", node, "--sender-zone", "extranet"],
      ...["--ring", pki.ringDir(node, "encrypt"), "--unlock", pki.unlockPath(node, "encrypt")],
      ...["--trust", put("lists.pem", toPem("X509 CRL", pki.list("extranet")))],
    );
    const { steps = [] } = json;
    expect(new Set(steps.map(({ result }) => result))).toEqual(new Set(["ok"]));
    expect(steps).toHaveLength(28);
  });

  it("fails at the step that finds the fault", async () => {
    const issuer = pki.issuer("extranet");
    const { serial } = parseCertificate(certificates[0] ?? new Uint8Array());
    const revoked = issueRevocationList(provider, issuer, {
      ...{ number: 99, thisUpdateMs: NOW, nextUpdateMs: NOW + DAY },
      entries: [{ serial, revokedMs: NOW + DAY, reason: "keyCompromise" }],
    });
    const cases: [string[], string, string][] = [
      [["--lane", "outbound"], "8.2.1", "bundle.wrong-lane"],
      [["--sender-zone", "business"], "8.2.2", "certificate.wrong-zone"],
      [["--trust", put("revoked.crl", revoked)], "8.2.2", "certificate.revoked"],
      [["--deny", sender.keyId], "8.2.2", "certificate.denied"],
      [["--deny", policy.keyId], "8.2.7", "certificate.denied"],
      [["--self", "node-releaser"], "8.2.12", "bundle.wrong-recipient"],
      [["--at", new Date(NOW - DAY / 2).toISOString()], "8.2.10", "bundle.from-future"],
      [["--at", new Date(NOW + 8 * DAY).toISOString()], "8.2.11", "bundle.expired"],
      [
        [
          ...["--ring", pki.ringDir("node-extranet", "encrypt")],
          ...["--unlock", pki.unlockPath("node-extranet", "encrypt")],
        ],
        "8.4.1",
        "bundle.unknown-decrypt-key",
      ],
    ];
    for (const [argv, id, code] of cases) {
      const { code: exit, json } = await verify(...argv);
      expect(failure(json)).toMatchObject({ id, code });
      expect(exit).toBe(3);
    }
  });

  it("believes no other root, and no demonstration in earnest", async () => {
    const strange = await runJson("verify", bundle, "--root", other.rootPath, "--at", AT);
    expect(failure(strange.json)).toMatchObject({ id: "8.2.2", code: "bundle.unknown-sign-key" });
    const { code, json } = await verify("--production");
    expect(code).toBe(3);
    expect(json).toMatchObject({ error: { code: "certificate.demo-in-production" } });
  });

  it("refuses a list that is not under the root rather than leave it out", async () => {
    const foreign = put("foreign.pem", toPem("X509 CRL", other.list("extranet")));
    const { code, json } = await verify("--trust", foreign);
    expect(code).toBe(3);
    expect(json).toMatchObject({ error: { code: "certificate.untrusted" } });
  });

  it("names the step of every damage behind the header", async () => {
    const length = bytes.readUInt32BE(4);
    const flipped = (offset: number) => {
      const copy = Buffer.from(bytes);
      copy[offset] = (copy[offset] ?? 0) ^ 1;
      return put("flipped.lfb", copy);
    };
    const cases: [number, string, string][] = [
      [8 + length + 40, "8.2.3", "bundle.signature-invalid"],
      [72 + length + 3, "8.2.4", "bundle.table-mismatch"],
      [bytes.length - 1, "8.3", "bundle.chunk-digest"],
    ];
    for (const [offset, id, code] of cases) {
      const file = flipped(offset);
      const { json } = await runJson("verify", file, "--root", pki.rootPath, "--at", AT);
      expect(failure(json)).toMatchObject({ id, code });
    }
    const cut = put("cut.lfb", bytes.subarray(0, 100));
    const { json } = await runJson("verify", cut, "--root", pki.rootPath);
    expect(failure(json)).toMatchObject({ id: "8.1.3", code: "bundle.truncated" });
  });

  it("asks for the root and tells a time from none", async () => {
    expect((await run("verify", bundle)).code).toBe(2);
    expect((await verify("--at", "yesterday")).code).toBe(2);
    expect((await verify("--deny", "x")).code).toBe(2);
  });
});

describe("prove", () => {
  const root = () => ["--root", pki.rootPath];
  const ring = (node = "node-business") => [
    ...["--ring", pki.ringDir(node, "encrypt"), "--unlock", pki.unlockPath(node, "encrypt")],
  ];

  it.each([[], ["--permission"]])(
    "makes a proof that the root alone confirms %s",
    async (...form) => {
      const out = path(`proof${form.join("")}.json`);
      const made = await run(
        "prove",
        bundle,
        ...root(),
        ...ring(),
        "--exchange",
        exchange,
        "--out",
        out,
        ...form,
      );
      expect(made).toMatchObject({ code: 0, err: "" });
      expect(statSync(out).mode & 0o777).toBe(0o600);
      const content = put("content", contents[1] ?? "");
      const { code, json } = await runJson(
        "prove",
        "--check",
        out,
        ...root(),
        "--content",
        content,
      );
      expect(code).toBe(0);
      expect(json).toMatchObject({ proven: true, exchange: { id: exchange, size: 10_000 } });
      const shown = await run("prove", "--check", out, ...root());
      expect(shown.out).toContain(exchange);
      expect(shown.out).toContain(
        form.length === 0 ? "proven: sealed" : "nothing is said of sealing",
      );
      const wrong = put("content", contents[0] ?? "");
      expect((await run("prove", "--check", out, ...root(), "--content", wrong)).code).toBe(3);
      const strange = await run("prove", "--check", out, "--root", other.rootPath);
      expect(strange.code).toBe(3);
      expect(strange.err).toMatch(/unknown-(sign|policy)-key/);
      // Whose certificates are taken away proves nothing to one who has the root alone.
      const bare = JSON.parse(readFileSync(out, "utf8")) as Record<string, unknown>;
      if (form.length > 0) {
        const stripped = put("bare.json", `${JSON.stringify({ ...bare, certificates: [] })}\n`);
        const answer = await run("prove", "--check", stripped, ...root());
        expect(answer.err).toContain("verdict.unknown-policy-key");
      }
    },
  );

  it("works on a bundle that expired long ago", async () => {
    const out = path("unopened.json");
    const made = await run("prove", bundle, ...root(), "--item", "0", "--out", out);
    expect(made.code).toBe(0);
    expect(made.out).toContain("not opened");
    const content = put("content", contents[0] ?? "");
    const { err } = await run("prove", "--check", out, ...root(), "--content", content);
    expect(err).toContain("proof.not-opened");
  });

  it("overwrites nothing and needs to know which item", async () => {
    const out = put("there.json", "kept");
    const again = await run("prove", bundle, ...root(), "--item", "0", "--out", out);
    expect(again.err).toContain("export.file");
    expect(readFileSync(out, "utf8")).toBe("kept");
    const fresh = ["--out", path("fresh.json")];
    expect((await run("prove", bundle, ...root(), ...fresh)).code).toBe(2);
    expect((await run("prove", ...root(), ...fresh, "--item", "0")).code).toBe(2);
    expect((await run("prove", bundle, ...root(), ...fresh, "--exchange", exchange)).code).toBe(2);
    const beyond = await run("prove", bundle, ...root(), ...fresh, "--item", "2");
    expect(beyond.err).toContain("proof.no-such-item");
    const absent = await run("prove", bundle, ...root(), ...fresh, ...ring(), "--item", "2");
    expect(absent.err).toContain("proof.no-such-item");
    const foreign = await run(
      "prove",
      bundle,
      ...root(),
      ...fresh,
      ...ring("node-extranet"),
      "--item",
      "0",
    );
    expect(foreign.err).toContain("bundle.unknown-decrypt-key");
  });
});

describe("export", () => {
  const node = "node-business";
  const certificate = (use: "sign" | "encrypt") => {
    const found = pki.store.certificate(pki.keyId(node, use));
    return put(`${use}.pem`, toPem("CERTIFICATE", found?.der ?? new Uint8Array()));
  };
  const args = (out: string, over: Record<string, string> = {}) =>
    Object.entries({
      root: pki.rootPath,
      ring: pki.ringDir(node, "encrypt"),
      unlock: pki.unlockPath(node, "encrypt"),
      recipient: certificate("encrypt"),
      "signer-ring": pki.ringDir(node, "sign"),
      "signer-unlock": pki.unlockPath(node, "sign"),
      "signer-certificate": certificate("sign"),
      out,
      ...over,
    }).flatMap(([name, value]) => [`--${name}`, value]);

  it("writes one signed and enveloped message", async () => {
    const out = path("all.der");
    const { code, json } = await runJson("export", bundle, ...args(out));
    expect(code).toBe(0);
    expect(json).toMatchObject({ items: 2, recipients: 1, bytes: statSync(out).size });
    const message = readFileSync(out);
    // SEQUENCE of the whole rest, then the OID 1.2.156.10197.6.1.4.2.4.
    expect(message.readUInt16BE(0)).toBe(0x3082);
    expect(message.readUInt16BE(2)).toBe(message.length - 4);
    expect(message.subarray(4, 16).toString("hex")).toBe("060a2a811ccf550601040204");
    // No content in the clear.
    expect(message.includes(Buffer.alloc(64, 3))).toBe(false);
    const one = path("one.der");
    expect(
      (await runJson("export", bundle, ...args(one), "--exchange", exchange)).json,
    ).toMatchObject({
      items: 1,
    });
  });

  it("refuses keys and certificates that do not belong", async () => {
    const out = path("refused.der");
    const cases: [Record<string, string>, string][] = [
      [{ recipient: certificate("sign") }, "key usage"],
      [{ "signer-certificate": certificate("encrypt") }, "no key of it in the ring"],
      [{ root: other.rootPath }, "bundle.unknown-sign-key"],
      [{ out: bundle }, "export.file"],
      [{ "signer-ring": pki.ringDir(node, "encrypt") }, ""],
    ];
    for (const [over, text] of cases) {
      const { code, err } = await run("export", bundle, ...args(out, over));
      expect(code).not.toBe(0);
      expect(err).toContain(text);
    }
    expect(() => statSync(out)).toThrow();
  });
});
