/**
 * Guarantee: a line that dies in the middle of a transfer, and a ferry that does, cost
 * no bundle: what they carried comes by the other line, once; which link it was is said,
 * and what the line took is what the receiver counts for that link, to the frame.
 */
import { setTimeout as delay } from "node:timers/promises";
import { FROM, LANE } from "../../test/world.ts";
import type { Cargo } from "../cargo.ts";
import { type Bundle, SETTLE_LIMIT_MS } from "../ferries.ts";
import { until } from "../wire/ends.ts";
import { Field, type Ground, type LinkPicture } from "./field.ts";
import { dataFrames, fullGoodput, SHARD_BYTES } from "./shares.ts";
import { allDelivered, type Delivery, limitMsOf, nameOf, seldom } from "./waits.ts";

const MIB = 1 << 20;
const SECOND_PASS_SECONDS = 2;
/** Behind the bulk, when one line is dead: half of them begin on it. */
const SHORT_BUNDLES = 12;
const SHORT_BYTES = 20_000;
/** By a lane that goes by the other line alone. */
const PINNED_LANE = "notices";
const PINNED_BUNDLES = 6;
/** Of the data of the first pass, when the line dies. */
const DEAD_FROM = 0.3;
/** Of all data, when the ferry is killed. */
const KILLED_AT = 0.5;
/** From here on goodput is counted: before, both ferries begin. */
const COUNTED_FROM = 0.1;
/** As many as two ferries that wait at the outbox lease with one call each. */
const PIECES = 64;
/** Silence of 2.6 s, and the picture of each second. */
const NAMED_LIMIT_MS = 30_000;
const SILENCE = "ferry.heartbeat-missed";

interface Named {
  /** Links of which silence is alarmed, in the receiver's picture. */
  readonly named: readonly number[];
  /** From the death to the alarm, by the receiver's own clock. */
  readonly alarmedAfterMs: number;
}

export interface LinkAccount {
  readonly link: number;
  /** Frames that the line took. */
  readonly injected: number;
  /** Frames that came to the receiver's socket and found no room. */
  readonly overruns: number;
  /** Frames that the receiver says it lost. */
  readonly reported: number;
}

export interface DeadLineReport extends Delivery, Named {
  readonly bundles: number;
  readonly accounts: readonly LinkAccount[];
}

export interface DeadFerryReport extends Delivery, Named {
  readonly bundles: number;
  /** Bundles that the dead ferry had leased and not finished. */
  readonly released: number;
  /** MB of bundle per second that came by each ferry before one died. */
  readonly goodput: readonly number[];
  /** Of both together to what both lines and the code allow. */
  readonly ratio: number;
  /** Bundles that the inbox had when it died. */
  readonly before: number;
}

/** The receiver names the silent link. */
async function namedSince(field: Field, link: number, deadMs: number): Promise<Named> {
  const silence = ({ alarms }: LinkPicture) => alarms.find(({ code }) => code === SILENCE);
  return await until(`link ${link} named`, NAMED_LIMIT_MS, () => {
    const silent = (field.picture()?.links ?? []).filter(silence);
    const dead = silent.find((one) => one.link === link);
    if (dead === undefined) return undefined;
    return {
      named: silent.map((one) => one.link),
      alarmedAfterMs: (silence(dead)?.sinceMs ?? Number.NaN) - deadMs,
    };
  });
}

/** What each line took and the receiver counts, when every frame numbered until this call is accounted for. */
async function accounts(
  field: Field,
  links: readonly number[],
  injected: ReadonlyMap<number, number>,
): Promise<readonly LinkAccount[]> {
  const now = Date.now();
  const sent = await until("the sender's picture", SETTLE_LIMIT_MS, () => {
    const picture = field.ferry(links);
    return picture !== undefined && picture.timeMs > now ? picture.links : undefined;
  });
  const counted = await until("the account of every link", SETTLE_LIMIT_MS, () => {
    const received = field.picture()?.links ?? [];
    const settled = sent.every(
      ({ link, nextFrame }) =>
        (received.find((one) => one.link === link)?.accounted.settled ?? 0) >= nextFrame,
    );
    return settled ? received : undefined;
  });
  return counted.map(({ link, received: { overruns = 0 }, accounted }) => ({
    ...{ link, injected: injected.get(link) ?? 0, overruns, reported: accounted.lost },
  }));
}

/** One lane over two lines, of which the second dies in the middle of the first pass, and one over the first line alone. */
export async function deadLine(
  cargo: Cargo,
  mebibytes: number,
  seed: number,
  ground: Ground,
): Promise<DeadLineReport> {
  const links = [0, 1];
  const dead = 1;
  const long = await cargo.seal(mebibytes * MIB, seed);
  const bundles: Bundle[] = [long];
  for (let short = 1; short <= SHORT_BUNDLES; short += 1) {
    bundles.push(await cargo.seal(SHORT_BYTES, seed + short, "normal"));
  }
  const pinned: Bundle[] = [];
  for (let count = 1; count <= PINNED_BUNDLES; count += 1) {
    pinned.push(await cargo.seal(SHORT_BYTES, seed + SHORT_BUNDLES + count, "normal", PINNED_LANE));
  }
  const limitMs = limitMsOf(mebibytes * MIB, ground);
  const field = await Field.start({
    ...ground,
    ferries: [links],
    lanes: [
      { lane: LANE, number: 0 },
      { lane: PINNED_LANE, number: 5, links: [0] },
    ],
    secondPassSeconds: SECOND_PASS_SECONDS,
  });
  try {
    const { outbox } = field.at;
    const died = Promise.withResolvers<void>();
    outbox.holding = died.promise;
    const line = field.line(dead);
    const came = line.count("data", dataFrames());
    field.put(long, cargo.folder);
    const enough = ((long.size ?? 0) / SHARD_BYTES / links.length) * DEAD_FROM;
    await seldom("the second line at work", limitMs, () => came() >= enough || undefined);
    line.die();
    const deadMs = Date.now();
    for (const bundle of pinned) field.put(bundle, cargo.folder);
    await until("the lane of the other line, by first passes", limitMs, () => {
      const came = new Set(field.at.inbox.delivered.map(nameOf));
      return pinned.every((bundle) => came.has(nameOf(bundle))) || undefined;
    });
    bundles.push(...pinned);
    // From here on second passes may begin: the dead line has no part in one that came.
    died.resolve();
    for (const short of bundles.slice(1, 1 + SHORT_BUNDLES)) field.put(short, cargo.folder);
    const named = await namedSince(field, dead, deadMs);
    await until(
      "the second pass of all",
      limitMs,
      () =>
        outbox.acks.filter((ack) => ack.finished === true).length >= bundles.length || undefined,
    );
    const delivery = await allDelivered(field, cargo, bundles, limitMs);
    // Mended: only what is heard of it again says how much it took.
    const injected = new Map([[dead, line.loseNoMore()]]);
    const settled = await accounts(field, links, injected);
    return { bundles: bundles.length, ...delivery, ...named, accounts: settled };
  } finally {
    await field.stop();
    for (const bundle of new Set([...bundles, ...pinned])) cargo.drop(bundle);
  }
}

/** Two ferries of one lane, each with a line of its own; one is killed in the middle. */
export async function deadFerry(
  cargo: Cargo,
  mebibytes: number,
  seed: number,
  ground: Ground,
  leaseMs: number,
): Promise<DeadFerryReport> {
  const ferries = [[4], [7]] as const;
  const [, victim] = ferries;
  const bytes = Math.ceil((mebibytes * MIB) / PIECES);
  const bundles: Bundle[] = [];
  for (let piece = 0; piece < PIECES; piece += 1) {
    bundles.push(await cargo.seal(bytes, seed + piece));
  }
  const limitMs = limitMsOf(mebibytes * MIB, ground);
  const field = await Field.start({ ...ground, ferries, secondPassSeconds: SECOND_PASS_SECONDS });
  try {
    const counts = ferries.map(([link]) => field.line(link).count("data", dataFrames()));
    const all = (mebibytes * MIB) / SHARD_BYTES;
    const past = (part: number) => () => {
      const now = { at: performance.now(), frames: counts.map((count) => count()) };
      const sum = now.frames.reduce((one, other) => one + other, 0);
      return sum >= all * part ? now : undefined;
    };
    const { inbox, outbox } = field.at;
    const died = Promise.withResolvers<void>();
    // Nothing is finished and its lease ended before the kill.
    outbox.holding = died.promise;
    await until(
      "both ferries at the outbox",
      limitMs,
      () => outbox.askers.size === ferries.length || undefined,
    );
    for (const bundle of bundles) field.put(bundle, cargo.folder);
    const from = await seldom("both ferries at work", limitMs, past(COUNTED_FROM));
    const to = await seldom("half of all", limitMs, past(KILLED_AT));
    await field.kill(victim);
    const deadMs = Date.now();
    died.resolve();
    const before = inbox.delivered.length;
    // Its leases run out.
    await delay(leaseMs);
    const released = outbox.leaseAgain(`${FROM}/${victim[0]}/ferry-tx`);
    const named = await namedSince(field, victim[0], deadMs);
    const delivery = await allDelivered(field, cargo, bundles, limitMs);
    const goodput = to.frames.map(
      (frames, at) =>
        (((frames - (from.frames[at] ?? 0)) * SHARD_BYTES) / (to.at - from.at)) * 1000,
    );
    const sum = goodput.reduce((one, other) => one + other, 0);
    return {
      ...{ bundles: bundles.length, ...delivery, ...named, before, released },
      goodput: goodput.map((one) => one / 1e6),
      ratio: sum / (ferries.length * fullGoodput(ground)),
    };
  } finally {
    await field.stop();
    for (const bundle of bundles) cargo.drop(bundle);
  }
}
