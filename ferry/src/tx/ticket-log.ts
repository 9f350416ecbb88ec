/**
 * Guarantee: a ticket that was accepted is known by its id for as long as it
 * could be shown again, and what it asks for until it is sent, after any crash.
 *
 * Lines of the log: `ticket` accepted, `over` when the outbox has answered.
 */
import { CompactedLog } from "../compacted-log.ts";
import { readLines } from "../durable.ts";
import { type Range, RangeSet } from "../ranges.ts";
import { TICKET_VALID_MS, type Ticket } from "../repair/ticket.ts";
import type { Asked } from "./asked.ts";
import type { Carried } from "./journal.ts";

/** As lines have it. */
interface Kept extends Omit<Ticket, "streams"> {
  readonly streams: Readonly<Record<string, readonly Range[]>>;
  readonly over: boolean;
}

type Line = { readonly ticket: Kept } | { readonly over: string };

/** In force at once: each may name a million numbers and take some 300 KB here. */
const MAX_TICKETS = 64;
/**
 * How long after its end a ticket is known: a sender's clock that is set back must not let it in again,
 * and what it asked for may wait behind what was never sent.
 */
const REMEMBERED_MS = TICKET_VALID_MS;
/** The log is written anew when it has grown by so much. */
const COMPACT_BYTES = 16 << 20;

interface Entry {
  readonly kept: Kept;
  readonly numbers: ReadonlyMap<string, RangeSet>;
}

export class TicketLog {
  readonly #entries: Map<string, Entry>;
  readonly #log: CompactedLog;

  private constructor(entries: Map<string, Entry>, log: CompactedLog) {
    this.#entries = entries;
    this.#log = log;
  }

  /** @throws GatewayError `ferry.state-corrupt` */
  static async open(path: string, nowMs: number): Promise<TicketLog> {
    const entries = new Map<string, Entry>();
    for (const line of (await readLines(path)) as Line[]) apply(entries, line);
    forget(entries, nowMs);
    const all = () => snapshot(entries);
    return new TicketLog(entries, await CompactedLog.create(path, COMPACT_BYTES, all));
  }

  has(id: string): boolean {
    return this.#entries.has(id);
  }

  /** Whether no other can be taken. */
  full(nowMs: number): boolean {
    forget(this.#entries, nowMs);
    return this.#entries.size >= MAX_TICKETS;
  }

  /** Accepted tickets that the outbox has not answered. */
  get open(): Ticket[] {
    return [...this.#entries.values()]
      .filter(({ kept }) => !kept.over)
      .map(({ kept }) => ({ ...kept, streams: new Map(Object.entries(kept.streams)) }));
  }

  /** What the newest ticket that names a bundle asks of it. */
  asked({ bundleId, stream, sequence }: Carried): Asked | undefined {
    for (const { kept, numbers } of [...this.#entries.values()].reverse()) {
      if (numbers.get(stream)?.has(sequence) !== true) continue;
      const found = kept.objects.find((object) => object.bundleId === bundleId);
      if (found === undefined) return { ticket: kept.id };
      const { objectId, shardSize, groupShards, parityShards, groups } = found;
      const code = { groupShards, parityShards };
      return { ticket: kept.id, object: { objectId, shardSize, code, groups } };
    }
    return undefined;
  }

  /** Resolves when it is durable. */
  async accept(ticket: Ticket): Promise<void> {
    const kept = { ...ticket, streams: Object.fromEntries(ticket.streams), over: false };
    await this.#write({ ticket: kept });
  }

  async over(id: string): Promise<void> {
    await this.#write({ over: id });
  }

  async close(): Promise<void> {
    await this.#log.close();
  }

  async #write(line: Line): Promise<void> {
    apply(this.#entries, line);
    await this.#log.append(line);
  }
}

function apply(entries: Map<string, Entry>, line: Line): void {
  if ("ticket" in line) {
    const { ticket: kept } = line;
    const numbers = new Map(
      Object.entries(kept.streams).map(([name, ranges]) => [name, new RangeSet(ranges)]),
    );
    entries.set(kept.id, { kept, numbers });
    return;
  }
  const entry = entries.get(line.over);
  if (entry !== undefined)
    entries.set(line.over, { ...entry, kept: { ...entry.kept, over: true } });
}

function forget(entries: Map<string, Entry>, nowMs: number): void {
  for (const [id, { kept }] of entries) {
    if (kept.over && kept.expiresMs + REMEMBERED_MS < nowMs) entries.delete(id);
  }
}

function snapshot(entries: ReadonlyMap<string, Entry>): Line[] {
  return [...entries.values()].map(({ kept }) => ({ ticket: kept }));
}
