/**
 * Guarantee: a service always works with a trust store that it verified itself
 * against its own pinned root, never with an older one than before nor with an
 * older revocation list, and hears of a change (a revocation, a denial) as soon as policy knows of it.
 */
import { setTimeout as delay } from "node:timers/promises";
import { asGatewayError, GatewayError } from "../errors/index.ts";
import type { lightferry } from "../gen/index.js";
import type { Mode } from "../registry/index.ts";
import type { SmProvider } from "../sm/index.ts";
import { readTrustRoot } from "./root.ts";
import { TrustStore } from "./store.ts";

/** How long policy may hold a poll; nothing is lost when it ends without news. */
const WAIT_MS = 30_000;
/** Beyond the wait: an answer of 4 MiB that is read by a busy service. */
const ANSWER_MS = 10_000;
/** First and longest pause between tries; policy may start after its clients. */
const RETRY_FIRST_MS = 100;
const RETRY_LONGEST_MS = 2_000;

/** The one method of the policy client that is needed here. */
export interface TrustPeer {
  getTrust(
    request: lightferry.policy.v1.GetTrustRequest.$Properties,
    options?: { readonly deadlineMs?: number; readonly signal?: AbortSignal },
  ): Promise<lightferry.policy.v1.GetTrustResponse.$Properties>;
}

export interface TrustSource {
  /** The newest store that was verified; immutable. */
  current(): TrustStore;
  /** Runs after every change, until the signal ends the following. Exceptions go to `onError`. */
  changed(listener: (store: TrustStore) => void): void;
}

export interface FollowOptions {
  /** Ends the following. */
  readonly signal: AbortSignal;
  /** Hears of every failed try and of every set that was not taken; the present store stays. */
  readonly onError: (error: unknown) => void;
}

/**
 * Fetches the trust set of this zone, waiting for policy as long as it takes, then follows its
 * changes until the signal is aborted.
 * @throws GatewayError `certificate.*`, `config.invalid` when the pinned root cannot be used,
 *   and whatever policy's first answer is refused with; the abort's reason
 */
export async function followTrust(
  peer: TrustPeer,
  provider: SmProvider,
  config: { readonly rootPath: string; readonly mode: Mode },
  { signal, onError }: FollowOptions,
): Promise<TrustSource> {
  const root = readTrustRoot(config.rootPath);
  const build = (set: lightferry.policy.v1.TrustSet.$Properties): TrustStore =>
    TrustStore.build(provider, { root, set, mode: config.mode });
  const listeners: ((store: TrustStore) => void)[] = [];
  let current = await first(peer, build, signal);
  const take = (store: TrustStore): void => {
    current = store;
    for (const listener of listeners) {
      try {
        listener(store);
      } catch (error) {
        onError(error);
      }
    }
  };
  void follow(peer, build, () => current, take, { signal, onError });
  return {
    current: () => current,
    changed: (listener) => void listeners.push(listener),
  };
}

type Build = (set: lightferry.policy.v1.TrustSet.$Properties) => TrustStore;

async function first(peer: TrustPeer, build: Build, signal: AbortSignal): Promise<TrustStore> {
  for (let pause = RETRY_FIRST_MS; ; pause = Math.min(pause * 2, RETRY_LONGEST_MS)) {
    signal.throwIfAborted();
    try {
      const { trust } = await peer.getTrust({}, { signal });
      return build(trust ?? {});
    } catch (error) {
      if (signal.aborted || !isTransient(error)) throw error;
    }
    await delay(pause, undefined, { signal });
  }
}

async function follow(
  peer: TrustPeer,
  build: Build,
  current: () => TrustStore,
  take: (store: TrustStore) => void,
  { signal, onError }: FollowOptions,
): Promise<void> {
  let pause = RETRY_FIRST_MS;
  /** A set that could not be used is not asked for again and again. */
  let refused = 0;
  while (!signal.aborted) {
    try {
      const knownVersion = Math.max(current().version, refused);
      const { trust } = await peer.getTrust(
        { knownVersion, waitMs: WAIT_MS },
        { deadlineMs: WAIT_MS + ANSWER_MS, signal },
      );
      pause = RETRY_FIRST_MS;
      if (trust === null || trust === undefined) {
        // No news. The pause bounds what a policy that does not wait could cost.
        await rest(RETRY_FIRST_MS, signal);
        continue;
      }
      const offered = trust.version ?? 0;
      if (offered <= knownVersion) {
        // Policy's store was put back, and its clock with it: nothing of it is taken until it is ahead again.
        onError(new GatewayError("trust.stale", { detail: `version ${offered}` }));
        await rest(RETRY_LONGEST_MS, signal);
        continue;
      }
      try {
        const store = build(trust);
        refuseOlderLists(current(), store);
        const [rejected] = store.rejected;
        if (rejected !== undefined) onError(new GatewayError(rejected.code, rejected));
        take(store);
      } catch (error) {
        refused = offered;
        onError(error);
      }
    } catch (error) {
      if (signal.aborted) return;
      if (!isTransient(error) || pause >= RETRY_LONGEST_MS) onError(error);
      pause = Math.min(pause * 2, RETRY_LONGEST_MS);
      await rest(pause, signal);
    }
  }
}

/**
 * What was revoked stays so, whatever policy says later: a list never gives way to an older one or to none.
 * @throws GatewayError `trust.stale`
 */
function refuseOlderLists(present: TrustStore, offered: TrustStore): void {
  for (const { authorityKeyId, issuer, number } of present.revocationLists) {
    const list = offered.revocationLists.find((other) => other.authorityKeyId === authorityKeyId);
    if (list === undefined || list.number < number) {
      throw new GatewayError("trust.stale", { detail: `list ${number} of ${issuer}` });
    }
  }
}

/** Ends early, without a word, when the following ends. */
async function rest(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal }).catch(() => undefined);
}

function isTransient(error: unknown): boolean {
  const { code } = asGatewayError(error);
  return code === "rpc.unavailable" || code === "rpc.deadline" || code === "trust.busy";
}
