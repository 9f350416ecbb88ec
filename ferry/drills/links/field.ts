/**
 * Guarantee: several lines between the same ends, one receiver for all of them and one
 * ferry or several, each a real program with links of its own; their settings are
 * those of one link with the lists of lanes and links in place of it.
 */
import { linkSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Peers, startPeers } from "../../test/peers.ts";
import { type Program, startProgram } from "../../test/program.ts";
import { LANE, type Place, place } from "../../test/world.ts";
import { type Bundle, PORT, RECEIVE_BUFFER, START_LIMIT_MS } from "../ferries.ts";
import { endsWithUs, removedWithUs, until } from "../wire/ends.ts";
import { type Line, makeLine } from "../wire/line.ts";
import { inNamespace, whileInNamespace } from "../wire/namespaces.ts";

export const MTU = 1500;
/** Memory, so that the lines and not the disk are what is seen. */
export const BASE = "/dev/shm";

/** Every line of a field. */
export interface Ground {
  /** Bits per second, at which the link is paced. */
  readonly lineBits: number;
  /** Shaped to that as well; else as fast as the machine. */
  readonly shaped: boolean;
}

export interface LaneSettings {
  readonly lane: string;
  readonly number: number;
  readonly weight?: number;
  /** A cap in wire bytes per second. */
  readonly rateBytesPerSecond?: number;
  /** All of them when absent. */
  readonly links?: readonly number[];
}

export interface FieldOptions extends Ground {
  /** Numbers of the links of each ferry; every link has a line. */
  readonly ferries: readonly (readonly number[])[];
  readonly lanes?: readonly LaneSettings[];
  readonly secondPassSeconds: number;
}

/** What a drill reads of a link in the receiver's picture. */
export interface LinkPicture {
  readonly link: number;
  readonly epoch: number;
  readonly received: { readonly overruns?: number };
  readonly accounted: { readonly settled: number; readonly lost: number };
  readonly heartbeat: { readonly count: number; readonly silent: boolean };
  readonly alarms: readonly { readonly code: string; readonly sinceMs: number }[];
}

export interface FieldPicture {
  readonly links: readonly LinkPicture[];
  readonly lanes: readonly { readonly lane: string; readonly gaps: readonly unknown[] }[];
}

/** Of a ferry's picture. */
export interface FerryPicture {
  readonly timeMs: number;
  readonly links: readonly { readonly link: number; readonly nextFrame: number }[];
}

type Json = Record<string, unknown> & { readonly gate: Record<string, unknown> };
interface Running extends Program {
  ended(): void;
}

/** A line for each link, all between the same two ends. */
function makeLines(links: readonly number[], { lineBits, shaped }: Ground): Map<number, Line> {
  const lines = new Map<number, Line>();
  let beside: Line | undefined;
  try {
    for (const link of links) {
      beside = makeLine({
        ...{ mtu: MTU, frames: "single", middle: false },
        ...(shaped ? { bitsPerSecond: lineBits } : {}),
        ...(beside === undefined ? {} : { beside }),
      });
      lines.set(link, beside);
    }
  } catch (error) {
    for (const line of lines.values()) line.remove();
    throw error;
  }
  return lines;
}

export class Field {
  readonly at: Place;
  /** By the number of the link. */
  readonly lines: ReadonlyMap<number, Line>;
  readonly #options: FieldOptions;
  readonly #peers: Peers;
  readonly #running = new Map<string, Running>();

  private constructor(
    options: FieldOptions,
    lines: ReadonlyMap<number, Line>,
    at: Place,
    peers: Peers,
  ) {
    this.#options = options;
    this.lines = lines;
    this.at = at;
    this.#peers = peers;
  }

  /** All programs, up and in touch on every link. */
  static async start(options: FieldOptions): Promise<Field> {
    const lines = makeLines(options.ferries.flat(), options);
    const [{ tx, rx }] = [...lines.values()] as [Line];
    const at = place(BASE);
    removedWithUs(at.root);
    const peers = await startPeers(
      at,
      {
        secondPassSeconds: options.secondPassSeconds,
        receiveBufferBytes: RECEIVE_BUFFER,
        lanes: lanesOf(options).map(({ lane }) => lane),
      },
      (zone, open) => whileInNamespace(zone === "extranet" ? tx.namespace : rx.namespace, open),
    );
    const field = new Field(options, lines, at, peers);
    try {
      // The receiver first: what is sent before it listens is lost and counted.
      await field.#run("rx", rx.namespace, field.#rxConfig());
      for (const links of options.ferries) {
        await field.#run(nameOf(links), tx.namespace, field.#txConfig(links));
      }
      await until("a heartbeat heard on every link", START_LIMIT_MS, () =>
        field.picture()?.links.every(({ epoch, heartbeat }) => epoch > 0 && heartbeat.count > 0)
          ? true
          : undefined,
      );
      return field;
    } catch (error) {
      await field.stop();
      throw error;
    }
  }

  line(link: number): Line {
    const line = this.lines.get(link);
    if (line === undefined) throw new RangeError(`no link ${link}`);
    return line;
  }

  /** Hands a bundle of another folder of the same file system to the outbox. */
  put(bundle: Bundle, from: string): void {
    const file = bundle.file ?? "";
    linkSync(join(from, file), join(this.at.outboxDir, file));
    this.at.outbox.put(bundle);
  }

  /** `kill -9`. @param links of the ferry */
  async kill(links: readonly number[]): Promise<void> {
    await this.#end(nameOf(links));
  }

  /** What the receiver says of itself now. */
  picture(): FieldPicture | undefined {
    return read<FieldPicture>(this.at.rxState);
  }

  /** What a ferry says of itself now. */
  ferry(links: readonly number[]): FerryPicture | undefined {
    return read<FerryPicture>(this.#state(links));
  }

  async stop(): Promise<void> {
    for (const name of [...this.#running.keys()]) await this.#end(name);
    await this.#peers.close();
    this.at.remove();
    for (const line of [...this.lines.values()].reverse()) line.remove();
  }

  async #run(name: string, namespace: string, config: string): Promise<void> {
    const role = name === "rx" ? "rx" : "tx";
    const program = await inNamespace(namespace, () => startProgram(role, config));
    this.#running.set(name, { ...program, ended: endsWithUs(program.pid) });
  }

  async #end(name: string): Promise<void> {
    const program = this.#running.get(name);
    if (program === undefined) throw new RangeError(`${name} is not running`);
    this.#running.delete(name);
    await program.end("SIGKILL");
    program.ended();
  }

  #state(links: readonly number[]): string {
    return join(this.at.root, nameOf(links));
  }

  #address(link: number) {
    return { link, host: this.line(link).rxAddress, port: PORT };
  }

  #txConfig(links: readonly number[]): string {
    const rateBytesPerSecond = Math.floor(this.#options.lineBits / 8);
    const path = this.#peers.txConfig(PORT);
    return changed(path, nameOf(links), ({ lane: _, gate, ...rest }) => {
      const { host, port, rateBytesPerSecond: one, socket, ...all } = gate;
      return {
        ...rest,
        stateDir: this.#state(links),
        lanes: lanesOf(this.#options),
        gate: {
          ...all,
          links: links.map((link) => ({ ...this.#address(link), rateBytesPerSecond })),
        },
      };
    });
  }

  #rxConfig(): string {
    return changed(this.#peers.rxConfig(PORT), "rx", ({ lane: _, gate, ...rest }) => {
      const { host, port, ...all } = gate;
      const lanes = lanesOf(this.#options).map(({ lane, number, links }) => {
        return { lane, number, links };
      });
      const links = [...this.lines.keys()].map((link) => this.#address(link));
      return { ...rest, lanes, gate: { ...all, links } };
    });
  }
}

function lanesOf({ lanes }: FieldOptions): readonly LaneSettings[] {
  return lanes ?? [{ lane: LANE, number: 0 }];
}

/** Of a ferry: its program, its settings and the folder of its state. */
function nameOf(links: readonly number[]): string {
  return `tx-${links.join("-")}`;
}

/** The settings of a program, changed, in a file of their own. */
function changed(path: string, name: string, change: (settings: Json) => object): string {
  const settings = JSON.parse(readFileSync(path, "utf8")) as Json;
  const to = path.replace(/\.json$/, `-${name}.json`);
  writeFileSync(to, JSON.stringify(change(settings)));
  return to;
}

function read<T>(stateDir: string): T | undefined {
  try {
    return JSON.parse(readFileSync(join(stateDir, "status.json"), "utf8")) as T;
  } catch {
    return undefined; // Not yet written.
  }
}
