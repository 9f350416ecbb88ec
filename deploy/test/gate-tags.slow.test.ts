/**
 * Guarantee tested: tags with the real programs of both zones: the front-proxy opens the link key for ferry-rx, a large
 * file is known by its tags and arrives byte for byte.
 */
import { createHash, randomBytes } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { afterAll, beforeAll, expect, it } from "vitest";
import { uploadResumable } from "../drills/integrator.ts";
import { type RunningZones, startZones } from "../drills/zones.ts";
import { type ZoneName, zonePaths } from "../src/layout.ts";
import { told } from "./told.ts";
import { until } from "./until.ts";

const LIMIT_MS = 120_000;
const BYTES = 20_000_000;

let zones: RunningZones;
beforeAll(async () => {
  zones = await startZones({ gateTags: true });
}, LIMIT_MS);
afterAll(() => zones.stop(), LIMIT_MS);

interface Shown {
  readonly status: {
    readonly tags: string;
    readonly rejected?: Readonly<Record<string, number>>;
    readonly checked?: { readonly byTag: number; readonly wrongTags: number };
  };
}

async function shown(zone: ZoneName): Promise<Shown["status"]> {
  const [first] = await told<Shown[]>(zones.home, "ferry", "status", "--zone", zone);
  if (first === undefined) throw new RangeError(`no ferry in ${zone}`);
  return first.status;
}

const digestOf = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

it("a large file crosses by its tags", { timeout: 2 * LIMIT_MS }, async () => {
  await until("the key told and opened", async () => (await shown("business")).tags === "on");
  expect((await shown("extranet")).tags).toBe("on");
  const content = randomBytes(BYTES);
  const upload = { service: "bulk-data", name: "tagged.bin", size: BYTES, key: "gate-tags" };
  const from = (offset: number) => Readable.from(content.subarray(offset));
  const deadline = Date.now() + LIMIT_MS;
  const answer = await uploadResumable(zones.apis.extranet, { ...upload, from }, deadline);
  expect(answer.status).toBe(202);
  const id = String(answer.body.exchangeId);
  const { sent, received } = await zones.operators.follow("extranet", id, deadline);
  expect([sent.state, received?.state]).toEqual(["emitted", "delivered"]);
  const dropped = join(zonePaths(zones.home, "business").drop, "bulk-data");
  const [name = ""] = readdirSync(dropped).filter((entry) => !entry.startsWith("."));
  expect(digestOf(readFileSync(join(dropped, name)))).toBe(digestOf(content));
  // The status is written every second.
  await until("what was checked in the status", async () => {
    const { checked } = await shown("business");
    return (checked?.byTag ?? 0) > BYTES / 2;
  });
  expect((await shown("business")).checked?.wrongTags).toBe(0);
});
