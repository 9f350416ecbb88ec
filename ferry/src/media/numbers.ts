/**
 * Guarantee: a number of a lane is given to one medium only, and the one before
 * it that a manifest names is of a medium that was finished.
 */
import { join } from "node:path";
import { GatewayError } from "@lightferry/proto/errors";
import { readState, replaceFile } from "../durable.ts";

/** In the state folder of ferry tx. */
const FILE = "media-numbers.json";

interface Numbers {
  /** Given to a medium, whether that was finished or not. */
  readonly given: number;
  /** Of the last one whose manifest was durable. */
  readonly finished: number;
}

type State = Record<string, Numbers>;

export class MediumNumbers {
  readonly #path: string;
  readonly #state: State;

  private constructor(path: string, state: State) {
    this.#path = path;
    this.#state = state;
  }

  /** @throws GatewayError `ferry.state-corrupt` */
  static async open(stateDir: string): Promise<MediumNumbers> {
    const path = join(stateDir, FILE);
    const state = (await readState(path)) ?? {};
    if (!isState(state)) throw new GatewayError("ferry.state-corrupt", { detail: path });
    return new MediumNumbers(path, { ...state });
  }

  /** The next number of a lane, durable before it is told, and the one of the medium finished last. */
  async next(lane: string): Promise<{ readonly number: number; readonly previous: number }> {
    const { given, finished } = this.#state[lane] ?? { given: 0, finished: 0 };
    this.#state[lane] = { given: given + 1, finished };
    await this.#save();
    return { number: given + 1, previous: finished };
  }

  /** The medium of that number is whole. */
  async finished(lane: string, number: number): Promise<void> {
    this.#state[lane] = { given: this.#state[lane]?.given ?? number, finished: number };
    await this.#save();
  }

  async #save(): Promise<void> {
    await replaceFile(this.#path, JSON.stringify(this.#state));
  }
}

function isState(value: unknown): value is State {
  return (
    typeof value === "object" &&
    value !== null &&
    Object.values(value).every(
      (of: Partial<Numbers> | null) =>
        Number.isSafeInteger(of?.given) && Number.isSafeInteger(of?.finished),
    )
  );
}
