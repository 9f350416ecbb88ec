/** Guarantee tested: a file that is not exactly what the sender signed counts for nothing, and nothing in the folder is followed. */
import { execFileSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { appendFile } from "node:fs/promises";
import { join } from "node:path";
import { decodeCanonical, encodeCanonical } from "@lightferry/proto/canonical";
import { GatewayError } from "@lightferry/proto/errors";
import { lightferry } from "@lightferry/proto/gen";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { headLength, PREFIX_BYTES, readHead, writeHead } from "../src/directory/head.ts";
import type { DirectoryStation } from "../src/directory/rx/station.ts";
import { opened, partsOf, verifier } from "./directory-parts.ts";
import { directoryStation, folders } from "./directory-world.ts";
import {
  digestOf,
  eventually,
  FROM,
  LANE,
  linkOf,
  namedKey,
  type Place,
  pki,
  place,
  TO,
} from "./fixture.ts";
import { idOf, type Leased, queue, signer } from "./media-world.ts";

const { FileHead, SignedMessage } = lightferry.ferry.v1;

let at: Place;
const closing: (() => Promise<unknown>)[] = [];
beforeEach(() => {
  at = place();
});
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
  at.remove();
});

/** The file again with something else in its head, signed by the real key or another. */
function resigned(bytes: Buffer, change: object, by = signer): Buffer {
  const { head, payload } = opened(bytes);
  const part = { ...head.part, ...("part" in change ? (change.part as object) : {}) };
  return Buffer.concat([writeHead(by, { ...head, ...change, part }), payload]);
}

function put(name: string, bytes: Uint8Array): void {
  writeFileSync(join(folders(at).pickUp, name), bytes);
}

async function receiving(change: Parameters<typeof directoryStation>[1] = {}) {
  const station = await directoryStation(at, { pollMs: 50, settleMs: 150, ...change });
  closing.push(() => station.close());
  return station;
}

const rejected = (station: DirectoryStation) => station.status().rejected;

async function allHere(bundles: readonly Leased[]): Promise<void> {
  await at.inbox.until(bundles.length);
  expect(at.inbox.delivered.map(idOf).sort()).toEqual(bundles.map(idOf).sort());
  for (const bundle of bundles) {
    expect(digestOf(at.inbox.bytesOf(bundle))).toBe(digestOf(at.sealed(bundle)));
  }
}

describe("the head", () => {
  test("no single byte of it can be other, none can be missing, and no bytes make it throw", async () => {
    const [file = Buffer.alloc(0)] = await partsOf(at, await queue(at, 200));
    const { signed } = opened(file);
    const { signature } = decodeCanonical(SignedMessage, signed);
    // What lies behind the signature are certificates, which speak for themselves.
    const end = signed.indexOf(signature) + signature.length;
    for (let index = 0; index < end; index += 1) {
      const bytes = Buffer.from(signed);
      bytes.writeUInt8(bytes.readUInt8(index) ^ (1 << (index % 8)), index);
      expect(typeof readHead(verifier, LANE, bytes), `byte ${index}`).toBe("string");
    }
    for (let index = 0; index < 8; index += 1) {
      const prefix = Buffer.from(file.subarray(0, PREFIX_BYTES));
      prefix.writeUInt8(prefix.readUInt8(index) ^ 1, index);
      expect(headLength(prefix)).toBe("magic");
    }
    for (const length of [0, 8_193, 2 ** 32 - 1]) {
      const prefix = Buffer.from(file.subarray(0, PREFIX_BYTES));
      prefix.writeUInt32BE(length, 8);
      expect(headLength(prefix)).toBe("head-length");
    }
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        expect(typeof readHead(verifier, LANE, bytes)).toBe("string");
      }),
    );
  });

  test("numbers that do not fit together are refused whoever signed them, and reserve nothing", async () => {
    const [file = Buffer.alloc(0)] = await partsOf(at, await queue(at, 200));
    const huge = fc.oneof(fc.nat(300), fc.nat(), fc.maxSafeNat());
    const part = fc.record({
      ...{ size: huge, manifestSize: huge, partBytes: huge, dataParts: huge, parityParts: huge },
      ...{ group: huge, index: huge },
    });
    fc.assert(
      fc.property(part, (change) => {
        const numbers = Object.fromEntries(
          Object.entries(change).map(([name, value]) => [
            name,
            name === "size" ? value : value % 2 ** 32,
          ]),
        );
        const bytes = resigned(file, { part: numbers });
        const believed = readHead(
          verifier,
          LANE,
          bytes.subarray(PREFIX_BYTES, PREFIX_BYTES + bytes.readUInt32BE(8)),
        );
        if (typeof believed === "string") return;
        const { plan, facts } = believed.part as NonNullable<typeof believed.part>;
        expect(facts.group).toBeLessThan(plan.groups);
        expect(plan.groups * plan.groupParts).toBeLessThanOrEqual(2 ** 20);
        expect(plan.partLength(facts.group, facts.index)).toBeGreaterThan(0);
        expect(plan.partLength(facts.group, facts.index)).toBeLessThanOrEqual(plan.facts.partBytes);
      }),
      { numRuns: 80 },
    );
    // Fields 7 (streams of a head) and 4 (certificates), each empty, by the thousand.
    const crowd = Buffer.alloc(6_000, Buffer.from([0x22, 0x00]));
    expect(readHead(verifier, LANE, crowd)).toBe("certificates");
    const streams = Buffer.alloc(6_000, Buffer.from([0x3a, 0x00]));
    const wrapped = encodeCanonical(SignedMessage, { payload: streams, keyId: "k" });
    expect(readHead(verifier, LANE, wrapped)).toBe("streams");
  });

  test("of nobody, of another lane or sender, or in another version: put away and counted by the reason", async () => {
    const bundles = await queue(at, 200);
    const [file = Buffer.alloc(0)] = await partsOf(at, bundles);
    const station = await receiving();
    put("1", resigned(file, {}, linkOf(namedKey())));
    put("2", resigned(file, { lane: "outbound" }));
    put("3", resigned(file, { sender: TO }));
    const { head, signed, payload } = opened(file);
    const message = decodeCanonical(SignedMessage, signed);
    const other = encodeCanonical(FileHead, { ...head, version: 9 });
    const forged = encodeCanonical(SignedMessage, { ...message, payload: other });
    put("4", Buffer.concat([file.subarray(0, 8), length(forged), forged, payload]));
    put("5", resigned(file, { epoch: 0 }));
    await eventually(() => rejected(station)).toEqual({
      "unknown-key": 1,
      lane: 1,
      sender: 1,
      signature: 1,
      number: 1,
    });
    await eventually(() => readdirSync(folders(at).pickUp)).toEqual([]);
    expect(readdirSync(join(at.rxState, "refused-files"))).toHaveLength(5);
    expect(at.inbox.delivered).toEqual([]);
    expect(station.status()).toMatchObject({ objects: 0, epoch: 0, heartbeat: { count: 0 } });
    await station.close();
    const told = at.rxEvents.of("gate.file-refused");
    expect(told.map(({ attributes }) => attributes?.reason).sort()).toEqual([
      "lane",
      "number",
      "sender",
      "signature",
      "unknown-key",
    ]);
    for (const event of told)
      expect(event).toMatchObject({ code: "directory.file-refused", lane: LANE });
  });
});

describe("the payload", () => {
  test("changed, cut short or longer: never taken; of what is left enough makes it whole", async () => {
    const bundles = await queue(at, 180_000);
    const parts = await partsOf(at, bundles);
    expect(parts).toHaveLength(6);
    const station = await receiving();
    const [one, two, ...rest] = parts as [Buffer, Buffer, ...Buffer[]];
    const bad = Buffer.from(one);
    bad.writeUInt8(bad.readUInt8(bad.length - 7) ^ 0x80, bad.length - 7);
    put("changed", bad);
    put("short", two.subarray(0, two.length - 1));
    put("long", Buffer.concat([two, Buffer.alloc(1)]));
    await eventually(() => rejected(station)).toEqual({ digest: 1, short: 1, long: 1 });
    expect(station.status().bundles.arrived).toBe(0);
    for (const [index, bytes] of rest.entries()) put(`R${index}`, bytes);
    await allHere(bundles);
    expect(station.status().restored).toBe(1);
  });

  test("a file that grows is taken when it is whole, whatever it was called bad before", async () => {
    const bundles = await queue(at, 300);
    const [file = Buffer.alloc(0)] = await partsOf(at, bundles);
    const station = await receiving({ settleMs: 60_000 });
    const path = join(folders(at).pickUp, "slow");
    let written = 0;
    for (const until of [5, 100, PREFIX_BYTES + 900, file.length - 1, file.length]) {
      expect(at.inbox.delivered).toEqual([]);
      await appendFile(path, file.subarray(written, until));
      written = until;
      if (until < file.length)
        await eventually(() => station.status()).toMatchObject({ files: { waiting: 1 } });
    }
    await allHere(bundles);
    expect(rejected(station)).toEqual({});
  });

  test("the same shipment cut in another way is a conflict, and the first one stands", async () => {
    const bundles = await queue(at, 180_000);
    const parts = await partsOf(at, bundles);
    const [first = Buffer.alloc(0), second = Buffer.alloc(0)] = parts;
    const station = await receiving();
    put("a", first);
    await eventually(() => station.status().objects).toBe(1);
    put("b", resigned(second, { part: { parityParts: 1 } }));
    await eventually(() => rejected(station)).toEqual({ conflict: 1 });
    for (const [index, bytes] of parts.entries()) put(`P${index}`, bytes);
    await allHere(bundles);
  });

  test("a disk that changes what it was given: told, and the next pass brings it", async () => {
    const bundles = await queue(at, 180_000);
    const parts = await partsOf(at, bundles);
    const station = await receiving();
    const [last = Buffer.alloc(0)] = parts.splice(3, 1);
    for (const [index, bytes] of parts.slice(0, 3).entries()) put(`P${index}`, bytes);
    await eventually(() => readdirSync(folders(at).pickUp)).toEqual([]);
    const dir = join(at.rxState, "shipments", FROM);
    const content = readdirSync(dir).find((name) => name.endsWith(".content")) ?? "";
    const kept = readFileSync(join(dir, content));
    const { facts, plan } = opened(parts[0] ?? last).part as NonNullable<
      ReturnType<typeof opened>["part"]
    >;
    const byte = plan.partAt(facts.group, facts.index) + 11;
    kept.writeUInt8(kept.readUInt8(byte) ^ 1, byte);
    writeFileSync(join(dir, content), kept);
    put("last", last);
    await eventually(() => at.rxEvents.of("gate.object-incomplete")).toMatchObject([
      { outcome: "error", lane: LANE },
    ]);
    expect(at.inbox.delivered).toEqual([]);
    for (const [index, bytes] of [...parts, last].entries()) put(`Q${index}`, bytes);
    await allHere(bundles);
    await eventually(() => station.status().bundles.delivered).toBe(1);
  });
});

describe("the folder", () => {
  test("files of others are left alone, links and pipes not followed, and nothing waits for them", async () => {
    const bundles = await queue(at, 300);
    const [file = Buffer.alloc(0)] = await partsOf(at, bundles);
    const { pickUp } = folders(at);
    const outside = join(at.root, "outside");
    writeFileSync(outside, file);
    symlinkSync(outside, join(pickUp, "link"));
    symlinkSync(at.root, join(pickUp, "linked-folder"));
    execFileSync("mkfifo", [join(pickUp, "pipe")]);
    for (const name of ["readme.txt", "a\u001b[2Jb", "-rf", "..DAT", "empty"]) {
      put(name, Buffer.from(name === "empty" ? "" : "of somebody else"));
    }
    const station = await receiving();
    await eventually(() => station.status()).toMatchObject({ files: { foreign: 8, waiting: 0 } });
    expect(rejected(station)).toEqual({ "not-a-file": 3, magic: 4, short: 1 });
    expect(readdirSync(pickUp)).toHaveLength(8);
    expect(readdirSync(join(at.rxState, "refused-files"))).toEqual([]);
    expect(at.inbox.delivered).toEqual([]);
    mkdirSync(join(pickUp, "below"));
    put("below/file", file);
    await allHere(bundles);
    expect(existsSync(outside)).toBe(true);
  });

  test("everything once more, also after a restart: known, removed, delivered to nobody", async () => {
    const bundles = await queue(at, 300, 180_000);
    const parts = await partsOf(at, bundles);
    for (const [index, bytes] of parts.entries()) put(`A${index}`, bytes);
    const first = await receiving();
    await allHere(bundles);
    await eventually(() => readdirSync(folders(at).pickUp)).toEqual([]);
    await first.close();
    const second = await receiving();
    for (const [index, bytes] of parts.entries()) put(`B${index}`, bytes);
    await eventually(() => second.status().repeats).toBe(parts.length);
    await eventually(() => readdirSync(folders(at).pickUp)).toEqual([]);
    expect(at.inbox.answers).toEqual(["accepted", "accepted"]);
    expect(second.status()).toMatchObject({ objects: 0, bundles: { arrived: 0 } });
  });

  test("a sealing key that does not count: kept in quarantine, delivered once it does", async () => {
    const bundles = await queue(at, 300);
    const [file = Buffer.alloc(0)] = await partsOf(at, bundles);
    let revoked = true;
    const keys = () => ({
      ...pki.store.keyDirectory(),
      ...(revoked
        ? {
            signKey: (node: string, keyId: string) => {
              throw new GatewayError("certificate.revoked", { detail: `${node} ${keyId}` });
            },
          }
        : {}),
    });
    const station = await receiving({ keys });
    put("a", file);
    await eventually(() => station.status().quarantine.bundles).toBe(1);
    expect(at.rxEvents.of("bundle.refused")).toMatchObject([{ code: "certificate.revoked" }]);
    revoked = false;
    station.trustChanged();
    await allHere(bundles);
  });

  test("a folder that is away is told, and gone on with when it is back", async () => {
    const bundles = await queue(at, 300);
    const [file = Buffer.alloc(0)] = await partsOf(at, bundles);
    const { pickUp } = folders(at);
    await receiving();
    renameSync(pickUp, `${pickUp}-away`);
    await eventually(() => at.rxEvents.of("service.impaired")).toMatchObject([
      { code: "directory.folder-unreadable", lane: LANE },
    ]);
    renameSync(`${pickUp}-away`, pickUp);
    put("a", file);
    await allHere(bundles);
    await eventually(() => at.rxEvents.of("service.restored")).toHaveLength(1);
  });
});

function length(bytes: Uint8Array): Buffer {
  const field = Buffer.alloc(4);
  field.writeUInt32BE(bytes.length);
  return field;
}
