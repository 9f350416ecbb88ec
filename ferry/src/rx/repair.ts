/**
 * Guarantee: a group of which k shards are there lacks none, if need be with
 * bytes of good spans that are read back from the file. What false shards can
 * buy of it is bounded.
 */
import type { Geometry } from "../object.ts";
import type { Budget } from "./budget.ts";
import type { Group, Groups } from "./groups.ts";
import type { PartialFile } from "./partial.ts";
import type { Restorer } from "./restore.ts";
import type { Spans } from "./spans.ts";
import type { Store } from "./store.ts";

export interface RepairParts {
  readonly restorer: Restorer;
  readonly budget: Budget;
  readonly geometry: Geometry;
  readonly spans: Spans;
  readonly store: Store;
  readonly groups: Groups;
  readonly file: PartialFile | undefined;
  /** A group lacks nothing any more. */
  readonly complete: (group: number, held: Group) => void;
  /** Spans may be full. */
  readonly filled: () => void;
  readonly fault: (error: unknown) => void;
}

export class Repair {
  readonly #parts: RepairParts;
  /** Groups that were restored and then found to be wrong. */
  readonly #misled = new Set<number>();
  #stopped = false;

  constructor(parts: RepairParts) {
    this.#parts = parts;
  }

  /** Nothing is restored any more. */
  stop(): void {
    this.#stopped = true;
  }

  /** What was restored of a span may have been wrong. */
  mistrust(span: number): void {
    for (const group of this.#parts.groups.touching(span)) this.#misled.add(group);
  }

  /** Restores a group that has k shards, at once or when its bytes were read back. */
  restore(group: number, held: Group): void {
    const { restorer, geometry, spans, store, complete } = this.#parts;
    if (held.reading) return;
    if (this.#misled.has(group) && !restorer.mayRepeat()) return;
    const absent = restorer.restore(geometry, group, held, store);
    if (absent < 0) complete(group, held);
    else if (spans.isGood(absent)) this.#bring(group, held, absent);
  }

  /** Reads a good span back, then goes on restoring. */
  #bring(group: number, held: Group, span: number): void {
    const { file, spans, store, budget, groups, filled, fault } = this.#parts;
    if (file === undefined) return;
    held.reading = true;
    const bytes = budget.take(spans.length(span));
    const over = (): void => {
      held.reading = false;
      if (!this.#stopped && spans.isGood(span) && !store.has(span)) store.bring(span, bytes);
      else budget.give(bytes);
      if (this.#stopped || groups.peek(group) !== held) return;
      if (held.missing > 0 && held.parityCount >= held.missing) this.restore(group, held);
      filled();
    };
    file.read(spans.start(span), bytes).then(over, (error: unknown) => {
      held.reading = false;
      budget.give(bytes);
      fault(error);
    });
  }
}
