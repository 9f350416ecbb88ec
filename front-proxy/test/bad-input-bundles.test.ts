/**
 * Every way a bundle can be false, delivered as ferry-rx would: its own code,
 * an audit event that carries it, the file kept as evidence, no target called,
 * and a true bundle behind it goes on.
 */
import { execFileSync } from "node:child_process";
import { appendFile, copyFile, readdir, rm, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type ErrorCode, errorRow } from "@lightferry/proto/errors";
import { newId } from "@lightferry/proto/ids";
import { formatKeyId } from "@lightferry/proto/sm";
import { expect, it } from "vitest";
import { startIngress } from "../src/ingress/index.ts";
import { type Forgery, forge } from "./support/forge-header.ts";
import { DAY_MS, provider } from "./support/ingress-keys.ts";
import { type Delivered, flipBit } from "./support/ingress-seal.ts";
import { receivingZoneOfFile, target, world } from "./support/receiving.ts";
import { expectEvent } from "./support/refusal.ts";

let sequence = 0;

/** A true bundle at the next place of the stream. */
function sealed(at = sequence + 1): Promise<Delivered> {
  sequence = at;
  return world.seal([{ content: Buffer.from("x") }], { sequence: at });
}

const quarantine = () => readdir(join(world.dirs.inbox, "quarantine"));

receivingZoneOfFile();

async function expectRefused(
  request: Delivered["request"],
  code: ErrorCode,
  actor: string,
  placeIsFree = true,
): Promise<void> {
  const kept = (await quarantine()).length;
  const called = target.calls.length;
  const seen = world.events.length;
  expect(await world.deliver(request)).toEqual({ status: "quarantined", code });
  expect(errorRow(code).actor).toBe(actor);
  await expect.poll(() => world.events.slice(seen).map((event) => event.code)).toContain(code);
  await expectEvent(world.events, "bundle.refused", code);
  expect((await quarantine()).length).toBe(kept + 1);
  expect(await readdir(world.dirs.arrivals)).not.toContain(request.file);
  expect(target.calls.length).toBe(called);
  if (!placeIsFree) return;
  // The place in the stream is still free: a true bundle takes it.
  const good = await sealed(sequence);
  expect((await world.deliver(good.request)).status).toBe("accepted");
  await world.until(good.exchangeIds[0] ?? newId(), "delivered");
}

const damages: [string, ErrorCode, string, (path: string) => Promise<unknown>][] = [
  [
    "no bundle at all",
    "bundle.not-a-bundle",
    "far-side",
    (path) => writeFile(path, "hello".repeat(99)),
  ],
  ["an empty file", "bundle.truncated", "far-side", (path) => truncate(path, 0)],
  ["cut in its header", "bundle.truncated", "far-side", (path) => truncate(path, 300)],
  ["with a byte too many", "bundle.trailing-bytes", "far-side", (path) => appendFile(path, "x")],
  [
    "with a flipped bit in its magic",
    "bundle.not-a-bundle",
    "far-side",
    (path) => flipBit(path, 0),
  ],
  [
    "with a flipped bit in its last chunk",
    "bundle.chunk-digest",
    "far-side",
    (path) => flipBit(path, -1),
  ],
];

it.each(damages)("a file that is %s", async (_, code, actor, damage) => {
  const bundle = await sealed();
  await damage(bundle.path);
  await expectRefused(bundle.request, code, actor);
});

const stranger = provider.generateSm2();
const forgeries: [string, ErrorCode, string, Forgery][] = [
  ["signed by a stranger", "bundle.signature-invalid", "far-side", { signKey: stranger }],
  [
    "signed with a key without a certificate",
    "bundle.unknown-sign-key",
    "security-admin",
    {
      signKey: stranger,
      header: { signKeyId: formatKeyId(stranger.publicKey), certificates: [] },
    },
  ],
  [
    "of an unregistered sender",
    "certificate.wrong-use",
    "security-admin",
    { header: { sender: "node-nowhere", stream: "inbound/node-nowhere/normal" } },
  ],
  [
    "for another recipient",
    "verdict.wrong-recipient",
    "security-admin",
    { verdict: { recipients: ["node-other"] } },
  ],
  [
    "with a verdict for another lane",
    "verdict.wrong-lane",
    "security-admin",
    { verdict: { lane: "outbound" } },
  ],
  [
    "with a verdict for another item",
    "verdict.wrong-item",
    "security-admin",
    { verdict: { commitment: new Uint8Array(32).fill(7) } },
  ],
  [
    "with a verdict for another sender",
    "verdict.wrong-sender",
    "security-admin",
    { verdict: { sender: "node-other" } },
  ],
  [
    "with a verdict of import",
    "verdict.wrong-direction",
    "security-admin",
    { verdict: { direction: 2 } },
  ],
  [
    "with a verdict that denies",
    "verdict.not-permit",
    "security-admin",
    { verdict: { decision: 3 } },
  ],
  [
    "with a verdict that had expired",
    "verdict.expired",
    "security-admin",
    { verdict: { decidedMs: Date.now() - 2 * DAY_MS, expiresMs: Date.now() - DAY_MS } },
  ],
  [
    "with a verdict of an unregistered policy",
    "verdict.unknown-policy-key",
    "security-admin",
    { policyKey: stranger },
  ],
  [
    "that has expired",
    "bundle.expired",
    "far-side",
    {
      header: { createdMs: Date.now() - 2 * DAY_MS, expiresMs: Date.now() - 1_000 },
      verdict: { decidedMs: Date.now() - 3 * DAY_MS },
    },
  ],
  [
    "whose items are not those of its root",
    "bundle.item-root-mismatch",
    "far-side",
    { header: { itemRoot: new Uint8Array(32).fill(1) } },
  ],
  [
    "that says another grade than its items",
    "bundle.grade-mismatch",
    "far-side",
    { header: { grade: "G1" } },
  ],
];

it.each(forgeries)("a bundle %s", async (_, code, actor, forgery) => {
  const bundle = await sealed();
  const request = await forge(world.keys, bundle, forgery);
  await expectRefused(request, code, actor);
});

it("a bundle for another node", async () => {
  const keyId = "0".repeat(32);
  const { publicKey } = stranger;
  sequence += 1;
  const bundle = await world.seal(
    [{ content: Buffer.from("x"), verdict: { recipients: ["node-other"] } }],
    { sequence, recipients: [{ nodeId: "node-other", keyId, publicKey }] },
  );
  await expectRefused(bundle.request, "bundle.wrong-recipient", "security-admin");
});

it("a bundle announced for another lane", async () => {
  const bundle = await sealed();
  const request = { ...bundle.request, lane: "outbound" };
  await expectRefused(request, "bundle.wrong-lane", "security-admin");
});

it("a verdict used twice", async () => {
  const verdictId = newId();
  const draft = [{ content: Buffer.from("x"), verdict: { verdictId } }];
  sequence += 1;
  const first = await world.seal(draft, { sequence });
  expect((await world.deliver(first.request)).status).toBe("accepted");
  await world.until(first.exchangeIds[0] ?? newId(), "delivered");
  sequence += 1;
  const second = await world.seal(draft, { sequence });
  await expectRefused(second.request, "verdict.reused", "far-side");
});

it("a bundle that comes again, from a medium or a malicious sender", async () => {
  const bundle = await sealed();
  await copyFile(bundle.path, `${bundle.path}.again.lfb`);
  expect((await world.deliver(bundle.request)).status).toBe("accepted");
  await world.until(bundle.exchangeIds[0] ?? newId(), "delivered");
  const called = target.calls.length;
  const again = { ...bundle.request, file: `${bundle.request.file}.again.lfb` };
  expect(await world.deliver(again)).toEqual({ status: "duplicate" });
  await expectEvent(world.events, "bundle.duplicate", "bundle.duplicate");
  expect(target.calls.length).toBe(called);
  expect(await readdir(world.dirs.arrivals)).not.toContain(again.file);
});

it("two bundles with one sequence number: the stream is quarantined, other streams go on", async () => {
  const stream = "inbound/node-extranet/bulk";
  const draft = [{ content: Buffer.from("x") }];
  const [first, second] = [
    await world.seal(draft, { stream, sequence: 1 }),
    await world.seal(draft, { stream, sequence: 1 }),
  ];
  expect((await world.deliver(first.request)).status).toBe("accepted");
  await world.until(first.exchangeIds[0] ?? newId(), "delivered");
  await expectRefused(second.request, "bundle.sequence-conflict", "security-admin", false);
  const next = await world.seal(draft, { stream, sequence: 2 });
  await expectRefused(next.request, "bundle.stream-quarantined", "security-admin", false);
  const other = await sealed();
  expect((await world.deliver(other.request)).status).toBe("accepted");
});

it("a pipe under the name of a bundle: refused at once, and nothing waits for who would write into it", async () => {
  const bundle = await sealed();
  await rm(bundle.path);
  execFileSync("mkfifo", [bundle.path]);
  expect(await world.deliver(bundle.request)).toMatchObject({ code: "bundle.truncated" });
});

it("a demonstration decryption key in production mode: the receiving side does not start", async () => {
  const { context } = world;
  const config = { ...context.config, mode: "production" as const };
  await expect(startIngress({ ...context, config })).rejects.toMatchObject({
    code: "key.demo-in-production",
  });
});
