/**
 * Guarantee: what people did with this zone's keys by command reaches the audit
 * log, line by line and in order, whether or not the service ran when they did
 * it. A record that was altered, cut or exchanged since is told once, and
 * nothing more is taken from it.
 *
 *   actions.jsonl ─▶ chain checked, what was taken up still in it ─▶ journal ─▶ position (synced)
 *
 * A crash between journal and position tells lines twice, with the same number; none is lost.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { asGatewayError, GatewayError } from "@lightferry/proto/errors";
import type { EventInput } from "@lightferry/proto/event";
import {
  actionsDamaged,
  type KeyActionChain,
  type KeyActionEntry,
  readKeyActions,
  totalUses,
} from "@lightferry/proto/service";
import { replaceDurably } from "../durable.ts";
import { LookOut } from "../look-out.ts";
import { eventsOf } from "./action-events.ts";

/** A person's work with keys; the log may have it a minute later. */
const LOOK_EVERY_MS = 60_000;
/** Lines of one write: each is at most a few kilobytes, so an Append takes them. */
const LINES_AT_ONCE = 64;
const STATE_FILE = "key-actions-taken.json";
const STATE_MAX_BYTES = 4_096;
/** What stands before the first line. */
const NOTHING = "0".repeat(64);
const DIGEST = /^[0-9a-f]{64}$/;

export interface TakeUpOptions {
  /** Folder of the record. */
  readonly dir: string;
  readonly stateDir: string;
  readonly journal: { record(events: EventInput[]): Promise<unknown> };
  /** It is tried again at the next look. */
  readonly failed: (error: unknown) => void;
}

interface Position {
  /** Lines taken up. */
  readonly line: number;
  /** SM3 of the last of them, hex. */
  readonly head: string;
  /** What was told of a damaged record; "" for a whole one. */
  readonly told: string;
}

export class TakeUp extends LookOut {
  readonly #options: TakeUpOptions;
  readonly #path: string;
  #position: Position | undefined;

  constructor(options: TakeUpOptions) {
    super(LOOK_EVERY_MS, options.failed);
    this.#options = options;
    this.#path = join(options.stateDir, STATE_FILE);
  }

  protected async lookOnce(): Promise<void> {
    const from = this.#position ?? readPosition(this.#path);
    this.#position = from;
    let chain: KeyActionChain;
    try {
      chain = readKeyActions(this.#options.dir);
      assertContinues(chain, from);
    } catch (error) {
      await this.#tell(from, asGatewayError(error));
      return;
    }
    let taken = from;
    while (taken.line < chain.entries.length) {
      const next = chain.entries.slice(taken.line, taken.line + LINES_AT_ONCE);
      const totals = totalUses(chain.entries.slice(0, taken.line));
      await this.#options.journal.record(
        next.flatMap((entry) => eventsOf(entry, headAfter(chain, entry.line), totals)),
      );
      const line = taken.line + next.length;
      taken = { line, head: headAfter(chain, line), told: "" };
      this.#note(taken);
    }
  }

  async #tell(from: Position, fault: GatewayError): Promise<void> {
    const told = `${fault.code} ${fault.detail}`;
    if (told === from.told) return;
    await this.#options.journal.record([
      {
        type: "key.actions-damaged",
        outcome: "error",
        code: fault.code,
        digest: Buffer.from(from.head, "hex"),
        attributes: { detail: fault.detail, line: String(from.line) },
      },
    ]);
    this.#note({ ...from, told });
  }

  #note(position: Position): void {
    replaceDurably(this.#path, `${JSON.stringify(position)}\n`);
    this.#position = position;
  }
}

/** SM3 of the line of this number, hex: what the next line says of it, or the chain's end. */
function headAfter({ entries, head }: KeyActionChain, line: number): string {
  const next: KeyActionEntry | undefined = entries[line];
  return next?.previous ?? head;
}

function assertContinues(chain: KeyActionChain, { line, head }: Position): void {
  if (chain.entries.length < line) {
    throw actionsDamaged(`${chain.entries.length} lines, ${line} were taken up`);
  }
  if (headAfter(chain, line) !== head) throw actionsDamaged(`line ${line} is another one`);
}

/** @throws GatewayError `key.actions-damaged`: what was taken up is not known, and guessing would hide a change. */
function readPosition(path: string): Position {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") {
      return { line: 0, head: NOTHING, told: "" };
    }
    throw new GatewayError("key.actions-damaged", { detail: path, cause });
  }
  let value: Partial<Position> | null = null;
  try {
    if (text.length <= STATE_MAX_BYTES) value = JSON.parse(text);
  } catch {
    // Said below, as for every other damage.
  }
  const { line = -1, head = "", told } = value ?? {};
  if (!Number.isSafeInteger(line) || line < 0 || !DIGEST.test(head) || typeof told !== "string") {
    throw actionsDamaged(`${path}: not as it was written`);
  }
  return { line, head, told };
}
