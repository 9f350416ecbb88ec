/** Audit keys come and go while the program runs; what they signed verifies as they counted then. */
import { asGatewayError } from "@lightferry/proto/errors";
import { newId } from "@lightferry/proto/ids";
import { MerkleTree } from "@lightferry/proto/merkle";
import { AuditService, type Client, createClient, type ServiceName } from "@lightferry/proto/rpc";
import { afterAll, beforeAll, expect, it } from "vitest";
import { checkpointSigner } from "../src/checkpoint/sign.ts";
import { readNote } from "../src/verify/note.ts";
import { FAR_NODE, type Installation, installation } from "./installation.ts";
import { events, NODE, provider, type TestLog, testLog, ZONE } from "./kit.ts";
import { endProgram, type Program, runCommand, startProgram } from "./program.ts";

let log: TestLog;
let installed: Installation;
let program: Program;
const clients = new Map<ServiceName, Client<typeof AuditService>>();

function as(peer: ServiceName): Client<typeof AuditService> {
  const tls = installed.zone.tls[peer];
  const client =
    clients.get(peer) ??
    createClient(AuditService, {
      ...{ address: `127.0.0.1:${program.port}`, tls, zone: ZONE, peer: "audit" },
    });
  clients.set(peer, client);
  return client;
}

const bytesOf = (list: { bytes: Uint8Array }[]) => list.map(({ bytes }) => bytes);
const command = (...argv: string[]) => runCommand(installed, ...argv);

beforeAll(async () => {
  log = await testLog();
  installed = await installation(log);
  program = await startProgram(installed);
});
afterAll(async () => {
  for (const client of clients.values()) client.close();
  await endProgram(program.child, "SIGTERM");
  await installed.cleanup();
  await log.drop();
});

const append = (first: number) =>
  as("policy").append({ events: bytesOf(events("policy", first, 1)) });
const keyOf = (answer: { checkpoint?: Uint8Array | null }) =>
  readNote(Buffer.from(answer.checkpoint ?? []).toString())?.keyId;

it("a new key signs without a restart; what the old one signed still verifies", async () => {
  const { pki } = installed;
  const old = pki.keyId(NODE, "audit");
  expect(keyOf(await append(1))).toBe(old);
  const fresh = pki.rotate(NODE, "audit", { notBeforeMs: Date.now() - 1_000 });
  await installed.publish();
  let next = 2;
  await expect.poll(async () => keyOf(await append(next++)), { timeout: 20_000 }).toBe(fresh);
  expect(await command("verify")).toMatchObject({ code: 0 });
  // Superseded, not compromised: it counts for what it signed before.
  pki.revoke(old, "superseded", Date.now() + 1_000);
  await installed.publish();
  expect(await command("verify")).toMatchObject({ code: 0 });
});

it("a checkpoint signed after its key was revoked does not count", async () => {
  const { pki } = installed;
  const { note = null } = await as("front-proxy").getCheckpoint({});
  const checkpoint = readNote(Buffer.from(note ?? []).toString());
  expect(checkpoint?.keyId).toBe(pki.keyId(NODE, "audit"));
  const spare = pki.rotate(NODE, "audit", { notBeforeMs: Date.now() - 500 });
  const fresh = checkpoint?.keyId ?? "";
  // From before its newest checkpoint on.
  pki.revoke(fresh, "cessationOfOperation", checkpoint?.loggedMs ?? 0);
  await installed.publish();
  const { code, text } = await command("verify", "--json");
  expect(code).toBe(3);
  const { findings } = JSON.parse(text) as { findings: { kind: string; detail: string }[] };
  expect(findings.length).toBeGreaterThan(0);
  const kinds = new Set(findings.map(({ kind, detail }) => `${kind} ${detail}`));
  expect([...kinds]).toEqual(["checkpoint.signature certificate.revoked"]);
  // The service goes on with the next key at once.
  let next = 1;
  const answered = async () =>
    keyOf(await as("ferry-tx").append({ events: bytesOf(events("ferry-tx", next++, 1)) }));
  await expect.poll(answered, { timeout: 20_000 }).toBe(spare);
});

it("a note of the other zone counts by the certificates that came with it, not by a revoked key", async () => {
  const { pki } = installed;
  const tree = new MerkleTree(provider.sm3);
  for (const part of ["far", "farther"]) tree.append(provider.sm3(Buffer.from(part)));
  const unheard = pki.rotate(FAR_NODE, "audit", { notBeforeMs: Date.now() - 1_000 });
  const note = (size: number, keyId: string) =>
    Buffer.from(
      checkpointSigner(provider, () => ({ key: pki.key(FAR_NODE, "audit"), keyId }), FAR_NODE)(
        size,
        tree.root(size),
        Date.now(),
      ),
    );
  const request = (size: number) => ({
    ...{ zone: "extranet", note: note(size, unheard), bundleId: newId() },
    ...{ oldSize: 1, consistency: tree.consistencyPath(1) },
  });
  await expect(as("front-proxy").witness(request(2))).rejects.toMatchObject({
    code: "audit.witness-invalid",
  });
  const certificates = pki.store.chain(unheard);
  expect(await as("front-proxy").witness({ ...request(2), certificates })).toMatchObject({
    status: "recorded",
  });
  pki.revoke(unheard, "keyCompromise");
  await installed.publish();
  await expect
    .poll(
      () =>
        as("front-proxy")
          .witness({ ...request(2), certificates })
          .catch(asGatewayError),
      {
        timeout: 20_000,
      },
    )
    .toMatchObject({ detail: expect.stringContaining("certificate.revoked") });
  expect((await command("verify")).text).toContain("witness.key");
});
