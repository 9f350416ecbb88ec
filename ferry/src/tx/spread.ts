/**
 * Guarantee: a pass goes by all links of the lane together, each run of groups by one of
 * them in proportion to their rates, and in the next pass by another one, so that what a dead link
 * swallowed comes again elsewhere (SPEC.md §11.2). A pass is over when it is on every link. Each link
 * has memory of its own: one that is slow keeps no other waiting.
 */
import { objectNumberOf } from "../object.ts";
import type { Emitter } from "./emit.ts";
import type { ShardMemory } from "./memory.ts";
import type { Pass, PassPart, Run } from "./pass.ts";
import type { ObjectFacts } from "./source.ts";

/** A link as far as passes are concerned. */
export interface SpreadLink {
  readonly emitter: Pick<Emitter, "send" | "wake">;
  /** Of the lane on this link. */
  readonly memory: ShardMemory;
  /** Wire bytes per second. */
  readonly rate: number;
}

/** Turns in which rates are kept in proportion: a link of a hundredth of the others still gets one. */
const MAX_TURNS = 128;

export class Spread {
  readonly #links: readonly SpreadLink[];
  /** Links in the order in which runs are given to them. */
  readonly #turns: readonly number[];

  /** @param links at least one, by their numbers */
  constructor(links: readonly SpreadLink[]) {
    this.#links = links;
    this.#turns = turnsOf(links.map(({ rate }) => rate));
  }

  /**
   * Sends one pass over an object.
   * @param pass how many passes are over
   * @param asked groups to send; none = all
   * @param passOn makes the part of the pass that goes by one link
   * @throws what stopped it on one link; the others are stopped too
   */
  async send(
    { objectId, geometry }: Pick<ObjectFacts, "objectId" | "geometry">,
    pass: number,
    asked: readonly Run[],
    passOn: (link: SpreadLink, part: PassPart) => Pass,
  ): Promise<void> {
    const all = asked.length === 0 ? [{ first: 0, count: geometry.groups }] : asked;
    const parts = this.byLink(all, geometry.blockGroups, objectNumberOf(objectId), pass);
    const open = { parts: parts.size };
    const passes: Pass[] = [];
    const sent = [...parts].map(([at, runs]) => {
      const link = this.#links[at] as SpreadLink;
      const one = passOn(link, { runs, open });
      passes.push(one);
      return link.emitter.send(one);
    });
    try {
      await Promise.all(sent);
    } catch (error) {
      for (const one of passes) one.stop(error);
      await Promise.allSettled(sent);
      throw error;
    }
  }

  /**
   * Which link carries what, by its place among the links.
   * @param most groups of a run, at most
   * @param turn number of the object: objects take turns as well
   */
  byLink(
    runs: readonly Run[],
    most: number,
    turn: number,
    pass: number,
  ): ReadonlyMap<number, readonly Run[]> {
    const links = this.#links.length;
    const turns = this.#turns.length;
    const round = turns * most;
    // What is left of each run behind whole rounds of whole blocks.
    const rest = runs.reduce((sum, { count }) => sum + (count % round), 0);
    const length = Math.min(most, Math.max(1, Math.ceil(rest / links)));
    const parts = new Map<number, Run[]>();
    let at = turn;
    const give = (run: Run): void => {
      const link = ((this.#turns[at % turns] as number) + pass) % links;
      const own = parts.get(link) ?? [];
      own.push(run);
      parts.set(link, own);
      at += 1;
    };
    for (const { first, count } of runs) {
      const whole = count - (count % round);
      for (let from = 0; from < whole; from += most) give({ first: first + from, count: most });
      for (const run of this.#even(first + whole, count - whole, length)) give(run);
    }
    return parts;
  }

  /**
   * Runs as even as can be, none longer than `length`. A whole round of them where they are no shorter than half of it
   * then, so that all links end together; shorter ones would stand less loss.
   */
  #even(first: number, count: number, length: number): Run[] {
    const least = Math.ceil(count / length);
    const round = this.#turns.length;
    const pieces = round <= Math.min(count, 2 * least) ? round : least;
    const start = (piece: number): number => Math.floor((piece * count) / pieces);
    return Array.from({ length: pieces }, (_, piece) => ({
      first: first + start(piece),
      count: start(piece + 1) - start(piece),
    }));
  }
}

/** Each link as often as its rate wants, evenly mixed. */
function turnsOf(rates: readonly number[]): readonly number[] {
  const least = Math.min(...rates);
  const sum = rates.reduce((total, rate) => total + rate, 0);
  const count = Math.min(MAX_TURNS, Math.round(sum / least));
  const had = rates.map(() => 0);
  return Array.from({ length: count }, (_, turn) => {
    // Who is furthest behind what is due to it.
    const due = rates.map((rate, at) => ((turn + 1) * rate) / sum - (had[at] as number));
    const next = due.indexOf(Math.max(...due));
    had[next] = (had[next] as number) + 1;
    return next;
  });
}
