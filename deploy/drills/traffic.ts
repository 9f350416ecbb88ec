/** Guarantee: requests go in without a pause for as long as a drill asks, and each that was accepted is remembered. */
import { setTimeout as delay } from "node:timers/promises";
import { submitRequest } from "./integrator.ts";
import type { RunningZones } from "./zones.ts";

/** Between two requests of a caller: with 8 of them some 80 a second in all, which leaves two cores room to answer operators. */
const PAUSE_MS = 100;

export class Traffic {
  readonly #zones: RunningZones;
  readonly #deadline: number;
  readonly #accepted: string[] = [];
  readonly #workers: Promise<void>[];
  #next = 0;
  #least = 0;
  #stopped = false;

  constructor(zones: RunningZones, callers: number, deadline: number) {
    this.#zones = zones;
    this.#deadline = deadline;
    this.#workers = Array.from({ length: callers }, () => this.#work());
  }

  /** Ids of the exchanges that were accepted so far. */
  get accepted(): readonly string[] {
    return this.#accepted;
  }

  /** Ends once at least `count` were accepted. @returns all ids. */
  async stop(count: number): Promise<readonly string[]> {
    this.#least = count;
    this.#stopped = true;
    await Promise.all(this.#workers);
    return this.#accepted;
  }

  async #work(): Promise<void> {
    while (!this.#stopped || this.#next < this.#least) {
      const number = this.#next++;
      const answer = await submitRequest(
        this.#zones.apis.extranet,
        "land-registration",
        "/records",
        `traffic-${number}`,
        { number, note: "drill" },
        this.#deadline,
      );
      if (answer.status !== 202) throw new RangeError(`request ${number}: ${answer.status}`);
      this.#accepted.push(String(answer.body.exchangeId));
      await delay(PAUSE_MS);
    }
  }
}
