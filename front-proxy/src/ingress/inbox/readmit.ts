/**
 * Guarantee: a bundle that was refused because one of its keys was withdrawn is
 * judged anew as soon as trust says otherwise (a denial lifted), as of the time
 * at which it came; until then it stays where it is.
 *
 *   trust changed ─▶ keys count again? ─┬ refused on arrival ▶ judged like an arrival
 *                                       └ stopped at opening ▶ accepted again
 */
import { join } from "node:path";
import { readHeader } from "@lightferry/proto/bundle";
import { GatewayError } from "@lightferry/proto/errors";
import type { FrontProxyContext } from "../../context.ts";
import { query } from "../../database.ts";
import { assertKeysStand, keysOf } from "../../trust/directory.ts";
import { describeFault, refusalCode, WITHDRAWN_KEY_CODES } from "../failures.ts";
import type { IngressTuning } from "../tuning.ts";
import type { Acceptance } from "./accept.ts";
import { exists, type InboxDirs } from "./files.ts";

/** Files looked at between two questions to the database. */
const ROUND = 64;

interface RefusedRow {
  readonly id: number;
  readonly bundle_id: Buffer;
  readonly header_digest: Buffer;
  readonly file: string;
  readonly lane: string;
  readonly refused_ms: number;
}

interface StoppedRow {
  readonly accept_order: number;
  readonly bundle_id: Buffer;
  readonly header_digest: Buffer;
  readonly file: string;
  readonly lane: string;
  readonly stream: string;
  readonly sequence: number;
  readonly code: string;
}

export interface ReadmissionDesk {
  readonly context: FrontProxyContext;
  readonly dirs: InboxDirs;
  readonly acceptance: Pick<Acceptance, "evaluate">;
  /** A bundle waits to be opened again. */
  readonly onReadmitted: () => void;
}

export class Readmission {
  readonly #desk: ReadmissionDesk;
  readonly #pauseMs: number;
  #running: Promise<void> | undefined;
  #again = false;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(desk: ReadmissionDesk, tuning: Pick<IngressTuning, "faultPauseMs">) {
    this.#desk = desk;
    this.#pauseMs = tuning.faultPauseMs;
    desk.context.trust.changed(() => this.poke());
  }

  /** Trust may have changed. */
  poke(): void {
    if (this.#stopped) return;
    this.#again = true;
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
    });
  }

  /** Runs work while nothing is judged anew; what trust changed meanwhile is taken up afterwards. */
  async alone<T>(work: () => Promise<T>): Promise<T> {
    while (this.#running !== undefined) await this.#running;
    const result = work();
    this.#running = result
      .then(
        () => undefined,
        () => undefined,
      )
      .finally(() => {
        this.#running = undefined;
        if (this.#again) this.poke();
      });
    return result;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#running;
  }

  async #run(): Promise<void> {
    while (this.#again && !this.#stopped) {
      this.#again = false;
      try {
        await this.#refused();
        await this.#stoppedAtOpening();
      } catch (error) {
        const { log } = this.#desk.context.shell;
        log.warn(describeFault(error), "quarantined bundles not judged anew yet");
        clearTimeout(this.#timer);
        this.#timer = setTimeout(() => this.poke(), this.#pauseMs);
        return;
      }
    }
  }

  async #refused(): Promise<void> {
    const { context, dirs, acceptance } = this.#desk;
    for (let after = 0; !this.#stopped; ) {
      const { rows } = await query<RefusedRow>(
        context.pool,
        "ingress.readmit-refused",
        `SELECT id, bundle_id, header_digest, file, lane, refused_ms FROM quarantined_bundle
          WHERE NOT file_gone AND code = ANY($1::text[]) AND id > $2 ORDER BY id LIMIT $3`,
        [WITHDRAWN_KEY_CODES, after, ROUND],
      );
      for (const row of rows) {
        after = row.id;
        const path = join(dirs.quarantine, row.file);
        // Gone: judged anew before a crash, or taken away by hand.
        if (await exists(path)) {
          const size = await this.#standing(path);
          if (size === undefined) continue;
          const announced = {
            bundleId: row.bundle_id,
            headerDigest: row.header_digest,
            file: row.file,
            size,
            lane: row.lane,
            receivedMs: row.refused_ms,
          };
          const answer = await acceptance.evaluate(path, announced, row.refused_ms);
          context.shell.log.info({ file: row.file, answer }, "judged anew");
        }
        await query(
          context.pool,
          "ingress.readmit-settled",
          "UPDATE quarantined_bundle SET file_gone = true WHERE id = $1",
          [row.id],
        );
      }
      if (rows.length < ROUND) return;
    }
  }

  async #stoppedAtOpening(): Promise<void> {
    const { context, dirs, onReadmitted } = this.#desk;
    for (let after = 0; !this.#stopped; ) {
      const { rows } = await query<StoppedRow>(
        context.pool,
        "ingress.readmit-stopped",
        `SELECT accept_order, bundle_id, header_digest, file, lane, stream, sequence, code
           FROM inbox_bundle
          WHERE state = 'quarantined' AND NOT file_gone AND code = ANY($1::text[])
            AND accept_order > $2 ORDER BY accept_order LIMIT $3`,
        [WITHDRAWN_KEY_CODES, after, ROUND],
      );
      for (const row of rows) {
        after = row.accept_order;
        const path = join(dirs.inbox, row.file);
        if (!(await exists(path)) || (await this.#standing(path)) === undefined) continue;
        await context.shell.journal.record([
          {
            type: "bundle.arrived",
            outcome: "ok",
            bundleId: row.bundle_id,
            lane: row.lane,
            digest: row.header_digest,
            attributes: { stream: row.stream, sequence: String(row.sequence), after: row.code },
          },
        ]);
        await query(
          context.pool,
          "ingress.readmit-accept",
          `UPDATE inbox_bundle SET state = 'accepted', code = NULL
            WHERE bundle_id = $1 AND state = 'quarantined'`,
          [row.bundle_id],
        );
        onReadmitted();
      }
      if (rows.length < ROUND) return;
    }
  }

  /** Size of the bundle when its keys count again. */
  async #standing(path: string): Promise<number | undefined> {
    try {
      const { header, layout } = await readHeader(path);
      assertKeysStand(keysOf(this.#desk.context), header);
      return layout.fileSize;
    } catch (error) {
      if (error instanceof GatewayError && refusalCode(error) !== undefined) return undefined;
      throw error;
    }
  }
}
