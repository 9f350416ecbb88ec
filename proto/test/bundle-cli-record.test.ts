/** Guarantee checked: what the bundle commands do with a node's keys is counted, on record beside the ring. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { noun } from "../cli/bundle.ts";
import { runNoun } from "../src/cli/index.ts";
import { createRequest, issueCertificate, toPem } from "../src/pki/index.ts";
import { actionsDirBeside, readKeyActions } from "../src/service/index.ts";
import { type TestPki, testPki } from "../src/testing/pki.ts";
import {
  DAY,
  NOW,
  type Party,
  policy,
  provider,
  sealInput,
  sealToBytes,
  sender,
} from "./bundle-fixture.ts";

const NODE = "node-business";
let pki: TestPki;
let folder = "";
let bundle = "";

const at = (name: string): string => join(folder, name);
const pem = (use: "sign" | "encrypt"): string => {
  const found = pki.store.certificate(pki.keyId(NODE, use));
  writeFileSync(at(`${use}.pem`), toPem("CERTIFICATE", found?.der ?? new Uint8Array()));
  return at(`${use}.pem`);
};
const ring = (use: "sign" | "encrypt", name: string): string[] => [
  ...[`--${name}ring`, pki.ringDir(NODE, use), `--${name}unlock`, pki.unlockPath(NODE, use)],
];

async function run(...words: string[]): Promise<number> {
  const silent = (): void => undefined;
  const io = { environment: {}, stdout: silent, stderr: silent };
  return runNoun(noun, [...words, "--root", pki.rootPath, "--operator", "auditor-1"], io);
}

/** Lines since the last question. */
let seen = 0;
function news(): unknown[] {
  const { entries } = readKeyActions(actionsDirBeside(pki.ringDir(NODE, "encrypt")));
  const fresh = entries.slice(seen);
  seen = entries.length;
  return fresh;
}

function certify(owner: Party, use: "sign" | "policy"): Uint8Array {
  const identity = { zone: "extranet", node: owner.nodeId, use };
  const subject = { identity, organisation: "test", demo: true };
  const request = createRequest(provider, owner.key, subject);
  const validity = { notBeforeMs: NOW - DAY, notAfterMs: NOW + 300 * DAY };
  return issueCertificate(provider, pki.issuer("extranet"), request, validity);
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "lf-bundle-record-"));
  pki = await testPki({ zones: { extranet: "node-extranet", business: NODE } });
  expect(dirname(pki.ringDir(NODE, "sign"))).toBe(dirname(pki.ringDir(NODE, "encrypt")));
  const { publicKey } = pki.key(NODE, "encrypt");
  const recipients = [{ nodeId: NODE, keyId: pki.keyId(NODE, "encrypt"), publicKey }];
  const issuer = pki.issuer("extranet").certificate.der;
  const certificates = [certify(sender, "sign"), certify(policy, "policy"), issuer];
  const input = sealInput([{ content: Buffer.from("content") }], { certificates, recipients });
  bundle = at("good.lfb");
  writeFileSync(bundle, await sealToBytes(input));
});
afterAll(async () => {
  await pki.cleanup();
  rmSync(folder, { recursive: true });
});

it("prove, verify and export: one decryption each, and the exporter's signature", async () => {
  const decrypts = [{ keyId: pki.keyId(NODE, "encrypt"), operation: "decrypt", count: 1 }];
  const ended = { event: "ended", outcome: "ok", operator: "auditor-1" };
  const item = ["--item", "0", ...ring("encrypt", "")];
  expect(await run("prove", bundle, ...item, "--out", at("proof"))).toBe(0);
  expect(news()).toMatchObject([
    { event: "begun", verb: "bundle prove", about: { out: at("proof") } },
    { ...ended, uses: decrypts },
  ]);
  const when = ["--at", new Date(NOW + 1000).toISOString()];
  expect(await run("verify", bundle, ...when, ...ring("encrypt", ""))).toBe(0);
  expect(news()).toMatchObject([{ verb: "bundle verify" }, { ...ended, uses: decrypts }]);
  const signer = [...ring("sign", "signer-"), "--signer-certificate", pem("sign")];
  const out = ["--recipient", pem("encrypt"), "--out", at("der")];
  expect(await run("export", bundle, ...item, ...signer, ...out)).toBe(0);
  expect(news()).toMatchObject([
    { event: "begun", verb: "bundle export" },
    { ...ended, uses: decrypts },
    { event: "begun", verb: "bundle export" },
    { ...ended, uses: [{ keyId: pki.keyId(NODE, "sign"), operation: "sign", count: 1 }] },
  ]);
});

it("without a ring nothing is used and nothing written down; what fails stands with its code", async () => {
  expect(await run("prove", bundle, "--item", "0", "--out", at("bare"))).toBe(0);
  expect(news()).toEqual([]);
  const absent = ["--item", "9", ...ring("encrypt", ""), "--out", at("none")];
  expect(await run("prove", bundle, ...absent)).not.toBe(0);
  expect(news()).toMatchObject([
    { event: "begun" },
    { event: "ended", outcome: "error", code: "proof.no-such-item" },
  ]);
});
