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
import { GatewayError } from "@lightferry/proto/errors";
import { lightferry } from "@lightferry/proto/gen";
import { newId } from "@lightferry/proto/ids";
import { formatKeyId, loadProvider, type Sm2PrivateKey } from "@lightferry/proto/sm";
import { testPki } from "@lightferry/proto/testing";
import type { KeyDirectory } from "@lightferry/proto/trust";
import { itemCommitment, signVerdictBatch } from "@lightferry/proto/verdict";
import type { EventSink, FerryEvent, Log } from "../src/events.ts";
import type { LinkSigner } from "../src/signed.ts";
import { Inbox } from "./inbox.ts";

export { Inbox } from "./inbox.ts";

const { ManifestEntry } = lightferry.bundle.v1;
const { Decision, Direction } = lightferry.policy.v1;
type LeasedBundle = lightferry.ferry.v1.LeasedBundle.$Properties;
type LeaseRequest = lightferry.ferry.v1.LeaseRequest.$Properties;
type AckRequest = lightferry.ferry.v1.AckRequest.$Properties;

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

type Named = Pick<LeasedBundle, "stream" | "sequence">;

/** The outbox of a front-proxy: leases, takes acknowledgements, gives stale leases out again, keeps what left. */
export class Outbox {
  /** Emitted and still to be had; a test takes out what is gone. */
  readonly kept = new Map<string, LeasedBundle>();
  /** Numbers that will never be sent. */
  readonly givenUp: Named[] = [];
  /** Who has asked for leases. */
  readonly askers = new Set<string>();
  readonly recalls: lightferry.ferry.v1.RecallRequest.$Properties[] = [];
  listings = 0;
  /** First passes are not acknowledged before this, and so no second one begins. */
  holding: Promise<void> = Promise.resolve();
  readonly acks: AckRequest[] = [];
  /** When each of them came, in monotonic milliseconds. */
  readonly ackedAt: number[] = [];
  #queue: LeasedBundle[] = [];
  readonly #leased = new Map<string, LeasedBundle>();
  /** Who has each lease. */
  readonly #holders = new Map<string, string>();
  #wake: (() => void)[] = [];
  #leases = 0;

  put(bundle: LeasedBundle): void {
    this.#queue.push(bundle);
    for (const wake of this.#wake.splice(0)) wake();
  }

  /** As after the time of all leases has run out, or of those of one worker. @returns how many */
  leaseAgain(worker?: string): number {
    const before = this.#leased.size;
    for (const [leaseId, bundle] of this.#leased) {
      if (worker !== undefined && this.#holders.get(leaseId) !== worker) continue;
      this.#queue.push(bundle);
      this.#leased.delete(leaseId);
    }
    for (const wake of this.#wake.splice(0)) wake();
    return before - this.#leased.size;
  }

  lease = async (
    request: LeaseRequest,
    options: { readonly signal?: AbortSignal } = {},
  ): Promise<lightferry.ferry.v1.LeaseResponse.$Properties> => {
    this.askers.add(request.worker ?? "");
    const mine = ({ stream }: LeasedBundle) => stream?.startsWith(`${request.lane}/`) === true;
    if (!this.#queue.some(mine)) {
      await new Promise<void>((resolve) => {
        this.#wake.push(resolve);
        options.signal?.addEventListener("abort", () => resolve());
        setTimeout(resolve, request.waitMs ?? 0).unref();
      });
    }
    if (options.signal?.aborted === true) throw new GatewayError("rpc.unavailable");
    const taken = this.#queue.filter(mine).slice(0, request.max ?? 1);
    this.#queue = this.#queue.filter((bundle) => !taken.includes(bundle));
    const bundles = taken.map((bundle) => {
      this.#leases += 1;
      const leased = { ...bundle, leaseId: `lease-${this.#leases}` };
      this.#leased.set(leased.leaseId, leased);
      this.#holders.set(leased.leaseId, request.worker ?? "");
      return leased;
    });
    return { bundles };
  };

  renew = async ({
    leaseIds,
  }: lightferry.ferry.v1.RenewRequest.$Properties): Promise<lightferry.ferry.v1.RenewResponse.$Properties> => {
    return { lost: (leaseIds ?? []).filter((leaseId) => !this.#leased.has(leaseId)) };
  };

  ack = async (request: AckRequest): Promise<object> => {
    if (request.passesDone === 1 && request.finished !== true) await this.holding;
    const leased = this.#leased.get(request.leaseId ?? "");
    if (leased === undefined) throw new GatewayError("outbox.lease-lost");
    leased.passesDone = request.passesDone ?? 0;
    const id = Buffer.from(leased.bundleId ?? []).toString("hex");
    if (request.refuseCode) this.kept.delete(id);
    else if (leased.passesDone > 0) this.kept.set(id, leased);
    if (request.finished === true || request.refuseCode) this.#leased.delete(request.leaseId ?? "");
    this.acks.push(request);
    this.ackedAt.push(performance.now());
    return {};
  };

  listEmitted = async (): Promise<lightferry.ferry.v1.ListEmittedResponse.$Properties> => {
    this.listings += 1;
    return { held: rangesOf(this.kept.values()), givenUp: rangesOf(this.givenUp), more: false };
  };

  recall = async (
    request: lightferry.ferry.v1.RecallRequest.$Properties,
  ): Promise<lightferry.ferry.v1.RecallResponse.$Properties> => {
    this.recalls.push(request);
    let [recalled, underWay] = [0, 0];
    const gone: Named[] = [];
    for (const { stream, ranges } of request.streams ?? []) {
      for (const { first, last } of ranges ?? []) {
        for (let sequence = first ?? 0; sequence <= (last ?? 0); sequence += 1) {
          const is = (one: LeasedBundle): boolean =>
            one.stream === stream && one.sequence === sequence;
          const found = [...this.kept.values()].find(is);
          if ([...this.#queue, ...this.#leased.values()].some(is)) underWay += 1;
          else if (found === undefined) gone.push({ stream: stream ?? "", sequence });
          else {
            recalled += 1;
            this.put({ ...found, repair: true });
          }
        }
      }
    }
    return { recalled, underWay, gone: rangesOf(gone) };
  };
}

/** One range for each number: enough for a test, and what the shortest page is. */
function rangesOf(bundles: Iterable<Named>): lightferry.ferry.v1.StreamRanges.$Properties[] {
  const byStream = Map.groupBy(bundles, ({ stream }) => stream ?? "");
  return [...byStream]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([stream, of]) => {
      const ranges: { first: number; last: number }[] = [];
      for (const { sequence } of of.toSorted((a, b) => (a.sequence ?? 0) - (b.sequence ?? 0))) {
        const number = sequence ?? 0;
        const last = ranges.at(-1);
        if (last?.last === number - 1) last.last = number;
        else ranges.push({ first: number, last: number });
      }
      return { stream, ranges };
    });
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
    inbox: new Inbox(arrivalsDir, takenDir),
    txEvents: new Events(),
    rxEvents: new Events(),
    seal: (content, priority, sealedAt) => sealInto(outboxDir, content, priority, sealedAt),
    sealed: (bundle) => readFileSync(join(outboxDir, bundle.file ?? "")),
    arrivals: () => readdirSync(arrivalsDir),
    remove: () => rmSync(root, { recursive: true, force: true }),
  };
}
