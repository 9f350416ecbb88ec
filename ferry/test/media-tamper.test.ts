/** Guarantee tested: a medium that is not exactly what the sender signed is refused whole, and nothing on it is followed. */
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { decodeCanonical, encodeCanonical } from "@lightferry/proto/canonical";
import { GatewayError } from "@lightferry/proto/errors";
import { lightferry } from "@lightferry/proto/gen";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { MediumRefused } from "../src/media/inspect.ts";
import {
  MANIFEST_NAME,
  MAX_BUNDLES,
  MAX_CUSTODIANS,
  MAX_MANIFEST_BYTES,
  SHEET_NAME,
} from "../src/media/layout.ts";
import { readManifest, writeManifest } from "../src/media/manifest.ts";
import {
  FROM,
  keys,
  LANE,
  linkOf,
  namedKey,
  type Place,
  pki,
  place,
  provider,
  TO,
} from "./fixture.ts";
import { exportTo, folder, Image, importFrom, queue, signer } from "./media-world.ts";

const { MediaManifest, SignedMessage } = lightferry.ferry.v1;
type Properties = lightferry.ferry.v1.MediaManifest.$Properties;

let at: Place;
let image: Image;
beforeEach(async () => {
  at = place();
  await queue(at, 200, 9_000);
  const dir = join(at.root, "original");
  mkdirSync(dir);
  await exportTo(at, dir);
  image = new Image(dir);
});
afterEach(() => at.remove());

/** Refused with this code, and nothing taken, begun or left behind. */
async function refuses(dir: string, code: string, more: object = {}): Promise<void> {
  await expect(importFrom(at, dir)).rejects.toMatchObject({ code, ...more });
  expect(at.inbox.delivered).toEqual([]);
  expect(at.arrivals()).toEqual([]);
  expect(readdirSync(join(at.rxState, "refused"))).toEqual([]);
  expect(readdirSync(join(at.rxState, "quarantine"))).toEqual([]);
  expect(at.rxEvents.all.at(-1)).toMatchObject({ type: "media.refused", code });
}

/** The manifest again with something else in it, signed by the real key or another. */
function resigned(change: Partial<Properties>, by = signer): Uint8Array {
  const { payload } = decodeCanonical(SignedMessage, image.manifest);
  const manifest = decodeCanonical(MediaManifest, payload);
  return writeManifest(by, { ...manifest, ...change });
}

function withManifest(bytes: Uint8Array): string {
  return image.onto(at, { [MANIFEST_NAME]: Buffer.from(bytes) });
}

describe("the manifest", () => {
  test("no single byte of it can be other, and none can be missing", async () => {
    const original = image.manifest;
    const verifier = {
      ...{ provider, sender: FROM, refused: () => undefined },
      ferryKey: (keyId: string, presented: readonly Uint8Array[], usedMs?: number) =>
        pki.store.keyDirectory().ferryKey(FROM, keyId, { presented, usedMs: usedMs ?? Date.now() }),
    };
    const read = (bytes: Uint8Array) => readManifest(verifier, bytes);
    expect(read(original).bundles).toHaveLength(2);
    const { payload, signature } = decodeCanonical(SignedMessage, original);
    // What lies behind the signature are certificates, which speak for themselves.
    const signed = original.indexOf(signature) + signature.length;
    expect(signed).toBeGreaterThan(payload.length);
    for (let index = 0; index < signed; index += 1) {
      const bytes = Buffer.from(original);
      bytes.writeUInt8(bytes.readUInt8(index) ^ (1 << (index % 8)), index);
      expect(() => read(bytes), `byte ${index}`).toThrow(GatewayError);
    }
    for (const length of [0, 1, 8, payload.length, original.length - 1]) {
      expect(() => read(original.subarray(0, length))).toThrow(GatewayError);
    }
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        expect(() => read(bytes)).toThrow(GatewayError);
      }),
    );
  });

  test("missing, damaged, of nobody or of a key that counts no more", async () => {
    await refuses(image.onto(at, { [MANIFEST_NAME]: undefined }), "media.manifest-missing");
    await refuses(withManifest(randomBytes(500)), "media.manifest-invalid");
    await refuses(withManifest(resigned({}, linkOf(namedKey()))), "media.signature-invalid");
    const forged = decodeCanonical(SignedMessage, image.manifest);
    forged.signature = Buffer.alloc(64, 7);
    await refuses(withManifest(encodeCanonical(SignedMessage, forged)), "media.signature-invalid");
    const denied = () => ({
      ...pki.store.keyDirectory(),
      ferryKey: (node: string, keyId: string) => {
        throw new GatewayError("certificate.revoked", { detail: `${node} ${keyId}` });
      },
    });
    await expect(
      importFrom(at, image.onto(at), { context: { keys: denied } }),
    ).rejects.toMatchObject({ code: "certificate.revoked" });
  });

  test("a key that ended long ago signs nothing, however far back its holder dates", async () => {
    const day = 86_400_000;
    const now = Date.now();
    const keyId = pki.rotate(FROM, "ferry", {
      notBeforeMs: now - 200 * day,
      notAfterMs: now - 60 * day,
    });
    const old = { keyId, key: pki.key(FROM, "ferry", now - 100 * day) };
    const dated = resigned({ createdMs: now - 100 * day }, { ...signer, active: () => old });
    await refuses(withManifest(dated), "certificate.expired");
  });

  test("for others, from others, of another lane, from the future", async () => {
    const wrong: readonly [Partial<Properties>, string][] = [
      [{ lane: "outbound" }, "media.wrong-party"],
      [{ sender: TO }, "media.wrong-party"],
      [{ receiver: FROM }, "media.wrong-party"],
      [{ receiverZone: "extranet" }, "media.wrong-party"],
      [{ createdMs: Date.now() + 3_600_000 }, "media.from-future"],
      [{ version: 2 }, "media.manifest-invalid"],
      [{ mediumId: randomBytes(8) }, "media.manifest-invalid"],
      [{ number: 0 }, "media.manifest-invalid"],
      [{ number: 3, previous: 3 }, "media.manifest-invalid"],
      [{ count: 3 }, "media.manifest-invalid"],
      [{ custodians: ["张\u202e三"] }, "media.manifest-invalid"],
      [{ custodians: Array(MAX_CUSTODIANS + 1).fill("a") }, "media.manifest-invalid"],
    ];
    for (const [change, code] of wrong) await refuses(withManifest(resigned(change)), code);
  });

  test("ten thousand entries are read, one more is not, and empty ones by the million never are", () => {
    const verifier = {
      ...{ provider, sender: FROM, refused: () => undefined },
      ferryKey: () => keys.ferry.key.publicKey,
    };
    const entry = () => ({
      ...{ bundleId: randomBytes(16), headerDigest: randomBytes(32), digest: randomBytes(32) },
      ...{ size: 2 ** 40, stream: `${LANE}/${FROM}/normal`, sequence: 2 ** 40 },
    });
    const full = Array.from({ length: MAX_BUNDLES }, entry);
    const made = resigned({ bundles: full, count: full.length });
    expect(made.length).toBeLessThan(MAX_MANIFEST_BYTES);
    expect(readManifest(verifier, made).bundles).toHaveLength(MAX_BUNDLES);
    const invalid = expect.objectContaining({ code: "media.manifest-invalid" });
    // Fields 12 (an entry of a manifest) and 4 (a certificate of a signed message), each empty.
    const over = Buffer.alloc(2 * (MAX_BUNDLES + 1), Buffer.from([0x62, 0x00]));
    const one = encodeCanonical(SignedMessage, { payload: over, keyId: "k" });
    const many = expect.objectContaining({ detail: "too many entries" });
    expect(() => readManifest(verifier, one)).toThrow(many);
    const bomb = Buffer.alloc(MAX_MANIFEST_BYTES - 100, Buffer.from([0x62, 0x00]));
    const crowd = Buffer.alloc(MAX_MANIFEST_BYTES - 100, Buffer.from([0x22, 0x00]));
    const wrapped = encodeCanonical(SignedMessage, { payload: bomb, keyId: "k" });
    const before = process.memoryUsage().heapUsed;
    expect(() => readManifest(verifier, wrapped)).toThrow(many);
    expect(() => readManifest(verifier, crowd)).toThrow(many);
    expect(() => readManifest(verifier, Buffer.alloc(MAX_MANIFEST_BYTES + 1))).toThrow(invalid);
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(64 << 20);
  });
});

describe("the files", () => {
  test("every region of a bundle, cut short, longer, missing, exchanged", async () => {
    const [one = "", two = ""] = image.bundles;
    const bytes = image.files.get(two) ?? Buffer.alloc(0);
    for (const place of [0, 5, 60, Math.floor(bytes.length / 2), bytes.length - 1]) {
      const bad = Buffer.from(bytes);
      bad.writeUInt8(bad.readUInt8(place) ^ 0x80, place);
      await refuses(image.onto(at, { [two]: bad }), "media.content-mismatch", {
        faults: [{ file: two, fault: "digest" }],
      });
    }
    await refuses(image.onto(at, { [two]: bytes.subarray(1) }), "media.content-mismatch", {
      faults: [{ file: two, fault: "size" }],
    });
    await refuses(
      image.onto(at, { [one]: undefined, [two]: Buffer.concat([bytes, bytes]) }),
      "media.content-mismatch",
      {
        faults: [
          { file: one, fault: "missing" },
          { file: two, fault: "size" },
        ],
      },
    );
    const other = image.files.get(one) ?? Buffer.alloc(0);
    await refuses(image.onto(at, { [one]: bytes, [two]: other }), "media.content-mismatch");
  });

  test("what is not named is foreign, whatever it is called; what systems leave is named and ignored", async () => {
    const foreign = [
      "autorun.inf",
      "readme.txt",
      "ffffffffffffffffffffffffffffffff.lfb",
      "a\u001b[2Jb",
      "-rf",
      "..lfb",
    ];
    for (const name of foreign) {
      const dir = image.onto(at, { [name]: Buffer.from("x") });
      await refuses(dir, "media.content-mismatch", {
        faults: [{ file: name.replace("\u001b", "?"), fault: "foreign" }],
      });
    }
    const nested = image.onto(at);
    folder(nested, "more");
    await refuses(nested, "media.content-mismatch");
    const dir = image.onto(at, { ".DS_Store": Buffer.from("x"), "._x.lfb": Buffer.from("x") });
    folder(dir, "System Volume Information");
    const report = await importFrom(at, dir);
    expect([...report.litter].sort()).toEqual(
      ["._x.lfb", ".DS_Store", "System Volume Information"].sort(),
    );
    expect(report.fates.accepted).toBe(2);
  });

  test("links, folders and pipes under the right names are not followed and do not wait", async () => {
    const [one = ""] = image.bundles;
    const outside = join(at.root, "outside.lfb");
    writeFileSync(outside, image.files.get(one) ?? "");
    const fault = { faults: [{ file: one, fault: "not-a-file" }] };
    const linked = image.onto(at, { [one]: undefined });
    symlinkSync(outside, join(linked, one));
    await refuses(linked, "media.content-mismatch", fault);
    const inside = image.onto(at, { [one]: undefined });
    folder(inside, one);
    await refuses(inside, "media.content-mismatch", fault);
    const piped = image.onto(at, { [one]: undefined });
    execFileSync("mkfifo", [join(piped, one)]);
    await refuses(piped, "media.content-mismatch", fault);
    const manifest = image.onto(at, { [MANIFEST_NAME]: undefined });
    writeFileSync(outside, image.manifest);
    symlinkSync(outside, join(manifest, MANIFEST_NAME));
    await refuses(manifest, "media.manifest-missing");
    const sheet = image.onto(at, { [SHEET_NAME]: undefined });
    symlinkSync("/etc/hostname", join(sheet, SHEET_NAME));
    expect((await importFrom(at, sheet)).fates.accepted).toBe(2);
    expect(existsSync(outside)).toBe(true);
  });

  test("a manifest that tells of its bundles what their headers do not say: put away, not delivered", async () => {
    const { payload } = decodeCanonical(SignedMessage, image.manifest);
    const { bundles } = decodeCanonical(MediaManifest, payload);
    const lied = bundles.map((entry, index) =>
      index === 0 ? { ...entry, sequence: 99_999 } : entry,
    );
    const report = await importFrom(at, withManifest(resigned({ bundles: lied })));
    expect(report.fates).toEqual({ accepted: 1, duplicate: 0, quarantined: 0, refused: 1 });
    expect(report.putAway).toMatchObject([{ code: "ferry.object-mismatch" }]);
    expect(readdirSync(join(at.rxState, "refused"))).toHaveLength(1);
  });

  test("bundles that their sender signed and no verdict permits: the inbox hears of them, so that the sender does", async () => {
    const strict = (): ReturnType<typeof pki.store.keyDirectory> => ({
      ...pki.store.keyDirectory(),
      policyKey: () => undefined,
    });
    const report = await importFrom(at, image.onto(at), { context: { keys: strict } });
    expect(report.fates).toMatchObject({ accepted: 0 });
    const code = "verdict.unknown-policy-key";
    expect([...at.inbox.refusedByFerry.values()]).toEqual([code, code]);
    expect(at.inbox.delivered).toEqual([]);
  });

  test("a bundle that no verdict permits, named as another one: nothing of that other is told", async () => {
    const strict = (): ReturnType<typeof pki.store.keyDirectory> => ({
      ...pki.store.keyDirectory(),
      policyKey: () => undefined,
    });
    const { payload } = decodeCanonical(SignedMessage, image.manifest);
    const { bundles } = decodeCanonical(MediaManifest, payload);
    const [one, two] = bundles;
    const lied = [
      { ...two, bundleId: one?.bundleId ?? null },
      { ...one, bundleId: two?.bundleId ?? null },
    ];
    const [first = "", second = ""] = image.bundles;
    const dir = image.onto(at, {
      [MANIFEST_NAME]: resigned({ bundles: lied }),
      [first]: image.files.get(second),
      [second]: image.files.get(first),
    });
    const report = await importFrom(at, dir, { context: { keys: strict } });
    expect(report.putAway.map(({ code }) => code)).toEqual([
      ...["ferry.object-mismatch", "ferry.object-mismatch"],
    ]);
    expect(at.inbox.refusedByFerry.size).toBe(0);
  });

  test("a sealing key that does not count: kept in quarantine, delivered by a later import once it does", async () => {
    const strict = (): ReturnType<typeof pki.store.keyDirectory> => ({
      ...pki.store.keyDirectory(),
      signKey: (node, keyId) => {
        throw new GatewayError("certificate.revoked", { detail: `${node} ${keyId}` });
      },
    });
    const report = await importFrom(at, image.onto(at), { context: { keys: strict } });
    expect(report.fates).toMatchObject({ accepted: 0, quarantined: 2 });
    expect(at.rxEvents.of("bundle.refused")[0]).toMatchObject({
      code: "certificate.revoked",
      attributes: { kept: "quarantine" },
    });
    const quarantine = join(at.rxState, "quarantine");
    expect(readdirSync(quarantine).sort()).toEqual([...image.bundles].sort());
    await queue(at, 30);
    const next = join(at.root, "next");
    mkdirSync(next);
    await exportTo(at, next);
    const later = await importFrom(at, next);
    expect(later).toMatchObject({ fromQuarantine: 2, fates: { accepted: 1 } });
    expect(at.inbox.delivered).toHaveLength(3);
    expect(readdirSync(quarantine)).toEqual([]);
    expect(at.arrivals()).toEqual([]);
  });

  test("a medium that shows the copy another content than the check: nothing is delivered", async () => {
    const [one = ""] = image.bundles;
    const dir = image.onto(at);
    let told = 0;
    const keysOf = () => {
      told += 1;
      return pki.store.keyDirectory();
    };
    const record = async (events: readonly { readonly type: string }[]) => {
      at.rxEvents.all.push(...(events as never[]));
    };
    const { Taker } = await import("../src/media/take.ts");
    const taker = await Taker.open({
      ...{ provider, lane: LANE, arrivalsDir: at.arrivalsDir, stateDir: at.rxState },
      ...{ inbox: at.inbox, events: { record }, signal: new AbortController().signal },
    });
    const swapping = {
      judgeAnew: async () => 0,
      take: (...args: Parameters<typeof taker.take>) => {
        const bad = Buffer.from(image.files.get(one) ?? "");
        bad.writeUInt8(bad.readUInt8(bad.length - 1) ^ 1, bad.length - 1);
        unlinkSync(join(dir, one));
        writeFileSync(join(dir, one), bad);
        return taker.take(...args);
      },
    };
    await expect(
      importFrom(at, dir, {
        context: { keys: keysOf },
        taking: { taker: swapping, events: { record } },
      }),
    ).rejects.toMatchObject({ code: "media.content-mismatch" });
    expect(told).toBeGreaterThan(0);
    expect(at.inbox.delivered).toEqual([]);
    expect(at.arrivals()).toEqual([]);
  });

  test("the same id under another manifest is refused also when the first was only begun", async () => {
    const down = at.inbox;
    down.down = true;
    const stop = new AbortController();
    const broken = importFrom(at, image.onto(at), { signal: stop.signal });
    await down.untilRefused(1);
    stop.abort(new GatewayError("rpc.cancelled"));
    await expect(broken).rejects.toThrow();
    down.down = false;
    await expect(
      importFrom(at, withManifest(resigned({ createdMs: Date.now() - 5 }))),
    ).rejects.toMatchObject({
      code: "media.id-reused",
    });
    expect((await importFrom(at, image.onto(at))).fates.accepted).toBe(2);
  });
});

test("refusals name every fault of a medium", () => {
  const faults = [
    { file: "a", fault: "missing" },
    { file: "b", fault: "foreign" },
  ] as const;
  expect(new MediumRefused(faults).detail).toBe("a: missing, 1 more");
});
