/** Guarantee: finds every number an emitter skipped or used twice, whatever order the numbers come in. */
import type { Findings } from "./findings.ts";

/** Holes of one emitter that are kept open at once; a healthy emitter has none. */
const MAX_OPEN_HOLES = 10_000;

interface Numbers {
  next: number;
  /** Skipped numbers, [first, last], ascending. */
  holes: [number, number][];
}

export class EmitterNumbers {
  readonly #findings: Findings;
  readonly #emitters = new Map<string, Numbers>();

  constructor(findings: Findings) {
    this.#findings = findings;
  }

  seen(emitter: string, number: number, index: number): void {
    const numbers = this.#emitters.get(emitter) ?? { next: 1, holes: [] };
    this.#emitters.set(emitter, numbers);
    if (number === numbers.next) {
      numbers.next += 1;
      return;
    }
    if (number > numbers.next) {
      numbers.holes.push([numbers.next, number - 1]);
      numbers.next = number + 1;
      if (numbers.holes.length > MAX_OPEN_HOLES) this.#report(emitter, numbers.holes.splice(0, 1));
      return;
    }
    const at = numbers.holes.findIndex(([first, last]) => first <= number && number <= last);
    const hole = numbers.holes[at];
    if (hole === undefined) {
      this.#findings.add("emitter.duplicate", index, `${emitter} ${number}`);
      return;
    }
    const [first, last] = hole;
    const rest: [number, number][] = [
      [first, number - 1],
      [number + 1, last],
    ];
    numbers.holes.splice(at, 1, ...rest.filter(([from, to]) => from <= to));
  }

  finish(): void {
    for (const [emitter, { holes }] of this.#emitters) this.#report(emitter, holes);
  }

  #report(emitter: string, holes: readonly [number, number][]): void {
    for (const [first, last] of holes) {
      this.#findings.add("emitter.hole", first, emitter, last);
    }
  }
}
