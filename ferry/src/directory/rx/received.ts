/**
 * Guarantee: after any crash the receiver knows which parts of which shipments are good on its disk, which
 * shipments are over and which files came; a line is durable before the file it tells of is removed.
 *
 * Lines: `ship` begun, `part` good, `group` whole, `file` came, `over` (all its bundles are), `forget` (as if nothing had come), `account` (only at
 * the beginning, from compaction, and when something was settled).
 */
import { CompactedLog } from "../../compacted-log.ts";
import { readLines } from "../../durable.ts";
import type { PlanFacts } from "../plan.ts";
import { Account, type KeptAccount } from "./account.ts";

/** Shipments that are over and may come again: two days of one every ten seconds. */
const REMEMBERED = 20_000;
/** The log is written anew when it has grown by so much; a part takes about 60 bytes. */
const COMPACT_BYTES = 4 << 20;

/** What of a shipment is here. */
export interface KeptShipment {
  /** Hex. */
  readonly id: string;
  readonly plan: PlanFacts;
  /** Unix milliseconds. */
  readonly begunMs: number;
  /** Slots whose part is good on disk, of groups that are not whole. */
  readonly parts: Set<number>;
  /** All data parts of these are. */
  readonly groups: Set<number>;
}

type Line =
  | { readonly ship: { readonly id: string; readonly plan: PlanFacts; readonly begunMs: number } }
  | { readonly part: readonly [id: string, slot: number] }
  | { readonly group: readonly [id: string, group: number] }
  | { readonly file: readonly [epoch: number, number: number, timeMs: number] }
  | { readonly over: string }
  | { readonly forget: string }
  | { readonly account: KeptAccount };

interface State {
  readonly shipments: Map<string, KeptShipment>;
  readonly over: Set<string>;
}

export class ReceivedLog {
  readonly account: Account;
  readonly #state: State;
  readonly #log: CompactedLog;

  private constructor(account: Account, state: State, log: CompactedLog) {
    this.account = account;
    this.#state = state;
    this.#log = log;
  }

  /** @param clock this machine's, Unix milliseconds @throws GatewayError `ferry.state-corrupt` */
  static async open(path: string, delayMs: number, clock: () => number): Promise<ReceivedLog> {
    const state: State = { shipments: new Map(), over: new Set() };
    let account = new Account(delayMs);
    for (const line of (await readLines(path)) as Line[]) {
      if ("account" in line) account = new Account(delayMs, line.account);
      else if ("file" in line) account.see(...line.file);
      else apply(state, line);
    }
    // What came in former runs says nothing of the sender's life or clock now.
    account = new Account(delayMs, account.kept(), clock);
    const all = () => snapshot(state, account);
    return new ReceivedLog(account, state, await CompactedLog.create(path, COMPACT_BYTES, all));
  }

  /** Not over. */
  get shipments(): ReadonlyMap<string, KeptShipment> {
    return this.#state.shipments;
  }

  isOver(id: string): boolean {
    return this.#state.over.has(id);
  }

  begin(id: string, plan: PlanFacts): Promise<void> {
    return this.#write({ ship: { id, plan, begunMs: Date.now() } });
  }

  part(id: string, slot: number): Promise<void> {
    return this.#write({ part: [id, slot] });
  }

  group(id: string, group: number): Promise<void> {
    return this.#write({ group: [id, group] });
  }

  async file(epoch: number, number: number, timeMs: number): Promise<void> {
    this.account.see(epoch, number, timeMs);
    await this.#append({ file: [epoch, number, timeMs] });
  }

  over(id: string): Promise<void> {
    return this.#write({ over: id });
  }

  forget(id: string): Promise<void> {
    return this.#write({ forget: id });
  }

  /** Something was settled. */
  settled(): Promise<void> {
    return this.#append({ account: this.account.kept() });
  }

  async close(): Promise<void> {
    await this.#log.close();
  }

  async #write(line: Exclude<Line, { file: unknown } | { account: unknown }>): Promise<void> {
    apply(this.#state, line);
    await this.#append(line);
  }

  #append(line: Line): Promise<void> {
    return this.#log.append(line);
  }
}

function apply({ shipments, over }: State, line: Line): void {
  if ("ship" in line) {
    shipments.set(line.ship.id, { ...line.ship, parts: new Set(), groups: new Set() });
  } else if ("part" in line) {
    shipments.get(line.part[0])?.parts.add(line.part[1]);
  } else if ("group" in line) {
    const shipment = shipments.get(line.group[0]);
    if (shipment === undefined) return;
    const { plan, parts, groups } = shipment;
    groups.add(line.group[1]);
    // What a whole group consists of need not be known any more.
    const slots = plan.dataParts + plan.parityParts;
    for (let index = 0; index < slots; index += 1) parts.delete(line.group[1] * slots + index);
  } else if ("forget" in line) {
    shipments.delete(line.forget);
  } else if ("over" in line) {
    shipments.delete(line.over);
    over.add(line.over);
    const [oldest] = over;
    if (over.size > REMEMBERED && oldest !== undefined) over.delete(oldest);
  }
}

function snapshot({ shipments, over }: State, account: Account): Line[] {
  return [
    { account: account.kept() },
    ...[...over].map((id): Line => ({ over: id })),
    ...[...shipments.values()].flatMap(({ id, plan, begunMs, parts, groups }): Line[] => [
      { ship: { id, plan, begunMs } },
      ...[...parts].map((slot): Line => ({ part: [id, slot] })),
      ...[...groups].map((group): Line => ({ group: [id, group] })),
    ]),
  ];
}
