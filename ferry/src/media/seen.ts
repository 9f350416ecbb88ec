/**
 * Guarantee: which media were taken, and of one that was begun which bundles are
 * over, is known after any crash; a medium is "seen before" only once all of it
 * is over.
 */
import { join } from "node:path";
import { GatewayError } from "@lightferry/proto/errors";
import { LineLog, readLines } from "../durable.ts";

/** In the state folder of ferry rx. */
const FILE = "media.log";

/** What became of a bundle. */
export type Fate = "accepted" | "duplicate" | "quarantined" | "refused";

export interface SeenMedium {
  /** Hex. */
  readonly medium: string;
  /** Hex of SM3 of its manifest file. */
  readonly digest: string;
  readonly sender: string;
  readonly lane: string;
  readonly number: number;
}

export interface Over {
  readonly fate: Fate;
  /** Why it was refused or is kept; empty otherwise. */
  readonly code: string;
}

interface Begun {
  readonly about: SeenMedium;
  /** By bundle id, hex. */
  readonly over: Map<string, Over>;
  finished: boolean;
}

type Line =
  | { readonly begun: SeenMedium }
  | { readonly over: Over & { readonly medium: string; readonly bundle: string } }
  | { readonly finished: string };

export class SeenMedia {
  readonly #media: Map<string, Begun>;
  readonly #log: LineLog | undefined;

  private constructor(media: Map<string, Begun>, log: LineLog | undefined) {
    this.#media = media;
    this.#log = log;
  }

  /** For looking only. @throws GatewayError `ferry.state-corrupt` */
  static async read(stateDir: string): Promise<SeenMedia> {
    return new SeenMedia(await load(join(stateDir, FILE)), undefined);
  }

  /** Needs the lock of the state folder. @throws GatewayError `ferry.state-corrupt` */
  static async open(stateDir: string): Promise<SeenMedia> {
    const path = join(stateDir, FILE);
    const media = await load(path);
    return new SeenMedia(media, await LineLog.create(path, snapshot(media)));
  }

  /**
   * @returns what is over of a medium that was begun; undefined for a new one
   * @throws GatewayError `media.seen-before`, `media.id-reused`
   */
  check({ medium, digest }: SeenMedium): ReadonlyMap<string, Over> | undefined {
    const known = this.#media.get(medium);
    if (known === undefined) return undefined;
    if (known.about.digest !== digest) {
      throw new GatewayError("media.id-reused", { detail: medium });
    }
    if (known.finished) throw new GatewayError("media.seen-before", { detail: medium });
    return known.over;
  }

  /** Numbers of this sender and lane that were begun or finished, ascending. */
  numbers(sender: string, lane: string): number[] {
    return [...this.#media.values()]
      .filter(({ about }) => about.sender === sender && about.lane === lane)
      .map(({ about }) => about.number)
      .sort((a, b) => a - b);
  }

  async begin(about: SeenMedium): Promise<void> {
    if (this.#media.has(about.medium)) return;
    await this.#append({ begun: about });
    this.#media.set(about.medium, { about, over: new Map(), finished: false });
  }

  async over(medium: string, bundle: string, over: Over): Promise<void> {
    await this.#append({ over: { medium, bundle, ...over } });
    this.#media.get(medium)?.over.set(bundle, over);
  }

  async finish(medium: string): Promise<void> {
    await this.#append({ finished: medium });
    const known = this.#media.get(medium);
    if (known !== undefined) known.finished = true;
  }

  async close(): Promise<void> {
    await this.#log?.close();
  }

  async #append(line: Line): Promise<void> {
    await this.#log?.append(line);
  }
}

async function load(path: string): Promise<Map<string, Begun>> {
  const media = new Map<string, Begun>();
  for (const line of (await readLines(path)) as Line[]) {
    if ("begun" in line) {
      media.set(line.begun.medium, { about: line.begun, over: new Map(), finished: false });
    } else if ("over" in line) {
      const { medium, bundle, fate, code } = line.over;
      media.get(medium)?.over.set(bundle, { fate, code });
    } else {
      const known = media.get(line.finished);
      if (known !== undefined) known.finished = true;
    }
  }
  return media;
}

/** Of a finished medium its bundles need not be known any more. */
function snapshot(media: ReadonlyMap<string, Begun>): Line[] {
  return [...media.values()].flatMap(({ about, over, finished }): Line[] => [
    { begun: about },
    ...(finished
      ? [{ finished: about.medium }]
      : [...over].map(([bundle, fate]) => ({
          over: { medium: about.medium, bundle, ...fate },
        }))),
  ]);
}
