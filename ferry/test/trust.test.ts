/** Guarantee tested: a ferry key counts by its certificates alone, wherever they come from, and as long as they say. */
import { randomBytes } from "node:crypto";
import { createSocket } from "node:dgram";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { GatewayError } from "@lightferry/proto/errors";
import { lightferry } from "@lightferry/proto/gen";
import type { KeyDirectory } from "@lightferry/proto/trust";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { DEFAULT_FRAME_SIZE, FRAME_HEADER, FRAME_TYPE, MIN_FRAME_SIZE } from "../src/frame.ts";
import type { Station } from "../src/rx/station.ts";
import {
  HEARTBEAT_LABEL,
  type LinkSigner,
  MANIFEST_LABEL,
  signMessage,
  verifyMessage,
} from "../src/signed.ts";
import type { Sender } from "../src/tx/sender.ts";
import { frame } from "./datagrams.ts";
import {
  digestOf,
  eventually,
  FROM,
  HOST,
  keys,
  LANE,
  type NamedKey,
  namedKey,
  type Place,
  pki,
  place,
  provider,
  SETTINGS,
  startSender,
  startStation,
} from "./fixture.ts";

let at: Place;
let station: Station | undefined;
let sender: Sender | undefined;
beforeEach(() => {
  at = place();
});
afterEach(async () => {
  await sender?.close();
  await station?.close();
  [sender, station] = [undefined, undefined];
  at.remove();
});

interface Picture {
  readonly rejected: Record<string, number>;
  readonly epoch: number;
  readonly bundles: { readonly quarantined: number; readonly refused: number };
}
const picture = () => station?.status() as Picture;

/** A sender that shows the certificates of its key. */
function shows(key: () => NamedKey): LinkSigner {
  return { provider, active: key, chain: (keyId) => pki.store.chain(keyId) };
}
/** Certificates begin on whole seconds: two of the same second have no newest. */
let begins = Math.floor(Date.now() / 1_000) * 1_000 - 3_600_000;
function rotated(): NamedKey {
  begins += 1_000;
  const keyId = pki.rotate(FROM, "ferry", { notBeforeMs: begins });
  return { keyId, key: pki.key(FROM, "ferry") };
}
/** @param secondPassMs when it is to bring something: longer than a heartbeat with certificates keeps waiting */
async function begin(
  known: () => KeyDirectory,
  signer: LinkSigner,
  { frameSize = 1456, secondPassMs = 1_500 } = {},
) {
  const started = await startStation(at, 0, known);
  station = started.station;
  sender = await startSender(at, started.port, { signer, frameSize, secondPassMs });
}
async function cross(count: number): Promise<void> {
  const bundle = await at.seal(randomBytes(20_000));
  at.outbox.put(bundle);
  await at.inbox.until(count);
  expect(digestOf(at.inbox.bytesOf(bundle))).toBe(digestOf(at.sealed(bundle)));
}

test("what a heartbeat with its chain measures: a frame at MTU 1500, some of the smallest", () => {
  const { Heartbeat } = lightferry.ferry.v1;
  const size = (streams: number, chain: boolean) => {
    const beat = {
      ...{ version: 1, sender: FROM, epoch: 2 ** 21 - 1, nextFrame: 2 ** 50, number: 2 ** 31 },
      ...{ timeMs: Date.now(), settings: SETTINGS },
      streams: Array.from({ length: streams }, (_, i) => ({
        stream: `${LANE}/${FROM}/urgent`,
        sequence: 2 ** 40 + i,
      })),
    };
    const signer = shows(() => keys.ferry);
    return signMessage(signer, HEARTBEAT_LABEL, Heartbeat, beat, chain).length;
  };
  expect(size(1, true) - size(1, false)).toBeGreaterThan(1_000);
  expect(size(8, false)).toBeLessThan(DEFAULT_FRAME_SIZE - FRAME_HEADER);
  expect(size(1, true)).toBeLessThan(DEFAULT_FRAME_SIZE - FRAME_HEADER);
  expect(Math.ceil(size(1, true) / (MIN_FRAME_SIZE - FRAME_HEADER - 8))).toBeLessThan(12);
});

describe.each([DEFAULT_FRAME_SIZE, MIN_FRAME_SIZE, 4_000])("frames of %i bytes", (frameSize) => {
  test("a key that the receiver never heard of counts by the chain that it brings", async () => {
    const before = pki.store.keyDirectory();
    const fresh = rotated();
    expect(before.ferryKey(FROM, fresh.keyId)).toBeUndefined();
    await begin(
      () => before,
      shows(() => fresh),
      { frameSize },
    );
    await cross(1);
    expect(picture().rejected).toEqual({});
  });
});

test("without its chain it does not count, nor with a chain that leads elsewhere", async () => {
  const before = pki.store.keyDirectory();
  const fresh = rotated();
  const elsewhere = { ...shows(() => fresh), chain: () => [pki.root, randomBytes(500)] };
  await begin(() => before, elsewhere, { secondPassMs: 50 });
  at.outbox.put(await at.seal(randomBytes(2_000)));
  await eventually(() => at.outbox.acks.some((ack) => ack.finished)).toBe(true);
  await eventually(() => Object.keys(picture().rejected)).toContain("manifest-unknown-key");
  expect(Object.keys(picture().rejected)).toContain("heartbeat-unknown-key");
  expect(picture().epoch).toBe(0);
  expect(at.inbox.delivered).toEqual([]);
});

test("a rotation under way: the next message is signed with the next key", async () => {
  const keysInTurn = [keys.ferry];
  await begin(
    () => pki.store.keyDirectory(),
    shows(() => keysInTurn.at(-1) as NamedKey),
  );
  await cross(1);
  keysInTurn.push(rotated());
  await cross(2);
});

test("no key in force: the sender is silent, says so, and goes on when there is one", async () => {
  let key: NamedKey | undefined;
  const signer = shows(() => {
    if (key === undefined) throw new GatewayError("certificate.unknown", { detail: FROM });
    return key;
  });
  await begin(() => pki.store.keyDirectory(), signer);
  await eventually(() => at.txEvents.of("service.impaired")).toMatchObject([
    { outcome: "error", code: "certificate.unknown", attributes: { work: "signing" } },
  ]);
  expect(picture().epoch).toBe(0);
  key = namedKey(pki.key(FROM, "ferry"));
  await cross(1);
  await eventually(() => at.txEvents.of("service.restored").length).toBe(1);
});

test("a compromised key is refused at once, counted and alarmed; its successor goes on", async () => {
  let key = rotated();
  await begin(
    () => pki.store.keyDirectory(),
    shows(() => key),
  );
  await cross(1);
  const stolen = key.keyId;
  pki.revoke(stolen, "keyCompromise");
  await eventually(() => picture().rejected["heartbeat-refused-key"] ?? 0).toBeGreaterThan(0);
  key = rotated();
  await cross(2);
  await station?.close();
  station = undefined;
  const alarms = at.rxEvents.of("gate.key-refused");
  expect(alarms.length).toBeGreaterThan(0);
  expect(alarms[0]).toMatchObject({
    outcome: "refused",
    code: "certificate.revoked",
    lane: LANE,
    attributes: { key: stolen, count: expect.stringMatching(/^[1-9][0-9]*$/) },
  });
});

test("a bundle under a revoked sealing key is kept in quarantine under its code", async () => {
  const bundle = await at.seal(randomBytes(2_000));
  let revoked = true;
  const strict: KeyDirectory = {
    ...pki.store.keyDirectory(),
    signKey: (node, keyId, usage) => {
      if (!revoked) return pki.store.keyDirectory().signKey(node, keyId, usage);
      throw new GatewayError("certificate.revoked", { detail: `${node} ${keyId}` });
    },
  };
  await begin(
    () => strict,
    shows(() => namedKey(pki.key(FROM, "ferry"))),
  );
  at.outbox.put(bundle);
  await eventually(() => picture().bundles.quarantined).toBe(1);
  expect(at.rxEvents.of("bundle.refused")).toMatchObject([
    {
      outcome: "refused",
      code: "certificate.revoked",
      bundleId: Buffer.from(bundle.bundleId ?? []),
      attributes: { kept: "quarantine" },
    },
  ]);
  const name = `${Buffer.from(bundle.bundleId ?? []).toString("hex")}.lfb`;
  expect(readdirSync(join(at.rxLane, "refused"))).toEqual([]);
  expect(digestOf(readFileSync(join(at.rxLane, "quarantine", name)))).toBe(
    digestOf(at.sealed(bundle)),
  );
  // A restart alone changes nothing; the officer's correction does, and survives one.
  await station?.close();
  revoked = false;
  const again = await startStation(at, 0, () => strict);
  station = again.station;
  await at.inbox.until(1);
  expect(digestOf(at.inbox.bytesOf(bundle))).toBe(digestOf(at.sealed(bundle)));
  await eventually(() => readdirSync(join(at.rxLane, "quarantine"))).toEqual([]);
});

test("a key that ended is refused, however far back its thief dates a heartbeat", async () => {
  const hour = 3_600_000;
  const started = await startStation(at, 0, () => pki.store.keyDirectory());
  station = started.station;
  const ended = { notBeforeMs: Date.now() - 800 * hour, notAfterMs: Date.now() - 48 * hour };
  const keyId = pki.rotate(FROM, "ferry", ended);
  const thief = { keyId, key: pki.key(FROM, "ferry", Date.now() - 100 * hour) };
  expect(namedKey(thief.key).keyId).toBe(keyId);
  const beat = {
    ...{ version: 1, sender: FROM, epoch: 9, nextFrame: 5, number: 1, streams: [] },
    ...{ timeMs: Date.now() - 100 * hour, settings: SETTINGS },
  };
  const signer = shows(() => thief);
  const bytes = signMessage(signer, HEARTBEAT_LABEL, lightferry.ferry.v1.Heartbeat, beat, true);
  const thrower = createSocket("udp4");
  thrower.send(frame({ type: FRAME_TYPE.HEARTBEAT, epoch: 9 }, bytes), started.port, HOST, () =>
    thrower.close(),
  );
  await eventually(() => picture().rejected).toEqual({ "heartbeat-refused-key": 1 });
  expect(picture().epoch).toBe(0);
});

test("what brings more certificates than a chain has is refused before they are read", () => {
  let asked = 0;
  const verifier = {
    ...{ provider, sender: FROM, refused: () => undefined },
    ferryKey: () => {
      asked += 1;
      return undefined;
    },
  };
  const { Heartbeat, ObjectManifest } = lightferry.ferry.v1;
  const crowd = (count: number): LinkSigner => ({
    ...{ provider, active: () => keys.ferry },
    chain: () => Array.from({ length: count }, () => randomBytes(2_000)),
  });
  const heard = (count: number) =>
    verifyMessage(
      verifier,
      HEARTBEAT_LABEL,
      Heartbeat,
      signMessage(crowd(count), HEARTBEAT_LABEL, Heartbeat, {}, true),
    );
  expect(heard(2)).toBe("unknown-key");
  expect(asked).toBe(1);
  expect(heard(3)).toBe("malformed");
  const manifest = signMessage(crowd(1), MANIFEST_LABEL, ObjectManifest, {}, true);
  expect(verifyMessage(verifier, MANIFEST_LABEL, ObjectManifest, manifest)).toBe("malformed");
  expect(asked).toBe(1);
});
