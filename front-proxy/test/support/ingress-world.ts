/**
 * Guarantee: a receiving zone for tests with real parts: PostgreSQL, journal,
 * keystore, signed registry, bundles of the real sealer, verdicts that are
 * really signed. Only policy and audit are answered in-process.
 */
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EventJournal } from "@lightferry/proto/event";
import { lightferry } from "@lightferry/proto/gen";
import { PayloadVault } from "@lightferry/proto/keystore";
import { createLogger } from "@lightferry/proto/service";
import type { DraftItem } from "@lightferry/proto/testing";
import type pg from "pg";
import type { TargetConfig } from "../../src/config.ts";
import type { FrontProxyContext } from "../../src/context.ts";
import { openPool } from "../../src/database.ts";
import type { Answer } from "../../src/ingress/inbox/accept.ts";
import { type IngressHandle, startIngress } from "../../src/ingress/index.ts";
import { DEFAULT_TUNING, type IngressTuning } from "../../src/ingress/tuning.ts";
import { createKeys, type Keys, provider, receiverRegistry } from "./ingress-keys.ts";
import { fakePolicy, type Mood } from "./ingress-policy.ts";
import { type Delivered, type SealChange, sealDrafts } from "./ingress-seal.ts";
import { CONNECT_MS, migratedDatabase } from "./migrated.ts";

const { Decision } = lightferry.policy.v1;
/** Tells a hang from a busy machine, and is over before the test is. */
const WAIT_MS = 30_000;
export const QUICK: IngressTuning = {
  ...DEFAULT_TUNING,
  retryFirstMs: 5,
  retryLongestMs: 40,
  attempts: 6,
  faultPauseMs: 20,
};

/** `decide`: permit by default. `policyDown` set: policy cannot be reached. */
export interface World extends Mood {
  readonly keys: Keys;
  readonly dirs: Record<"arrivals" | "inbox" | "drop", string>;
  readonly pool: pg.Pool;
  readonly events: lightferry.audit.v1.Event[];
  readonly trails: lightferry.audit.v1.PeerTrail.$Properties[];
  readonly witnessed: lightferry.audit.v1.WitnessRequest.$Properties[];
  readonly context: FrontProxyContext;
  /** Writes (statements and journal records) that still succeed; then every one fails, as after a crash. */
  writesLeft: number;
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
  const database = await migratedDatabase();
  const pool = openPool(database.url, () => undefined, CONNECT_MS);
  const keys = await createKeys(dir);
  const { trust } = keys;
  const registry = receiverRegistry();
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
    asked: 0,
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
    seal: (drafts, change = {}) => sealDrafts(keys, dirs.arrivals, drafts, change),
    async deliver(request) {
      const [binding] = world.ingress().bindings;
      const handler = binding?.handlers.deliver as (request: object) => Promise<Answer>;
      return handler(new lightferry.ferry.v1.DeliverRequest(request));
    },
    async until(exchangeId, ...states) {
      const deadline = Date.now() + WAIT_MS;
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
