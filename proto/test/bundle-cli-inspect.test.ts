/** Guarantee checked: `bundle inspect` explains any file, names its first fault, and no byte of it steers the terminal. */
import { statSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readForm } from "../cli/form.ts";
import { bufferSource, readHeader } from "../src/bundle/index.ts";
import { lightferry } from "../src/gen/index.js";
import { bundle, bundleCliWorld, bytes, path, pki, put, run, runJson } from "./bundle-cli-world.ts";

const { Header } = lightferry.bundle.v1;

bundleCliWorld();

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
      const { out, problem } = await run(...argv);
      expect(out).toContain("[2J");
      expect(out + problem).not.toMatch(STEERING);
    }
    const root = ["--root", pki.rootPath];
    for (const more of [[], ["--json"]]) {
      const { out, problem } = await run("verify", file, ...root, ...more);
      expect(out + problem).not.toMatch(STEERING);
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
    const { code, problem } = await run("inspect", path("none.lfb"));
    expect(code).toBe(2);
    expect(problem).toContain("no such file");
  });
});
