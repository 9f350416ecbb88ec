/**
 * Guarantee: every accepted bundle is opened, in order of acceptance, a bounded
 * number at a time; what our own services cannot do now is done again later, and
 * what does not open is quarantined with its reason.
 *
 *   accepted ─┬▶ opened
 *             ├▶ (policy, journal, database or disk away) ▶ accepted, after a pause
 *             └▶ quarantined
 */
import { join } from "node:path";
import type { ErrorCode } from "@lightferry/proto/errors";
import { Troubles } from "@lightferry/proto/service";
import { inTransaction, query } from "../../database.ts";
import { describeFault, ownFault, refusalCode } from "../failures.ts";
import { type InboxDirs, isMissing, removeFile } from "../inbox/files.ts";
import { oweUnlessReceipts } from "../inbox/owed.ts";
import {
  type IngressTuning,
  LARGE_BUNDLE_BYTES,
  OPEN_PARALLEL,
  OPEN_PARALLEL_LARGE,
} from "../tuning.ts";
import { type OpeningDesk, openAccepted, type UnopenedBundle } from "./open-bundle.ts";

interface Waiting extends UnopenedBundle {
  readonly key: string;
  readonly lane: string;
  readonly stream: string;
  readonly sequence: number;
}

/** Rows looked at in one go: enough to find small bundles behind large ones. */
const LOOK_AHEAD = 64;

export class Opener {
  readonly #desk: OpeningDesk;
  readonly #dirs: InboxDirs;
  readonly #tuning: IngressTuning;
  readonly #running = new Map<string, { readonly large: boolean; readonly done: Promise<void> }>();
  readonly #pausedUntil = new Map<string, number>();
  readonly #troubles: Troubles;
  #looking = false;
  #lookAgain = false;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(desk: OpeningDesk, dirs: InboxDirs, tuning: IngressTuning) {
    this.#desk = desk;
    this.#dirs = dirs;
    this.#tuning = tuning;
    const { journal, log } = desk.context.shell;
    this.#troubles = new Troubles(journal, (error) =>
      log.error(describeFault(error), "trouble could not be journalled"),
    );
  }

  /** There may be work. */
  poke(): void {
    if (this.#stopped) return;
    if (this.#looking) {
      this.#lookAgain = true;
      return;
    }
    this.#looking = true;
    void this.#look();
  }

  /** Takes up nothing more and waits for what is under way. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await Promise.all([...this.#running.values()].map(({ done }) => done));
  }

  async #look(): Promise<void> {
    try {
      do {
        this.#lookAgain = false;
        if (this.#running.size < OPEN_PARALLEL) this.#start(await this.#waiting());
        await this.#troubles.over("looking for bundles");
      } while (this.#lookAgain && !this.#stopped);
    } catch (error) {
      this.#desk.context.shell.log.warn(describeFault(error), "cannot look for bundles to open");
      await this.#troubles.met("looking for bundles", error);
      this.#later(this.#tuning.faultPauseMs);
    } finally {
      this.#looking = false;
    }
  }

  #start(waiting: readonly Waiting[]): void {
    const now = Date.now();
    for (const bundle of waiting) {
      if (this.#stopped || this.#running.size >= OPEN_PARALLEL) return;
      if (this.#running.has(bundle.key)) continue;
      const pausedMs = (this.#pausedUntil.get(bundle.key) ?? 0) - now;
      if (pausedMs > 0) {
        // A timer may ring a moment before the clock agrees.
        this.#later(pausedMs);
        continue;
      }
      const large = bundle.size > LARGE_BUNDLE_BYTES;
      if (large && this.#runningLarge() >= OPEN_PARALLEL_LARGE) continue;
      const done = this.#open(bundle).finally(() => {
        this.#running.delete(bundle.key);
        this.poke();
      });
      this.#running.set(bundle.key, { large, done });
    }
  }

  #runningLarge(): number {
    let count = 0;
    for (const { large } of this.#running.values()) if (large) count += 1;
    return count;
  }

  async #open(bundle: Waiting): Promise<void> {
    const { context, onTakenIn } = this.#desk;
    try {
      // Tells dispatch itself, with the last of its items.
      const sealedAway = await openAccepted(this.#desk, bundle);
      this.#pausedUntil.delete(bundle.key);
      if (sealedAway) await this.#destroyFile(bundle);
      await this.#troubles.over("opening", subjectOf(bundle));
    } catch (error) {
      const fault = describeFault(error);
      const code = isMissing(error) ? "inbox.file-lost" : refusalCode(error);
      context.shell.log.warn({ bundle: bundle.key, ...fault }, "bundle could not be opened");
      if (code === undefined) await this.#pause(bundle, error);
      else {
        await this.#quarantine(bundle, code, fault.detail)
          // What was ordered behind its items waits for it no longer.
          .then(onTakenIn)
          .catch((cause: unknown) => this.#pause(bundle, cause));
      }
    }
  }

  async #pause(bundle: Waiting, error: unknown): Promise<void> {
    await this.#troubles.met("opening", ownFault(error), subjectOf(bundle));
    this.#pausedUntil.set(bundle.key, Date.now() + this.#tuning.faultPauseMs);
    this.#later(this.#tuning.faultPauseMs);
  }

  #later(ms: number): void {
    if (this.#stopped) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.poke(), ms);
  }

  async #quarantine(bundle: Waiting, code: ErrorCode, detail: string): Promise<void> {
    const { context } = this.#desk;
    await context.shell.journal.record([
      {
        type: "bundle.refused",
        outcome: "refused",
        code,
        bundleId: bundle.bundleId,
        lane: bundle.lane,
        digest: bundle.headerDigest,
        attributes: {
          stream: bundle.stream,
          sequence: String(bundle.sequence),
          ...(detail === "" ? {} : { detail }),
        },
      },
    ]);
    // The file stays under its name: its row says what it is, retention removes it.
    await inTransaction(context.pool, async (client) => {
      await query(
        client,
        "ingress.bundle-quarantine",
        "UPDATE inbox_bundle SET state = 'quarantined', code = $2 WHERE bundle_id = $1",
        [bundle.bundleId, code],
      );
      await oweUnlessReceipts(context, client, bundle, code);
    });
  }

  /** A suspected secret was sealed away by policy: no second copy stays here. */
  async #destroyFile(bundle: Waiting): Promise<void> {
    await removeFile(join(this.#dirs.inbox, bundle.file));
    await query(
      this.#desk.context.pool,
      "ingress.bundle-file-gone",
      "UPDATE inbox_bundle SET file_gone = true WHERE bundle_id = $1",
      [bundle.bundleId],
    );
  }

  async #waiting(): Promise<Waiting[]> {
    const { rows } = await query<{
      bundle_id: Buffer;
      header_digest: Buffer;
      file: string;
      size: number;
      accepted_ms: number;
      lane: string;
      stream: string;
      sequence: number;
    }>(
      this.#desk.context.pool,
      "ingress.bundle-waiting",
      `SELECT bundle_id, header_digest, file, size, accepted_ms, lane, stream, sequence
       FROM inbox_bundle WHERE state = 'accepted' ORDER BY accept_order LIMIT $1`,
      [LOOK_AHEAD],
    );
    return rows.map((row) => ({
      key: row.bundle_id.toString("hex"),
      bundleId: row.bundle_id,
      headerDigest: row.header_digest,
      file: row.file,
      size: row.size,
      acceptedMs: row.accepted_ms,
      lane: row.lane,
      stream: row.stream,
      sequence: row.sequence,
    }));
  }
}

function subjectOf({ bundleId, lane }: Waiting) {
  return { bundleId, lane };
}
