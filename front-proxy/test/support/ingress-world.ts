/**
 * Guarantee: a receiving zone for tests with real parts: PostgreSQL, journal,
 * keystore, signed registry, bundles of the real sealer, verdicts that are
 * really signed. Only policy and audit are answered in-process.
 */
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type SealInput, type SealItem, sealBundle } from "@lightferry/proto/bundle";
import { encodeCanonical } from "@lightferry/proto/canonical";
import { GatewayError } from "@lightferry/proto/errors";
import { EventJournal } from "@lightferry/proto/event";
import { lightferry } from "@lightferry/proto/gen";
import { formatId, newId } from "@lightferry/proto/ids";
import { createVaultFile, PayloadVault } from "@lightferry/proto/keystore";
import { Registry, type RegistryDocument } from "@lightferry/proto/registry";
import { createLogger } from "@lightferry/proto/service";
import {
  domainSeparated,
  formatKeyId,
  loadProvider,
  type Sm2PrivateKey,
  type SmProvider,
} from "@lightferry/proto/sm";
import { testDatabase } from "@lightferry/proto/testing";
import { itemCommitment, signVerdictBatch } from "@lightferry/proto/verdict";
import type pg from "pg";
import type { TargetConfig } from "../../src/config.ts";
import type { FrontProxyContext } from "../../src/context.ts";
import { migrate, openPool } from "../../src/database.ts";
import type { Answer } from "../../src/ingress/inbox/accept.ts";
import { type IngressHandle, startIngress } from "../../src/ingress/index.ts";
import { DEFAULT_TUNING, type IngressTuning } from "../../src/ingress/tuning.ts";
import { TestTrust } from "./test-trust.ts";

const { Decision, Direction } = lightferry.policy.v1;
type Outcome = lightferry.policy.v1.Outcome.$Properties;
type DecideItem = lightferry.policy.v1.DecideItem.$Properties;

export const provider = loadProvider();
export const DAY_MS = 86_400_000;
export const QUICK: IngressTuning = {
  ...DEFAULT_TUNING,
  retryFirstMs: 5,
  retryLongestMs: 40,
  attempts: 6,
  faultPauseMs: 20,
};

export interface DraftItem {
  readonly content: Uint8Array;
  readonly entry?: lightferry.bundle.v1.ManifestEntry.$Properties;
  readonly verdict?: lightferry.policy.v1.Verdict.$Properties;
  readonly trail?: readonly Uint8Array[];
}

/** What a test seals otherwise; `by` signs, for keys that only their own provider can use. */
export type SealChange = Partial<SealInput> & { readonly by?: SmProvider };

export interface Delivered {
  readonly request: lightferry.ferry.v1.DeliverRequest.$Properties;
  readonly path: string;
  readonly exchangeIds: readonly Uint8Array[];
}

export interface World {
  readonly keys: Keys;
  readonly dirs: Record<"arrivals" | "inbox" | "drop", string>;
  readonly pool: pg.Pool;
  readonly events: lightferry.audit.v1.Event[];
  readonly trails: lightferry.audit.v1.PeerTrail.$Properties[];
  readonly witnessed: lightferry.audit.v1.WitnessRequest.$Properties[];
  readonly context: FrontProxyContext;
  /** What import policy says; permit by default. */
  decide: (item: DecideItem) => Outcome;
  /** Writes (statements and journal records) that still succeed; then every one fails, as after a crash. */
  writesLeft: number;
  /** Set: policy cannot be reached. */
  policyDown: boolean;
  ingress(): IngressHandle;
  start(targets: Record<string, TargetConfig>, tuning?: IngressTuning): Promise<void>;
  /** Ends the ingress and starts another on the same database and folders. */
  restart(targets: Record<string, TargetConfig>, tuning?: IngressTuning): Promise<void>;
  seal(drafts: readonly DraftItem[], change?: SealChange): Promise<Delivered>;
  deliver(request: Delivered["request"]): Promise<Answer>;
  /** Waits until the exchange is in one of these states. */
  until(exchangeId: Uint8Array, ...states: string[]): Promise<void>;
  close(): Promise<void>;
}

export async function createWorld(): Promise<World> {
  const dir = await mkdtemp(join(tmpdir(), "lf-ingress-"));
  const dirs = {
    arrivals: join(dir, "arrivals"),
    inbox: join(dir, "inbox"),
    drop: join(dir, "drop"),
  };
  await mkdir(dirs.arrivals);
  const database = await testDatabase();
  const pool = openPool(database.url, () => {});
  await migrate(pool);
  const keys = await createKeys(dir);
  const { trust } = keys;
  const registry = createRegistry();
  const log = createLogger({ name: "test" });
  log.level = process.env.LIGHTFERRY_LOG_LEVEL ?? "silent";
  const events: lightferry.audit.v1.Event[] = [];
  const trails: World["trails"] = [];
  const witnessed: World["witnessed"] = [];
  const journal = await EventJournal.open({
    dir: join(dir, "journal"),
    zone: "business",
    node: "node-business",
    emitter: "front-proxy",
    log,
    sink: {
      append: async (request) => {
        for (const bytes of request.events ?? [])
          events.push(lightferry.audit.v1.Event.decode(bytes));
        trails.push(...(request.peerTrails ?? []));
      },
    },
  });
  const closers: (() => Promise<void> | void)[] = [];
  let ingress: IngressHandle | undefined;
  const vault = PayloadVault.open(keys.vaultPath);
  const config = {
    zone: "business",
    node: "node-business",
    service: "front-proxy",
    mode: "demo",
    arrivalsDir: dirs.arrivals,
    inboxDir: dirs.inbox,
    encryptKeysDir: trust.pki.ringDir("node-business", "encrypt"),
    encryptKeyOverlapDays: 30,
    unlockPath: trust.pki.unlockPath("node-business", "encrypt"),
    targets: {},
    limits: {},
  };
  const world: World = {
    keys,
    dirs,
    pool,
    events,
    trails,
    witnessed,
    decide: () => ({ decision: Decision.DECISION_PERMIT }),
    policyDown: false,
    writesLeft: Number.POSITIVE_INFINITY,
    context: {
      shell: {
        config,
        log,
        journal: mortal(journal, () => world),
        provider,
        onClose: (close: () => void) => closers.push(close),
      },
      config,
      pool: mortal(pool, () => world),
      registry: () => registry,
      trust,
      trustService: { importTrust: trust.importTrust.bind(trust) },
      vault,
      policy: fakePolicy(keys, () => world),
      audit: {
        witness: async (request: lightferry.audit.v1.WitnessRequest.$Properties) => {
          witnessed.push(request);
          return { status: "recorded" };
        },
      },
    } as unknown as FrontProxyContext,
    ingress() {
      if (ingress === undefined) throw new Error("not started");
      return ingress;
    },
    async start(targets, tuning = QUICK) {
      const context = { ...world.context, config: { ...world.context.config, targets } };
      ingress = await startIngress(context, tuning);
    },
    async restart(targets, tuning = QUICK) {
      await ingress?.stop();
      await world.start(targets, tuning);
    },
    seal: (drafts, change = {}) => seal(keys, dirs.arrivals, drafts, change),
    async deliver(request) {
      const [binding] = world.ingress().bindings;
      const handler = binding?.handlers.deliver as (request: object) => Promise<Answer>;
      return handler(new lightferry.ferry.v1.DeliverRequest(request));
    },
    async until(exchangeId, ...states) {
      const deadline = Date.now() + 15_000;
      for (;;) {
        const found = await world.ingress().findDelivery(exchangeId);
        if (found !== undefined && states.includes(found.state)) return;
        if (Date.now() > deadline) throw new Error(`still ${JSON.stringify(found)}`);
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    },
    async close() {
      await ingress?.stop();
      await journal.close();
      await pool.end();
      await database.drop();
      await trust.pki.cleanup();
      await rm(dir, { recursive: true, force: true });
    },
  };
  return world;
}

const MORTAL = new Set(["query", "connect", "record", "recordPeerTrail"]);

/** The same object until the world has no writes left. */
function mortal<T extends object>(object: T, world: () => World): T {
  return new Proxy(object, {
    get(target, name) {
      const value = Reflect.get(target, name) as unknown;
      if (typeof value !== "function") return value;
      if (!MORTAL.has(String(name))) return value.bind(target);
      return async (...args: unknown[]) => {
        world().writesLeft -= 1;
        if (world().writesLeft < 0) throw Object.assign(new Error("gone"), { code: "57P01" });
        const result = await value.apply(target, args);
        return name === "connect" ? mortal(result as object, world) : result;
      };
    },
  });
}

/** Read anew each time: the keys in force change when the test's PKI does. */
export interface Keys {
  readonly trust: TestTrust;
  readonly vaultPath: string;
  readonly sign: Sm2PrivateKey;
  readonly exportPolicy: Sm2PrivateKey;
  readonly importPolicy: Sm2PrivateKey;
}

async function createKeys(dir: string): Promise<Keys> {
  const vaultPath = join(dir, "vault");
  createVaultFile(vaultPath);
  const trust = await TestTrust.make();
  const { pki } = trust;
  return {
    trust,
    vaultPath,
    get sign() {
      return pki.key("node-extranet", "sign");
    },
    get exportPolicy() {
      return pki.key("node-extranet", "policy");
    },
    get importPolicy() {
      return pki.key("node-business", "policy");
    },
  };
}

function createRegistry(): Registry {
  const node = (zone: string) => ({
    id: `node-${zone}`,
    zone,
    organisation: "org",
    licence: {
      number: "L1",
      notBeforeMs: 0,
      notAfterMs: 4e12,
      lanes: ["inbound"],
      gradeCeiling: "G3",
    },
  });
  const service = (id: string, kind: string) => ({
    id,
    zone: "business",
    kind,
    methods: kind === "request" ? ["POST"] : [],
    paths: kind === "request" ? ["/records/{id}"] : [],
    maxBytes: 1e9,
  });
  const document = {
    format: "lightferry-registry/1",
    number: 1,
    issuedMs: 1,
    demo: true,
    nodes: [node("extranet"), node("business")],
    lanes: [
      {
        id: "inbound",
        from: "extranet",
        to: "business",
        driver: "udp",
        state: "open",
        kinds: ["request", "file"],
        gradeCeiling: "G3",
        expirySeconds: 604_800,
        revocationFreshnessSeconds: 2_592_000,
        maxRequestBytes: 1e7,
        maxFileBytes: 1e9,
      },
    ],
    services: [service("registration", "request"), service("maps", "file")],
    callers: ["demo-caller", "desk"].map((id) => ({
      id,
      zone: id === "desk" ? "business" : "extranet",
      organisation: "org",
      certificateSha256: [],
    })),
    grants: [],
  } as unknown as RegistryDocument;
  const bytes = Buffer.from(canonicalJson(document));
  const authority = provider.generateSm2();
  const signature = provider.sm2Sign(authority, domainSeparated("registry/1", bytes));
  return Registry.load(provider, bytes, signature, authority.publicKey, { mode: "demo" });
}

function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const fields = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${fields.map(([k, v]) => `${JSON.stringify(k)}:${canonicalJson(v)}`).join(",")}}`;
}

/** Decides as the test says and signs import verdicts with the key that the registry names. */
function fakePolicy(keys: Keys, world: () => World) {
  const answer = (items: readonly DecideItem[]) => {
    if (world().policyDown) throw new GatewayError("rpc.unavailable");
    const outcomes = items.map((item) => world().decide(item));
    const signed = signVerdictBatch(
      provider,
      keys.importPolicy,
      { policyNode: "node-business", keyId: formatKeyId(keys.importPolicy.publicKey) },
      items.map((item, index) => ({
        verdictId: newId(),
        direction: Direction.DIRECTION_IMPORT,
        decision: outcomes[index]?.decision ?? Decision.DECISION_DENY,
        commitment: itemCommitment(
          provider,
          item.salt ?? new Uint8Array(),
          item.entry ?? new Uint8Array(),
        ),
        lane: item.lane ?? "",
        sender: item.sender ?? "",
        recipients: ["node-business"],
        grade: lightferry.policy.v1.Verdict.decode(item.exportVerdict ?? new Uint8Array()).grade,
        decidedMs: Date.now(),
        expiresMs: Date.now() + DAY_MS,
        policyVersion: "pack-1",
        ruleIds: ["import-permit"],
      })),
    );
    return {
      outcomes: outcomes.map((outcome, index) => ({ ...signed.items[index], ...outcome })),
      batch: signed.batch,
      policyVersion: "pack-1",
    };
  };
  return {
    decide: async (request: lightferry.policy.v1.DecideRequest.$Properties) =>
      answer((request.items ?? []) as DecideItem[]),
    async *decideStream(
      requests: AsyncIterable<lightferry.policy.v1.DecideStreamRequest.$Properties>,
    ) {
      let item: DecideItem = {};
      const hash = provider.createSm3();
      for await (const request of requests) {
        if (request.item) item = request.item as DecideItem;
        if (request.chunk) hash.update(request.chunk);
      }
      const { digest } = lightferry.bundle.v1.ManifestEntry.decode(item.entry ?? new Uint8Array());
      if (Buffer.compare(hash.digest(), digest) !== 0) throw new GatewayError("rpc.bad-message");
      yield { result: answer([item]) };
    },
  };
}

let sequence = 0;

async function seal(
  keys: Keys,
  arrivals: string,
  drafts: readonly DraftItem[],
  { by = provider, ...change }: SealChange,
): Promise<Delivered> {
  const signKey = change.signKey ?? keys.sign;
  const signKeyId = formatKeyId(signKey.publicKey);
  const now = Date.now();
  const prepared = drafts.map((draft, index) => {
    const exchangeId = draft.entry?.exchangeId ?? newId();
    const entry = encodeCanonical(lightferry.bundle.v1.ManifestEntry, {
      exchangeId,
      kind: "request",
      service: "registration",
      caller: "demo-caller",
      grant: "grant-1",
      grade: "G2",
      purpose: "test",
      ...(draft.entry?.file
        ? {}
        : {
            http: {
              method: "POST",
              path: `/records/${index}`,
              headers: [{ name: "content-type", value: "application/json" }],
            },
          }),
      size: draft.content.length,
      digest: provider.sm3(draft.content),
      submittedMs: now - 1_000,
      ...draft.entry,
    });
    const salt = provider.sm3(entry, Uint8Array.of(1));
    return { draft, exchangeId, entry, salt, commitment: itemCommitment(provider, salt, entry) };
  });
  const signed = signVerdictBatch(
    provider,
    keys.exportPolicy,
    { policyNode: "node-extranet", keyId: formatKeyId(keys.exportPolicy.publicKey) },
    prepared.map(({ draft, commitment }) => ({
      verdictId: newId(),
      direction: Direction.DIRECTION_EXPORT,
      decision: Decision.DECISION_PERMIT,
      commitment,
      lane: "inbound",
      sender: "node-extranet",
      recipients: ["node-business"],
      grade: "G2",
      decidedMs: now - 500,
      expiresMs: now + 7 * DAY_MS,
      policyVersion: "pack-1",
      ruleIds: ["permit"],
      ...draft.verdict,
    })),
  );
  sequence += 1;
  const bundleId = change.bundleId ?? newId();
  const path = join(arrivals, `${formatId(bundleId)}.${sequence}.lfb`);
  const { pki } = keys.trust;
  const store = pki.store;
  const encrypt = store.active("node-business", "encrypt", now);
  if (encrypt === undefined) throw new Error("no encryption certificate");
  const sealed = await sealBundle(
    by,
    {
      lane: "inbound",
      stream: "inbound/node-extranet/normal",
      sequence: 1,
      previousDigest: new Uint8Array(32).fill((change.sequence ?? 1) > 1 ? 1 : 0),
      sender: "node-extranet",
      signKey,
      signKeyId,
      createdMs: now - 200,
      expiresMs: now + 7 * DAY_MS,
      grade: "G2",
      recipients: [
        {
          nodeId: "node-business",
          keyId: encrypt.keyId,
          publicKey: encrypt.publicKey,
        },
      ],
      policyVersion: "pack-1",
      batches: [signed.batch],
      items: prepared.map(({ draft, entry, salt }, index): SealItem => {
        const proof = signed.items[index];
        if (proof === undefined) throw new Error("one verdict per item");
        return {
          salt,
          entry,
          trail: draft.trail ?? [],
          verdict: proof.verdict,
          batch: 0,
          leaf: proof.leaf,
          path: proof.path,
          async *content() {
            for (let at = 0; at < draft.content.length; at += 100_000) {
              yield draft.content.subarray(at, at + 100_000);
            }
          },
        };
      }),
      certificates: [
        ...store.chain(signKeyId),
        ...store.chain(formatKeyId(keys.exportPolicy.publicKey)).slice(0, 1),
      ],
      keys: store.keyDirectory(),
      ...change,
      bundleId,
    },
    path,
  );
  return {
    path,
    exchangeIds: prepared.map(({ exchangeId }) => exchangeId),
    request: {
      bundleId,
      file: path.slice(arrivals.length + 1),
      size: sealed.size,
      headerDigest: sealed.headerDigest,
      lane: "inbound",
      receivedMs: now,
    },
  };
}

/** Flips one bit of a file. */
export async function flipBit(path: string, at: number): Promise<void> {
  const bytes = await readFile(path);
  const index = at < 0 ? bytes.length + at : at;
  bytes[index] = (bytes[index] ?? 0) ^ 1;
  await writeFile(path, bytes);
}
