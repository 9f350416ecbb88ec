/**
 * Guarantee: one of the two ferry programs is killed (-9) at a random moment of
 * a transfer, again and again, and every object has been delivered, byte for
 * byte and once, by the time its second pass is over.
 *
 * count = kills of each program; a full run is 100 of either. Needs root.
 */
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { Cargo } from "./cargo.ts";
import { type Bundle, Ferries, type Side } from "./ferries.ts";
import { until } from "./wire/ends.ts";
import { makeLine } from "./wire/line.ts";
import { seeded } from "./wire/loss-model.ts";

export const FULL_COUNT = 100;
const BASE = "/dev/shm";
const MTU = 1500;
/** A pass takes most of a second: long enough for a kill to find it at work. */
const BYTES_PER_SECOND = 15e6;
const LONG_BYTES = 8_000_000;
const SHORT_BYTES = [900, 30_000, 1_500_000];
const SECOND_PASS_SECONDS = 1;
/** Within it the victim is killed: the first pass, and for the sender the second too. */
const KILL_WITHIN_MS = { rx: 1_200, tx: 2_600 } as const;
/** Both passes, and a restart on a machine that does much else. */
const ROUND_LIMIT_MS = 90_000;
/** After the last frame: hashing, syncing and the inbox. */
const FINISH_LIMIT_MS = 20_000;

export interface KillReport {
  readonly victim: Side;
  readonly kills: number;
  readonly bundles: number;
  /** Kills before the round's objects were all delivered. */
  readonly duringTransfer: number;
  /** Objects not there, or not byte for byte, after their second pass. Must be empty. */
  readonly missing: readonly string[];
  /** Objects that the inbox took twice. Must be empty. */
  readonly twice: readonly string[];
  /** How often a receiver that had died in between offered again what the inbox had: refused by it. */
  readonly offeredAgain: number;
}

const nameOf = (bundle: { readonly bundleId?: Uint8Array | null | undefined }): string =>
  Buffer.from(bundle.bundleId ?? []).toString("hex");

/** @returns whether the kill came before all had been delivered */
async function round(
  ferries: Ferries,
  victim: Side,
  afterMs: number,
  bundles: readonly Bundle[],
  cargo: Cargo,
): Promise<boolean> {
  const { inbox, outbox } = ferries.at;
  const delivered = () => {
    const names = new Set(inbox.delivered.map(nameOf));
    return bundles.every((bundle) => names.has(nameOf(bundle)));
  };
  const finishedBefore = outbox.acks.filter((ack) => ack.finished === true).length;
  const back = Promise.withResolvers<void>();
  // A frame that finds no receiver is gone, so second passes begin when it is back; a sender goes on where its
  // journal says, in either pass.
  if (victim === "rx") outbox.holding = back.promise;
  for (const bundle of bundles) ferries.put(bundle, cargo.folder);
  await delay(afterMs);
  const during = !delivered();
  await ferries.kill(victim);
  if (victim === "tx") await outbox.leaseAgainAfterDeath();
  await ferries.run(victim);
  back.resolve();
  const finished = () =>
    outbox.acks.filter((ack) => ack.finished === true).length >= finishedBefore + bundles.length
      ? true
      : undefined;
  await until("the second pass of all", ROUND_LIMIT_MS, finished);
  await until("delivery", FINISH_LIMIT_MS, () => (delivered() ? true : undefined)).catch(
    () => undefined,
  );
  return during;
}

async function killAgainAndAgain(victim: Side, kills: number, seed: number): Promise<KillReport> {
  const chance = seeded(seed);
  const cargo = new Cargo(BASE);
  const line = makeLine({ mtu: MTU, frames: "together", middle: false });
  let ferries: Ferries | undefined;
  try {
    // A receiver that was away hashes until it hears the key again: both ways of checking have their share.
    const settings = { rate: BYTES_PER_SECOND, mtu: MTU, base: BASE, tags: true };
    ferries = await Ferries.start(line, { ...settings, secondPassSeconds: SECOND_PASS_SECONDS });
    const { inbox, takenDir } = ferries.at;
    const missing: string[] = [];
    let [bundles, duringTransfer] = [0, 0];
    for (let kill = 0; kill < kills; kill += 1) {
      const load = [await cargo.seal(LONG_BYTES, seed + bundles, "bulk")];
      for (const size of SHORT_BYTES) {
        load.push(await cargo.seal(size, seed + bundles + load.length, "normal"));
      }
      bundles += load.length;
      const during = await round(ferries, victim, chance() * KILL_WITHIN_MS[victim], load, cargo);
      if (during) duringTransfer += 1;
      for (const bundle of load) {
        const path = join(takenDir, bundle.file ?? "");
        if (!(await cargo.isWhole(bundle, path).catch(() => false))) missing.push(nameOf(bundle));
        cargo.drop(bundle);
      }
    }
    const counts = new Map<string, number>();
    for (const name of inbox.delivered.map(nameOf)) counts.set(name, (counts.get(name) ?? 0) + 1);
    return {
      ...{ victim, kills, bundles, duringTransfer, missing },
      twice: [...counts].filter(([, count]) => count > 1).map(([name]) => name),
      offeredAgain: inbox.answers.filter((answer) => answer === "duplicate").length,
    };
  } finally {
    await ferries?.stop();
    line.remove();
    cargo.remove();
  }
}

export async function drill(options: {
  readonly count: number;
  readonly seed: number;
}): Promise<readonly KillReport[]> {
  return [
    await killAgainAndAgain("tx", options.count, options.seed),
    await killAgainAndAgain("rx", options.count, options.seed + 1),
  ];
}
