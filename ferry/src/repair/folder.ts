/** Guarantee: commands and the sending program agree on where tickets and wishes lie and what may be a name there. */
import { join } from "node:path";

/** Tickets that wait to be taken, and the answers to them. */
export function ticketsDir(stateDir: string): string {
  return join(stateDir, "tickets");
}

/** Present while somebody wishes for a full inventory. */
export function wishPath(stateDir: string): string {
  return join(stateDir, "inventory.wish");
}

/** A ticket as a command leaves it: what it is called says nothing. */
export const TICKET_FILE = /^[0-9a-f]{1,64}\.lft$/;
/** Beside it, what became of it. */
export const ANSWER_FILE = /^[0-9a-f]{1,64}\.answer\.json$/;

export function answerOf(ticketFile: string): string {
  return ticketFile.replace(/\.lft$/, ".answer.json");
}

/** What the sending program says of a ticket. */
export interface TicketAnswer {
  /** Absent when it was accepted. */
  readonly code?: string;
  readonly detail?: string;
  /** Hex. */
  readonly ticket?: string;
  readonly recalled?: number;
  readonly underWay?: number;
  readonly gone?: number;
  readonly goneRanges?: string;
}
