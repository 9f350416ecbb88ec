/**
 * Guarantee: the receiving side, from the arrivals folder to the target.
 *
 * ```
 * ferry-rx ─Deliver─▶ inbox/ ─▶ opening/ ─Decide─▶ delivery rows ─▶ dispatch/ ─▶ targets/
 * ```
 * See README.md of this folder.
 */
import { GatewayError } from "@lightferry/proto/errors";
import { loadKeyFile } from "@lightferry/proto/keystore";
import type { FrontProxyContext, IngressDesk } from "../context.ts";
import { Spool } from "../payload/spool.ts";
import { findDelivery, listDeliveries } from "./deliveries.ts";
import { Dispatcher } from "./dispatch/dispatcher.ts";
import { describeFault } from "./failures.ts";
import { ReadyContents, VerifiedHeaders } from "./handoff.ts";
import { Acceptance } from "./inbox/accept.ts";
import { prepareDirs } from "./inbox/files.ts";
import { recoverInbox } from "./inbox/recover.ts";
import { inboxBinding } from "./inbox/service.ts";
import { giveBackDelivery, retryDelivery } from "./interventions.ts";
import { Opener } from "./opening/opener.ts";
import { removeOrphans, sweep } from "./sweep.ts";
import { DEFAULT_TUNING, type IngressTuning, STAGING_LIMITS } from "./tuning.ts";
import { CheckpointWitness } from "./witness.ts";

export interface IngressHandle extends IngressDesk {
  /** Finishes what is under way; also called when the program closes. */
  stop(): Promise<void>;
}

/**
 * Starts the receiving side: recovers what a crash left, then answers and works.
 * @throws GatewayError `registry.demo-in-production`, `inbox.key-unregistered`, `config.invalid`,
 * `sm.key-*`, `database.unavailable`, `journal.full`.
 */
export async function startIngress(
  context: FrontProxyContext,
  tuning: IngressTuning = tuningOf(context),
): Promise<IngressHandle> {
  const { config, pool, shell } = context;
  const decryptKey = loadDecryptKey(context);
  const dirs = await prepareDirs(config.arrivalsDir, config.inboxDir);
  const staging = await Spool.open(dirs.staging, STAGING_LIMITS);
  await removeOrphans(pool, staging);
  const headers = new VerifiedHeaders();
  const ready = new ReadyContents();
  const dispatcher = await Dispatcher.start({ context, staging, ready, tuning });
  const witness = new CheckpointWitness(context, tuning);
  const onTakenIn = () => dispatcher.poke();
  const opener = new Opener(
    { context, inboxDir: dirs.inbox, staging, decryptKey, headers, ready, onTakenIn },
    dirs,
    tuning,
  );
  const acceptance = new Acceptance(context, dirs, (verified) => {
    headers.put(verified);
    opener.poke();
    witness.poke();
  });
  await recoverInbox(context, dirs, acceptance);
  let sweeping: Promise<void> = Promise.resolve();
  const sweeper = setInterval(() => {
    sweeping = sweep(context, dirs, staging, Date.now()).catch((error: unknown) => {
      shell.log.warn(describeFault(error), "retention could not be enforced");
    });
    // Ordered deliveries also become ready by time alone.
    dispatcher.poke();
  }, tuning.sweepEveryMs);
  opener.poke();
  witness.poke();
  dispatcher.poke();
  let stopping: Promise<void> | undefined;
  const stop = () => {
    stopping ??= (async () => {
      clearInterval(sweeper);
      await sweeping;
      await opener.stop();
      await Promise.all([dispatcher.stop(), witness.stop()]);
      decryptKey.destroy();
    })();
    return stopping;
  };
  shell.onClose(stop);
  return {
    bindings: [inboxBinding(acceptance)],
    findDelivery: (exchangeId, caller) => findDelivery(pool, exchangeId, caller),
    listDeliveries: (filter) => listDeliveries(pool, filter),
    async retry(exchangeId, actor) {
      const state = await retryDelivery(context, exchangeId, actor);
      dispatcher.poke();
      return state;
    },
    async giveBack(exchangeId, reason, actor) {
      const state = await giveBackDelivery(context, staging, exchangeId, reason, actor);
      dispatcher.poke();
      return state;
    },
    stop,
  };
}

function tuningOf({ config }: FrontProxyContext): IngressTuning {
  const { dispatchAttempts = DEFAULT_TUNING.attempts } = config.limits;
  return { ...DEFAULT_TUNING, attempts: dispatchAttempts };
}

function loadDecryptKey({ config, registry }: FrontProxyContext) {
  if (config.unlockPath === undefined) {
    throw new GatewayError("config.invalid", { detail: "unlockPath" });
  }
  const { key, keyId, demo } = loadKeyFile(
    config.encryptKeyPath,
    config.unlockPath,
    "node-encrypt",
  );
  if (demo && config.mode === "production") {
    key.destroy();
    throw new GatewayError("registry.demo-in-production", { detail: `key ${keyId}` });
  }
  // Opening with another key than the one senders know would quarantine everything that arrives.
  if (registry().keyDirectory().encryptKey(config.node)?.keyId !== keyId) {
    key.destroy();
    throw new GatewayError("inbox.key-unregistered", { detail: `key ${keyId}` });
  }
  return key;
}
