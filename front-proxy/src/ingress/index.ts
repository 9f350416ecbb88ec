/**
 * Guarantee: the receiving side, from the arrivals folder to the target.
 *
 * ```
 * ferry-rx ─Deliver─▶ inbox/ ─▶ opening/ ─Decide─▶ delivery rows ─▶ dispatch/ ─▶ targets/
 * ```
 * See README.md of this folder.
 */

import { renewWithTrust } from "@lightferry/proto/service";
import type { FrontProxyContext, IngressDesk } from "../context.ts";
import { Spool } from "../payload/spool.ts";
import { findDelivery, listDeliveries } from "./deliveries.ts";
import { Dispatcher } from "./dispatch/dispatcher.ts";
import { describeFault } from "./failures.ts";
import { ReadyContents, VerifiedHeaders } from "./handoff.ts";
import { Acceptance } from "./inbox/accept.ts";
import { prepareDirs } from "./inbox/files.ts";
import { discardBundle, listQuarantine } from "./inbox/quarantine.ts";
import { Readmission } from "./inbox/readmit.ts";
import { recoverInbox } from "./inbox/recover.ts";
import { inboxBinding } from "./inbox/service.ts";
import { giveBackDelivery, retryDelivery } from "./interventions.ts";
import { LinkKeys } from "./keys/link-key.ts";
import { openOwnKeys } from "./keys/own-keys.ts";
import { KeyRetirement } from "./keys/retire.ts";
import { Opener } from "./opening/opener.ts";
import { removeOrphans, sweep } from "./sweep.ts";
import { TrustImports } from "./trust-imports.ts";
import { DEFAULT_TUNING, type IngressTuning, STAGING_LIMITS } from "./tuning.ts";
import { CheckpointWitness } from "./witness.ts";

export interface IngressHandle extends IngressDesk {
  /** Finishes what is under way; also called when the program closes. */
  stop(): Promise<void>;
}

/**
 * Starts the receiving side: recovers what a crash left, then answers and works.
 * @throws GatewayError `key.ring-missing`, `key.demo-in-production`, `config.invalid`, `sm.key-*`,
 * `database.unavailable`, `journal.full`.
 */
export async function startIngress(
  context: FrontProxyContext,
  tuning: IngressTuning = tuningOf(context),
): Promise<IngressHandle> {
  const { config, pool, shell } = context;
  const ring = openOwnKeys(context);
  renewWithTrust(shell, context.trust, ring);
  const dirs = await prepareDirs(config.arrivalsDir, config.inboxDir);
  const staging = await Spool.open(dirs.staging, STAGING_LIMITS);
  await removeOrphans(pool, staging);
  const headers = new VerifiedHeaders();
  const ready = new ReadyContents();
  const dispatcher = await Dispatcher.start({ context, staging, ready, tuning });
  const witness = new CheckpointWitness(context, tuning);
  const trustImports = new TrustImports(context, tuning);
  const retirement = new KeyRetirement({ context, ring });
  const onTakenIn = () => dispatcher.poke();
  const opener = new Opener(
    { context, inboxDir: dirs.inbox, staging, ring, trustImports, headers, ready, onTakenIn },
    dirs,
    tuning,
  );
  const acceptance = new Acceptance(context, dirs, (verified) => {
    headers.put(verified);
    opener.poke();
    witness.poke();
  });
  await recoverInbox(context, dirs, acceptance);
  const readmission = new Readmission(
    { context, dirs, acceptance, onReadmitted: () => opener.poke() },
    tuning,
  );
  const lookAfterKeys = () =>
    retirement.round(Date.now()).catch((error: unknown) => {
      shell.log.warn(describeFault(error), "decryption keys could not be looked after");
    });
  const sweepOnce = async () => {
    await sweep(context, dirs, staging, Date.now()).catch((error: unknown) => {
      shell.log.warn(describeFault(error), "retention could not be enforced");
    });
    await lookAfterKeys();
  };
  // At start, too: a key that is missing, or whose end was cut short, is not told in a minute only.
  let sweeping: Promise<void> = lookAfterKeys();
  const sweeper = setInterval(() => {
    sweeping = sweeping.then(sweepOnce);
    // Ordered deliveries also become ready by time alone.
    dispatcher.poke();
  }, tuning.sweepEveryMs);
  readmission.poke();
  opener.poke();
  witness.poke();
  dispatcher.poke();
  let stopping: Promise<void> | undefined;
  const stop = () => {
    stopping ??= (async () => {
      clearInterval(sweeper);
      await sweeping;
      await readmission.stop();
      await opener.stop();
      await Promise.all([dispatcher.stop(), witness.stop(), trustImports.stop()]);
      ring.close();
    })();
    return stopping;
  };
  shell.onClose(stop);
  return {
    bindings: [inboxBinding(acceptance, new LinkKeys({ context, ring }))],
    findDelivery: (exchangeId, caller) => findDelivery(pool, exchangeId, caller),
    listDeliveries: (filter) => listDeliveries(pool, filter),
    async retry(exchangeId, actor) {
      const state = await retryDelivery(context, exchangeId, actor);
      dispatcher.poke();
      return state;
    },
    listQuarantine: (bundleId) => listQuarantine({ context }, bundleId),
    async discard(which, reason, actor) {
      await discardBundle({ context, dirs, readmission }, which, reason, actor);
      // What was ordered behind its items waits for it no longer.
      dispatcher.poke();
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
