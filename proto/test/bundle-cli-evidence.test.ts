/** Guarantee checked: the bundle commands verify with the root alone, and prove and export only what holds. */
import { readFileSync, statSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { issueRevocationList, parseCertificate, toPem } from "../src/pki/index.ts";
import {
  type Answer,
  AT,
  bundle,
  bundleCliWorld,
  bytes,
  certificates,
  contents,
  exchange,
  other,
  path,
  pki,
  put,
  run,
  runJson,
} from "./bundle-cli-world.ts";
import { DAY, NOW, policy, provider, sender } from "./bundle-fixture.ts";

bundleCliWorld();

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
    // What was left out is no pass: it says what it would have taken.
    for (const words of ["needs --lane", "needs --self", "needs --ring, --unlock"]) {
      expect(out).toContain(words);
    }
    expect(out).toContain("the contents were not opened");
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
      expect(made).toMatchObject({ code: 0, problem: "" });
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
      expect(strange.problem).toMatch(/unknown-(sign|policy)-key/);
      // Whose certificates are taken away proves nothing to one who has the root alone.
      const bare = JSON.parse(readFileSync(out, "utf8")) as Record<string, unknown>;
      if (form.length > 0) {
        const stripped = put("bare.json", `${JSON.stringify({ ...bare, certificates: [] })}\n`);
        const answer = await run("prove", "--check", stripped, ...root());
        expect(answer.problem).toContain("verdict.unknown-policy-key");
      }
    },
  );

  it("works on a bundle that expired long ago", async () => {
    const out = path("unopened.json");
    const made = await run("prove", bundle, ...root(), "--item", "0", "--out", out);
    expect(made.code).toBe(0);
    expect(made.out).toContain("not opened");
    const content = put("content", contents[0] ?? "");
    const { problem } = await run("prove", "--check", out, ...root(), "--content", content);
    expect(problem).toContain("proof.not-opened");
  });

  it("overwrites nothing and needs to know which item", async () => {
    const out = put("there.json", "kept");
    const again = await run("prove", bundle, ...root(), "--item", "0", "--out", out);
    expect(again.problem).toContain("export.file");
    expect(readFileSync(out, "utf8")).toBe("kept");
    const fresh = ["--out", path("fresh.json")];
    expect((await run("prove", bundle, ...root(), ...fresh)).code).toBe(2);
    expect((await run("prove", ...root(), ...fresh, "--item", "0")).code).toBe(2);
    expect((await run("prove", bundle, ...root(), ...fresh, "--exchange", exchange)).code).toBe(2);
    const beyond = await run("prove", bundle, ...root(), ...fresh, "--item", "2");
    expect(beyond.problem).toContain("proof.no-such-item");
    const absent = await run("prove", bundle, ...root(), ...fresh, ...ring(), "--item", "2");
    expect(absent.problem).toContain("proof.no-such-item");
    const foreign = await run(
      "prove",
      bundle,
      ...root(),
      ...fresh,
      ...ring("node-extranet"),
      "--item",
      "0",
    );
    expect(foreign.problem).toContain("bundle.unknown-decrypt-key");
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
      const { code, problem } = await run("export", bundle, ...args(out, over));
      expect(code).not.toBe(0);
      expect(problem).toContain(text);
    }
    expect(() => statSync(out)).toThrow();
  });
});
