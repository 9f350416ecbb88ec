/** Guarantee tested: tags from the settings of both programs to an object that arrives by them; SPEC.md §13. */
import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { digestOf, eventually, type Place, place } from "./fixture.ts";
import { type Peers, startPeers } from "./peers.ts";
import { startProgram } from "./program.ts";

let at: Place;
let peers: Peers;
beforeEach(() => {
  at = place();
});
afterEach(async () => {
  await peers.close();
  at.remove();
});

const BYTES = 5_000_000;
const status = (dir: string) => JSON.parse(readFileSync(join(dir, "status.json"), "utf8"));

/** Every form in which a program could let a secret slip, and of which it stands somewhere. */
function slipped(secret: Uint8Array, said: readonly string[]): string[] {
  const bytes = Buffer.from(secret.subarray(0, 16));
  const forms = [
    bytes,
    ...[bytes.toString("hex"), bytes.toString("base64").slice(0, 21), [...bytes].join(",")],
  ].map((form) => Buffer.from(form));
  const files = readdirSync(at.root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name));
  const texts = [...at.txEvents.all, ...at.rxEvents.all].map((event) => JSON.stringify(event));
  const all: (readonly [string, Buffer])[] = [
    ...files.map((path) => [path, readFileSync(path)] as const),
    ...[...said, ...texts].map((text) => ["said", Buffer.from(text)] as const),
  ];
  expect(files.length).toBeGreaterThan(5);
  return all.filter(([, found]) => forms.some((form) => found.includes(form))).map(([at]) => at);
}

test("a long bundle is known by its tags and whole, a short one by its digests", async () => {
  const secrets: Uint8Array[] = [];
  const { openLinkKey } = at.inbox;
  at.inbox.openLinkKey = async (request) => {
    const { secret } = await openLinkKey(request);
    secrets.push(secret as Uint8Array);
    return { secret: secret as Uint8Array };
  };
  peers = await startPeers(at, { tags: true });
  const rx = await startProgram("rx", peers.rxConfig(0));
  const tx = await startProgram("tx", peers.txConfig(rx.ready.port as number));
  await eventually(() => status(at.rxState)).toMatchObject({ tags: "on" });
  expect(at.inbox.opened).toBe(1);
  const bundles = [await at.seal(randomBytes(BYTES), "bulk"), await at.seal(randomBytes(100))];
  for (const bundle of bundles) at.outbox.put(bundle);
  await at.inbox.until(2);
  for (const bundle of bundles) {
    expect(digestOf(at.inbox.bytesOf(bundle))).toBe(digestOf(at.sealed(bundle)));
  }
  await eventually(() => status(at.txState)).toMatchObject({ tags: "on", bundles: { emitted: 2 } });
  await eventually(() => status(at.rxState)).toMatchObject({
    rejected: {},
    bundles: { delivered: 2 },
  });
  const { byTag, byDigest } = status(at.rxState).checked;
  // The head and whatever became whole before its tags came are hashed.
  expect(byTag).toBeGreaterThan(BYTES / 2);
  expect(byTag + byDigest).toBeGreaterThan(BYTES);
  await tx.end("SIGTERM");
  await rx.end("SIGTERM");
  expect(tx.said.length).toBeGreaterThan(0);
  const told = [...tx.said, ...rx.said];
  expect(slipped(secrets[0] as Uint8Array, told)).toEqual([]);
  expect(slipped(secrets[0] as Uint8Array, [JSON.stringify([...(secrets[0] ?? [])])])).toEqual([
    "said",
  ]);
});
