/**
 * Guarantee: a file in the tickets folder is read once. What verifies as a
 * repair ticket for this sender is durable before the outbox is asked, and asked
 * until it answers; everything else is refused with its code. Either is an event
 * and an answer beside the place where the file lay.
 *
 * *.lft ─▶ verify ─▶ log ─▶ remove ─▶ Recall … ─▶ gate.ticket-accepted ─▶ over
 *             └─ gate.ticket-refused ─▶ remove
 */
import { mkdir, readdir, readFile, stat, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { asGatewayError, GatewayError } from "@lightferry/proto/errors";
import type { lightferry } from "@lightferry/proto/gen";
import type { CallOptions } from "@lightferry/proto/rpc";
import type { SmProvider } from "@lightferry/proto/sm";
import type { KeyDirectory } from "@lightferry/proto/trust";
import type { EventSink, Log } from "../events.ts";
import { writeStreams } from "../inventory.ts";
import { countOf, type Range, rangesText } from "../ranges.ts";
import {
  ANSWER_FILE,
  answerOf,
  TICKET_FILE,
  type TicketAnswer,
  ticketsDir,
  wishPath,
} from "../repair/folder.ts";
import { MAX_TICKET_BYTES, peekTicket, readTicket, type Ticket } from "../repair/ticket.ts";
import { isTransient } from "../retry.ts";
import type { Asked } from "./asked.ts";
import type { Carried } from "./journal.ts";
import { TicketLog } from "./ticket-log.ts";

type RecallRequest = lightferry.ferry.v1.RecallRequest.$Properties;
type RecallResponse = lightferry.ferry.v1.RecallResponse.$Properties;

const LOOK_MS = 1_000;
/** Numbers that the outbox takes in one call … */
const RECALL_NUMBERS = 100_000;
/** … and how long one may take. */
const RECALL_DEADLINE_MS = 120_000;
/** Files taken in one look: a folder full of junk must not hold up a ticket for long. */
const FILES_PER_LOOK = 64;
/** Answers that nobody fetched. */
const ANSWER_KEPT_MS = 24 * 3_600_000;
/** An event is a line of evidence: what is gone is named as far as a line goes. */
const MAX_GONE_TEXT = 2_048;

export interface TicketDeskParts {
  readonly stateDir: string;
  readonly node: string;
  /** Lanes that are sent from here; events of what cannot be read stand under the first. */
  readonly lanes: readonly string[];
  /** The node at the other end of a lane, by the registry. */
  readonly receiverOf: (lane: string) => string | undefined;
  readonly provider: SmProvider;
  readonly keys: () => KeyDirectory;
  readonly recall: (request: RecallRequest, options: CallOptions) => Promise<RecallResponse>;
  /** Somebody wishes for a full inventory. */
  readonly demand: () => void;
  readonly events: EventSink;
  readonly log: Log;
  readonly clock: () => number;
  readonly signal: AbortSignal;
}

interface Outcome {
  recalled: number;
  underWay: number;
  readonly gone: Map<string, Range[]>;
}

export class TicketDesk {
  readonly counts = { accepted: 0, refused: 0 };
  readonly #parts: TicketDeskParts;
  readonly #dir: string;
  readonly #log: TicketLog;
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> | undefined;

  private constructor(parts: TicketDeskParts, log: TicketLog) {
    this.#parts = parts;
    this.#dir = ticketsDir(parts.stateDir);
    this.#log = log;
  }

  /** @throws GatewayError `ferry.state-corrupt` */
  static async open(parts: TicketDeskParts): Promise<TicketDesk> {
    await mkdir(ticketsDir(parts.stateDir), { recursive: true, mode: 0o750 });
    const path = join(parts.stateDir, "tickets.log");
    return new TicketDesk(parts, await TicketLog.open(path, parts.clock()));
  }

  start(): void {
    this.#timer = setInterval(() => void this.look(), LOOK_MS);
  }

  /** What the newest ticket that names a bundle asks of it. */
  asked(bundle: Carried): Asked | undefined {
    return this.#log.asked(bundle);
  }

  /** Looks for tickets and wishes now; one look at a time. Never throws. */
  async look(): Promise<void> {
    this.#looking ??= this.#look()
      .catch((error: unknown) => {
        if (!this.#parts.signal.aborted) this.#parts.log.error({ err: error }, "tickets not read");
      })
      .finally(() => {
        this.#looking = undefined;
      });
    await this.#looking;
  }

  /** The signal of the parts must be aborted. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#looking;
    await this.#log.close();
  }

  async #look(): Promise<void> {
    const { stateDir, demand } = this.#parts;
    if (await removed(wishPath(stateDir))) demand();
    for (const ticket of this.#log.open) await this.#recall(ticket, undefined);
    const names = (await readdir(this.#dir)).sort();
    for (const name of names.filter((one) => TICKET_FILE.test(one)).slice(0, FILES_PER_LOOK)) {
      await this.#take(name);
    }
    for (const name of names.filter((one) => ANSWER_FILE.test(one))) {
      const path = join(this.#dir, name);
      const { mtimeMs = 0 } = (await stat(path).catch(() => undefined)) ?? {};
      if (Date.now() - mtimeMs > ANSWER_KEPT_MS) await removed(path);
    }
  }

  async #take(name: string): Promise<void> {
    const path = join(this.#dir, name);
    const { provider, keys, node, lanes, receiverOf, clock } = this.#parts;
    let bytes: Uint8Array = new Uint8Array();
    let ticket: Ticket;
    try {
      bytes = await readWhole(path);
      ticket = readTicket(bytes, {
        ...{ provider, keys: keys(), node, nowMs: clock() },
        receiverOf: (lane) => (lanes.includes(lane) ? receiverOf(lane) : undefined),
      });
      if (this.#log.has(ticket.id)) {
        // Accepted right before the program ended: the outbox is being asked.
        if (this.#log.open.some(({ id }) => id === ticket.id)) return void (await removed(path));
        throw new GatewayError("ferry.ticket-seen", { detail: ticket.id });
      }
      if (this.#log.full(clock())) throw new GatewayError("ferry.tickets-full");
    } catch (error) {
      if (!(error instanceof GatewayError)) throw error;
      await this.#refuse(name, bytes, error);
      return;
    }
    await this.#log.accept(ticket);
    await removed(path);
    await this.#recall(ticket, name);
  }

  async #recall(ticket: Ticket, name: string | undefined): Promise<void> {
    const { recall, signal, log } = this.#parts;
    const outcome: Outcome = { recalled: 0, underWay: 0, gone: new Map() };
    try {
      for (const streams of portions(ticket)) {
        const request = { lane: ticket.lane, ticket: ticket.id, streams: writeStreams(streams) };
        const answer = await recall(request, { deadlineMs: RECALL_DEADLINE_MS, signal });
        outcome.recalled += answer.recalled ?? 0;
        outcome.underWay += answer.underWay ?? 0;
        for (const { stream, ranges } of answer.gone ?? []) {
          const gone = outcome.gone.get(stream ?? "") ?? [];
          gone.push(...(ranges ?? []).map(({ first, last }): Range => [first ?? 0, last ?? 0]));
          outcome.gone.set(stream ?? "", gone);
        }
      }
    } catch (error) {
      if (isTransient(error) || signal.aborted || !(error instanceof GatewayError)) {
        // Asked again with the next look.
        const { code, detail } = asGatewayError(error);
        log.warn({ ticket: ticket.id, code, detail }, "outbox not asked for a repair");
        return;
      }
      await this.#log.over(ticket.id);
      await this.#said(ticket, name, error);
      return;
    }
    await this.#accepted(ticket, name, outcome);
  }

  async #accepted(ticket: Ticket, name: string | undefined, outcome: Outcome): Promise<void> {
    const { events } = this.#parts;
    const { recalled, underWay } = outcome;
    const gone = countOf([...outcome.gone.values()].flat());
    const goneRanges = goneText(outcome.gone);
    await events.record([
      {
        type: "gate.ticket-accepted",
        outcome: "ok",
        lane: ticket.lane,
        attributes: {
          ...{ ticket: ticket.id, receiver: ticket.receiver, recalled: String(recalled) },
          ...{ "under-way": String(underWay), gone: String(gone) },
          ...(gone === 0 ? {} : { "gone-ranges": goneRanges }),
        },
      },
    ]);
    await this.#log.over(ticket.id);
    this.counts.accepted += 1;
    this.#parts.log.info({ ticket: ticket.id, recalled, underWay, gone }, "repair ticket");
    await this.#answer(name, { ticket: ticket.id, recalled, underWay, gone, goneRanges });
  }

  async #refuse(name: string, bytes: Uint8Array, error: GatewayError): Promise<void> {
    const { events, lanes, provider, log } = this.#parts;
    const { code, detail } = error;
    const ticket = idOf(bytes);
    log.warn({ code, detail, ticket }, "repair ticket refused");
    const attributes = {
      ...(ticket === undefined ? {} : { ticket }),
      "file-digest": Buffer.from(provider.sm3(bytes)).toString("hex"),
    };
    await events.record([
      { type: "gate.ticket-refused", outcome: "refused", code, lane: lanes[0] ?? "", attributes },
    ]);
    this.counts.refused += 1;
    await this.#answer(name, { code, ...(detail === undefined ? {} : { detail }) });
    await removed(join(this.#dir, name));
  }

  /** The outbox itself refused what the ticket asks for. */
  async #said(ticket: Ticket, name: string | undefined, error: GatewayError): Promise<void> {
    const { code, detail = "" } = error;
    const { id, lane } = ticket;
    await this.#parts.events.record([
      { type: "gate.ticket-refused", outcome: "refused", code, lane, attributes: { ticket: id } },
    ]);
    this.counts.refused += 1;
    await this.#answer(name, { code, detail, ticket: id });
  }

  /** For the command that waits; nothing is lost when it cannot be written. */
  async #answer(name: string | undefined, answer: TicketAnswer): Promise<void> {
    if (name === undefined) return;
    const path = join(this.#dir, answerOf(name));
    await writeFile(path, `${JSON.stringify(answer)}\n`, { mode: 0o640 }).catch(() => undefined);
  }
}

async function readWhole(path: string): Promise<Uint8Array> {
  const { size } = await stat(path);
  // The digest of what is longer is that of nothing.
  if (size > MAX_TICKET_BYTES) {
    throw new GatewayError("ferry.ticket-invalid", { detail: `${size} bytes` });
  }
  return await readFile(path);
}

function idOf(bytes: Uint8Array): string | undefined {
  try {
    return Buffer.from(peekTicket(bytes).ticketId).toString("hex");
  } catch {
    return undefined;
  }
}

/** What one call of the outbox takes, again and again until all is asked for. */
function* portions({ streams }: Ticket): Generator<Map<string, Range[]>> {
  let portion = new Map<string, Range[]>();
  let room = RECALL_NUMBERS;
  for (const [stream, ranges] of streams) {
    for (const [first, last] of ranges) {
      for (let next = first; next <= last; ) {
        const end = Math.min(last, next + room - 1);
        const of = portion.get(stream) ?? [];
        of.push([next, end]);
        portion.set(stream, of);
        room -= end - next + 1;
        next = end + 1;
        if (room > 0) continue;
        yield portion;
        portion = new Map();
        room = RECALL_NUMBERS;
      }
    }
  }
  if (portion.size > 0) yield portion;
}

function goneText(gone: ReadonlyMap<string, readonly Range[]>): string {
  const text = [...gone].map(([stream, of]) => `${stream}: ${rangesText(of)}`).join("; ");
  return text.length <= MAX_GONE_TEXT ? text : `${text.slice(0, MAX_GONE_TEXT - 1)}…`;
}

/** Whether there was one to remove. */
async function removed(path: string): Promise<boolean> {
  try {
    await unlink(path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return false;
    throw error;
  }
}
