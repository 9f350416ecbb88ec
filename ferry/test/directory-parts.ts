/** Guarantee: files as a sender makes them for an appliance, and what stands in them. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { GatewayError } from "@lightferry/proto/errors";
import { expect } from "vitest";
import { headLength, PREFIX_BYTES, readHead } from "../src/directory/head.ts";
import type { LinkVerifier } from "../src/signed.ts";
import { directorySender, folders, SMALL_PROFILE } from "./directory-world.ts";
import { eventually, FROM, LANE, type Place, pki, provider } from "./fixture.ts";
import { idOf, type Leased } from "./media-world.ts";

const PLAIN = { ...SMALL_PROFILE, renames: false, passes: 1 };
export const verifier: LinkVerifier = {
  ...{ provider, sender: FROM, refused: () => undefined },
  ferryKey: (keyId, presented, usedMs = Date.now()) =>
    pki.store.keyDirectory().ferryKey(FROM, keyId, { presented, usedMs }),
};

/** Parts that a sender makes of bundles of these sizes; heartbeats are left out. */
export async function partsOf(at: Place, bundles: readonly Leased[]): Promise<Buffer[]> {
  const { drop } = folders(at);
  const before = new Set(readdirSync(drop));
  const sender = await directorySender(at, PLAIN, { heartbeatMs: 3_600_000 });
  await eventually(() => at.outbox.acks.filter((ack) => ack.finished).map(idOf)).toEqual(
    expect.arrayContaining(bundles.map(idOf)),
  );
  await sender.close();
  return readdirSync(drop)
    .filter((name) => !before.has(name))
    .map((name) => readFileSync(join(drop, name)))
    .filter((bytes) => opened(bytes).part !== undefined);
}

export function opened(bytes: Buffer) {
  const length = headLength(bytes) as number;
  const signed = bytes.subarray(PREFIX_BYTES, PREFIX_BYTES + length);
  const believed = readHead(verifier, LANE, signed);
  if (typeof believed === "string") throw new GatewayError("internal.fault", { detail: believed });
  return { ...believed, signed, payload: bytes.subarray(PREFIX_BYTES + length) };
}
