/**
 * Guarantee: real sealed bundles, a working outbox and inbox, and the folders of
 * a link, for tests, drills and benches: nothing here needs a test runner.
 */
import { createHash, randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sealBundle } from "@lightferry/proto/bundle";
import { encodeCanonical } from "@lightferry/proto/canonical";
import { lightferry } from "@lightferry/proto/gen";
import { newId } from "@lightferry/proto/ids";
import { formatKeyId, loadProvider, type Sm2PrivateKey } from "@lightferry/proto/sm";
import { testPki } from "@lightferry/proto/testing";
import type { KeyDirectory } from "@lightferry/proto/trust";
import { itemCommitment, signVerdictBatch } from "@lightferry/proto/verdict";
import type { EventSink, FerryEvent, Log } from "../src/events.ts";
import type { LinkSigner } from "../src/signed.ts";
import { Inbox } from "./inbox.ts";
import { Outbox } from "./outbox.ts";

export { Inbox } from "./inbox.ts";
export { Outbox } from "./outbox.ts";

const { ManifestEntry } = lightferry.bundle.v1;
const { Decision, Direction } = lightferry.policy.v1;
type LeasedBundle = lightferry.ferry.v1.LeasedBundle.$Properties;

export const provider = loadProvider();
export const HOST = "127.0.0.1";
export const LANE = "inbound";
export const FROM = "node-extranet";
export const TO = "node-business";
/** What a sender of heartbeats was told of the link. */
export const SETTINGS = {
  lanes: [{ number: 0, lane: LANE }],
  ...{ frameSize: 1456, groupShards: 128, parityShards: 16 },
};
const DAY = 86_400_000;

export interface NamedKey {
  readonly key: Sm2PrivateKey;
  readonly keyId: string;
}

export function namedKey(key: Sm2PrivateKey = provider.generateSm2()): NamedKey {
  return { key, keyId: formatKeyId(key.publicKey) };
}

/** Root, CAs and certified keys of both nodes; some tests rotate and revoke. */
export const pki = await testPki({ zones: { extranet: FROM, business: TO } });

function certified(node: string, use: "sign" | "policy" | "ferry" | "encrypt"): NamedKey {
  return namedKey(pki.key(node, use));
}

/** Keys of the sending node and of the receiver. */
export const keys = {
  sign: certified(FROM, "sign"),
  policy: certified(FROM, "policy"),
  ferry: certified(FROM, "ferry"),
  to: certified(TO, "encrypt"),
};

export const directory: KeyDirectory = pki.store.keyDirectory();

/** A sender that signs with one key and shows no certificates. */
export function linkOf(key: NamedKey): LinkSigner {
  return { provider, active: () => key, chain: () => [] };
}

/** One that shows the certificates of its key, as the programs do. */
export function showing(key: NamedKey): LinkSigner {
  return { ...linkOf(key), chain: (keyId) => pki.store.chain(keyId) };
}

/** The receiving node, which signs tickets. */
export const far = showing(certified(TO, "ferry"));

export function digestOf(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** Content too large to be held whole. */
export interface LongContent {
  readonly size: number;
  readonly digest: Uint8Array;
  pieces(): Iterable<Uint8Array>;
}

/** Of each lane's stream: how many bundles, and the digest of the newest one's header. */
const streams = new Map<string, { sequence: number; previousDigest: Uint8Array }>();

/** By the sealer's clock. */
export interface SealedAt {
  readonly nowMs?: number;
  readonly livesMs?: number;
  readonly lane?: string;
}

/** Seals `content` as one item into `dir` and says what the outbox would lease. */
export async function sealInto(
  dir: string,
  given: Uint8Array | LongContent,
  priority = "normal",
  { nowMs: now = Date.now(), livesMs = 7 * DAY, lane = LANE }: SealedAt = {},
): Promise<LeasedBundle> {
  const content: LongContent =
    given instanceof Uint8Array
      ? { size: given.length, digest: provider.sm3(given), pieces: () => [given] }
      : given;
  const entry = encodeCanonical(ManifestEntry, {
    exchangeId: newId(),
    kind: "request",
    service: "registration",
    caller: "demo-caller",
    grant: "grant-1",
    grade: "G2",
    purpose: "test",
    http: { method: "POST", path: "/records/1", headers: [] },
    size: content.size,
    digest: content.digest,
    submittedMs: now - 1000,
  });
  const salt = randomBytes(32);
  const signed = signVerdictBatch(
    provider,
    keys.policy.key,
    { policyNode: FROM, keyId: keys.policy.keyId },
    [
      {
        verdictId: newId(),
        direction: Direction.DIRECTION_EXPORT,
        decision: Decision.DECISION_PERMIT,
        commitment: itemCommitment(provider, salt, entry),
        lane,
        sender: FROM,
        recipients: [TO],
        grade: "G2",
        decidedMs: now - 500,
        expiresMs: now + Math.max(DAY, livesMs),
        policyVersion: "pack-1",
        ruleIds: ["permit"],
      },
    ],
  );
  const proof = signed.items[0] as (typeof signed.items)[number];
  const stream = streams.get(lane) ?? { sequence: 0, previousDigest: new Uint8Array(32) };
  streams.set(lane, stream);
  stream.sequence += 1;
  const bundleId = newId(now);
  const name = `${Buffer.from(bundleId).toString("hex")}.lfb`;
  const path = join(dir, name);
  const sealed = await sealBundle(
    provider,
    {
      bundleId,
      lane,
      stream: `${lane}/${FROM}/normal`,
      sequence: stream.sequence,
      previousDigest: stream.previousDigest,
      sender: FROM,
      signKey: keys.sign.key,
      signKeyId: keys.sign.keyId,
      createdMs: now,
      expiresMs: now + livesMs,
      grade: "G2",
      recipients: [{ nodeId: TO, keyId: keys.to.keyId, publicKey: keys.to.key.publicKey }],
      policyVersion: "pack-1",
      batches: [signed.batch],
      items: [
        {
          salt,
          entry,
          trail: [],
          verdict: proof.verdict,
          batch: 0,
          leaf: proof.leaf,
          path: proof.path,
          content: async function* () {
            yield* content.pieces();
          },
        },
      ],
      keys: directory,
    },
    path,
  );
  stream.previousDigest = sealed.headerDigest;
  return {
    bundleId,
    file: name,
    size: sealed.size,
    headerDigest: sealed.headerDigest,
    stream: sealed.header.stream,
    sequence: sealed.header.sequence,
    priority,
    expiresMs: sealed.header.expiresMs,
    passesDone: 0,
  };
}

export class Events implements EventSink {
  readonly all: FerryEvent[] = [];

  record = async (events: FerryEvent[]): Promise<void> => {
    this.all.push(...events);
  };

  of(type: FerryEvent["type"]): FerryEvent[] {
    return this.all.filter((event) => event.type === type);
  }
}

export const quiet: Log = { info: () => undefined, warn: () => undefined, error: () => undefined };

export interface Place {
  readonly root: string;
  readonly outboxDir: string;
  readonly arrivalsDir: string;
  readonly takenDir: string;
  readonly txState: string;
  readonly rxState: string;
  /** The part of it that is of the lane. */
  readonly rxLane: string;
  readonly outbox: Outbox;
  readonly inbox: Inbox;
  readonly txEvents: Events;
  readonly rxEvents: Events;
  seal(
    content: Uint8Array | LongContent,
    priority?: string,
    sealedAt?: SealedAt,
  ): Promise<LeasedBundle>;
  sealed(bundle: LeasedBundle): Buffer;
  arrivals(): string[];
  remove(): void;
}

/** Folders and peers of one link. @param base where they are made */
export function place(base = tmpdir()): Place {
  const root = mkdtempSync(join(base, "lf-ferry-"));
  const dir = (name: string): string => {
    const path = join(root, name);
    mkdirSync(path, { recursive: true });
    return path;
  };
  const outboxDir = dir("outbox");
  const arrivalsDir = dir("arrivals");
  const takenDir = dir("taken");
  return {
    root,
    outboxDir,
    arrivalsDir,
    takenDir,
    txState: dir("tx"),
    rxState: dir("rx"),
    rxLane: join(root, "rx", "lanes", LANE),
    outbox: new Outbox(),
    inbox: new Inbox(arrivalsDir, takenDir, provider, keys.to.key),
    txEvents: new Events(),
    rxEvents: new Events(),
    seal: (content, priority, sealedAt) => sealInto(outboxDir, content, priority, sealedAt),
    sealed: (bundle) => readFileSync(join(outboxDir, bundle.file ?? "")),
    arrivals: () => readdirSync(arrivalsDir),
    remove: () => rmSync(root, { recursive: true, force: true }),
  };
}
