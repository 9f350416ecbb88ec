/**
 * Guarantee tested: frames, geometry, manifests and heartbeats are as ferry/vectors/gate.json says, and that file
 * and tags.json are what gate.py and tags.py beside them say, programs that share nothing with ours.
 */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import {
  decodeFrame,
  emptyHeader,
  encodeFrame,
  FRAME_FAULTS,
  FRAME_HEADER,
  type FrameHeader,
} from "../src/frame.ts";
import { Geometry } from "../src/object.ts";
import { missingPath } from "../src/repair/missing.ts";
import { DoneLog } from "../src/rx/done.ts";
import { Gaps } from "../src/rx/gaps.ts";
import { Inventories } from "../src/rx/inventories.ts";
import { Link } from "../src/rx/link.ts";
import { Manifests } from "../src/rx/manifests.ts";
import type { Reassembler } from "../src/rx/reassemble.ts";
import { Receiver } from "../src/rx/receiver.ts";
import { Rejections } from "../src/rx/rejections.ts";
import type { LinkWatch } from "../src/rx/watch.ts";
import { Events, quiet } from "./fixture.ts";
import { hex, ORACLE, python, unhex, vectors, verifier } from "./gate-vectors.ts";
import { TAGS_ORACLE, tagVectors } from "./tags-vectors.ts";

it.skipIf(!python)("the vectors are what the independent programs compute", () => {
  const made = (program: string): unknown =>
    JSON.parse(execFileSync("python3", [program], { encoding: "utf8" }));
  expect(made(ORACLE)).toEqual(vectors);
  expect(made(TAGS_ORACLE)).toEqual(tagVectors);
});

it.each(vectors.frames)("frame: $name", ({ fields, payloadBytes, frame, sha256 }) => {
  const header: FrameHeader = { ...emptyHeader(), ...fields };
  const out = new Uint8Array(FRAME_HEADER + payloadBytes);
  for (let n = 0; n < payloadBytes; n += 1) out[FRAME_HEADER + n] = 7 * n + payloadBytes;
  expect(encodeFrame(out, 0, header, payloadBytes)).toBe(out.length);
  if (frame === undefined) expect(createHash("sha256").update(out).digest("hex")).toBe(sha256);
  else expect(hex(out)).toBe(frame);
  const back = emptyHeader();
  expect(decodeFrame(out, back)).toBeUndefined();
  expect(back).toEqual(header);
});

it("refuses what the vectors refuse, each by the first check that it fails", () => {
  for (const { reason, name, datagram, bytes } of vectors.refused) {
    const short = unhex(datagram);
    const whole = Buffer.concat([short, Buffer.alloc((bytes ?? short.length) - short.length)]);
    expect(decodeFrame(whole, emptyHeader()), `${reason}: ${name}`).toBe(reason);
  }
  expect(new Set(vectors.refused.map(({ reason }) => reason))).toEqual(new Set(FRAME_FAULTS));
});

it("cuts objects as the vectors say", () => {
  for (const { size, shardSize, groupShards, parityShards, ...expected } of vectors.geometries) {
    const geometry = new Geometry(size, shardSize, { groupShards, parityShards });
    const shape = (group: number) => {
      const k = geometry.dataShards(group);
      const m = geometry.parityShards(group);
      const codedLength = geometry.codedLength(group);
      return { k, m, codedLength, lastShard: geometry.shardLength(group, k - 1) };
    };
    const { groups, blockGroups } = geometry;
    expect({ groups, blockGroups, first: shape(0), last: shape(groups - 1) }).toEqual(expected);
  }
});

function manifestsOf(counts: Record<string, number>): Manifests {
  return new Manifests(verifier, vectors.lane, (reason, by = 1) => {
    counts[reason] = (counts[reason] ?? 0) + by;
  });
}

it("believes the manifests that count and names what is wrong with the others", () => {
  for (const { reason, about, objectId, signed } of vectors.manifests) {
    const counts: Record<string, number> = {};
    const announced = manifestsOf(counts).verify(objectId, unhex(signed));
    const name = JSON.stringify(about);
    expect(counts, name).toEqual(reason === null ? {} : { [`manifest-${reason}`]: 1 });
    expect(announced?.manifest.objectId, name).toBe(reason === null ? objectId : undefined);
  }
});

it.each(vectors.parts)("parts of manifests: $name", ({ frames, counts, manifests }) => {
  const counted: Record<string, number> = {};
  const taker = manifestsOf(counted);
  let believed = 0;
  for (const bytes of frames.map(unhex)) {
    const header = emptyHeader();
    expect(decodeFrame(bytes, header)).toBeUndefined();
    if (taker.take(header, bytes.subarray(FRAME_HEADER)) !== undefined) believed += 1;
  }
  expect(counted).toEqual(counts);
  expect(believed).toBe(manifests);
});

it("takes the heartbeats of the session that count, and has its account of losses and gaps", async () => {
  const dir = mkdtempSync(join(tmpdir(), "lf-vectors-"));
  const link = await Link.open(join(dir, "link.json"), vectors.sender);
  const done = await DoneLog.open(join(dir, "done.log"));
  const rejections = new Rejections();
  const ignore = (): void => undefined;
  const events = new Events();
  const of = { lane: vectors.lane, sender: vectors.sender, done, events, log: quiet };
  const path = missingPath(dir, vectors.lane);
  const openGaps = await Gaps.opening({ ...of, path, senderOffsetMs: () => 0 });
  const books = openGaps(() => []);
  const lane = {
    name: vectors.lane,
    reassembler: { data: ignore, manifest: ignore, tick: ignore } as unknown as Reassembler,
    gaps: books,
    inventories: new Inventories({ verifier, lane: vectors.lane, gaps: books, count: ignore }),
  };
  const watch = { start: ignore, tick: ignore, pulse: ignore, beat: ignore };
  const receiver = new Receiver({
    ...{ link, number: 0, verifier, lanes: [lane], rejections, events, log: quiet },
    watch: watch as unknown as LinkWatch,
  });
  const { steps, epoch, lost, settled, gaps } = vectors.heartbeats;
  const expected: Record<string, number> = {};
  let accepted = 0;
  for (const { name, outcome, frames, counts } of steps) {
    Object.assign(expected, counts);
    for (const frame of frames) receiver.datagram(unhex(frame));
    if (outcome === "accepted") accepted += 1;
    else if (outcome !== null) {
      expected[`heartbeat-${outcome}`] = (expected[`heartbeat-${outcome}`] ?? 0) + 1;
    }
    expect(rejections.totals(), name).toEqual(expected);
    expect(receiver.counts.heartbeats, name).toBe(accepted);
    // More than twenty in a second would be a flood.
    receiver.tick();
  }
  expect(link.state).toMatchObject({ epoch, lost, settled });
  expect(done.streams.open()).toMatchObject(gaps);
  await receiver.close();
  await books.close();
  await done.close();
  rmSync(dir, { recursive: true });
});

it("takes the pages of inventories that count and names what is wrong with the others", () => {
  for (const { reason, name, frames } of vectors.inventories) {
    const counted: string[] = [];
    let pages = 0;
    const gaps = {
      page: () => {
        pages += 1;
      },
    } as unknown as Gaps;
    const { lane } = vectors;
    const count = (what: string) => counted.push(what);
    const inventories = new Inventories({ verifier, lane, gaps, count });
    for (const bytes of frames.map(unhex)) {
      const header = emptyHeader();
      expect(decodeFrame(bytes, header)).toBeUndefined();
      inventories.take(header, bytes.subarray(FRAME_HEADER), 7);
    }
    expect(counted, name).toEqual(reason === null ? [] : [`inventory-${reason}`]);
    expect(pages, name).toBe(reason === null ? 1 : 0);
  }
});
