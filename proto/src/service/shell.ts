/**
 * Guarantee: a service ends once, in the reverse order of what it opened, with
 * an exit code that says whether it was asked to. Nothing is left half closed
 * for longer than a named time.
 *
 * starting → ready → closing (last opened first) → ended
 */
import type { EventJournal } from "../event/index.ts";
import type { SdfProvider, SmProvider } from "../sm/index.ts";
import type { BaseConfig } from "./config.ts";
import type { Logger } from "./logger.ts";

/** The supervisor kills after 10 s; ending a little earlier leaves a line in the log. */
const CLOSE_LIMIT_MS = 9_000;

export interface Shell<C extends BaseConfig = BaseConfig> {
  readonly config: C;
  readonly log: Logger;
  /** Record here before and after every effect. */
  readonly journal: EventJournal;
  /** Counts every signature and decryption before it happens (key-meter.ts). */
  readonly provider: SmProvider;
  /** The cipher machine, where the settings name one: its keys stand in for a key ring's. */
  readonly hsm?: SdfProvider | undefined;
  /** Aborted when the service begins to close: stops retries and long waits. */
  readonly closing: AbortSignal;
  /** Runs at the end, last registered first. */
  onClose(close: () => unknown): void;
  /** Says on stdout, in one line, that the service does its work; the supervisor waits for it. */
  ready(info?: Readonly<Record<string, unknown>>): void;
  /** A fault after which the service cannot go on: closes in order and exits with 1. */
  fail(error: unknown): void;
}

/** Ordered closing, separate from the shell so that it exists before the rest. */
export class Closer {
  readonly #closers: (() => unknown)[] = [];
  readonly #controller = new AbortController();
  #ending: Promise<void> | undefined;

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  add(close: () => unknown): void {
    this.#closers.push(close);
  }

  /** Closes everything once; later calls wait for the first. Faults are reported, not thrown. */
  close(onFault: (error: unknown) => void): Promise<void> {
    this.#ending ??= this.#run(onFault);
    return this.#ending;
  }

  async #run(onFault: (error: unknown) => void): Promise<void> {
    this.#controller.abort();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, CLOSE_LIMIT_MS);
    });
    const all = (async () => {
      for (let close = this.#closers.pop(); close !== undefined; close = this.#closers.pop()) {
        try {
          await close();
        } catch (error) {
          onFault(error);
        }
      }
    })();
    await Promise.race([all, late]);
    clearTimeout(timer);
  }
}
