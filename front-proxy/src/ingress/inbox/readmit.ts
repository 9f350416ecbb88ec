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
import { describeFault, refusalCode } from "../failures.ts";
import { PokedWork } from "../poked-work.ts";
import type { IngressTuning } from "../tuning.ts";
import type { Acceptance } from "./accept.ts";
import { exists, type InboxDirs } from "./files.ts";
import {
  PLACED_COLUMNS,
  type PlacedRow,
  REFUSED_ON_ARRIVAL,
  STOPPED_AT_OPENING,
  WITHDRAWN,
  WITHDRAWN_COLUMNS,
  type WithdrawnRow,
} from "./withdrawn.ts";

/** Files looked at between two questions to the database. */
const ROUND = 64;

interface RefusedRow extends WithdrawnRow {
  readonly id: number;
  readonly refused_ms: number;
  readonly judged_ms: number;
}

interface StoppedRow extends PlacedRow {
  readonly accept_order: number;
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
  readonly #work: PokedWork;

  constructor(desk: ReadmissionDesk, tuning: Pick<IngressTuning, "faultPauseMs">) {
    this.#desk = desk;
    const { shell, trust } = desk.context;
    this.#work = new PokedWork({
      round: () => this.#round(),
      pauseMs: tuning.faultPauseMs,
      failed: (error) =>
        shell.log.warn(describeFault(error), "quarantined bundles not judged anew yet"),
    });
    trust.changed(() => this.poke());
  }

  /** Trust may have changed. */
  poke(): void {
    this.#work.poke();
  }

  /** Runs work while nothing is judged anew; what trust changed meanwhile is taken up afterwards. */
  alone<T>(work: () => Promise<T>): Promise<T> {
    return this.#work.alone(work);
  }

  stop(): Promise<void> {
    return this.#work.stop();
  }

  async #round(): Promise<boolean> {
    for await (const row of this.#refused()) await this.#judgeAnew(row);
    for await (const row of this.#stoppedAtOpening()) await this.#acceptAnew(row);
    return false;
  }

  #refused(): AsyncGenerator<RefusedRow> {
    return this.#rows(
      "ingress.readmit-refused",
      `SELECT id, ${WITHDRAWN_COLUMNS}, refused_ms, judged_ms ${REFUSED_ON_ARRIVAL}
          AND id > $2 ORDER BY id LIMIT $3`,
      ({ id }) => id,
    );
  }

  #stoppedAtOpening(): AsyncGenerator<StoppedRow> {
    return this.#rows(
      "ingress.readmit-stopped",
      `SELECT accept_order, ${PLACED_COLUMNS} ${STOPPED_AT_OPENING}
          AND accept_order > $2 ORDER BY accept_order LIMIT $3`,
      ({ accept_order: order }) => order,
    );
  }

  /** All rows of a query, in order; ends early when the service closes. */
  async *#rows<Row extends object>(
    name: string,
    sql: string,
    orderOf: (row: Row) => number,
  ): AsyncGenerator<Row> {
    for (let after = 0; !this.#work.stopped; ) {
      const { pool } = this.#desk.context;
      const { rows } = await query<Row>(pool, name, sql, [WITHDRAWN, after, ROUND]);
      for (const row of rows) {
        after = orderOf(row);
        yield row;
      }
      if (rows.length < ROUND) return;
    }
  }

  async #judgeAnew(row: RefusedRow): Promise<void> {
    const { context, dirs, acceptance } = this.#desk;
    const path = join(dirs.quarantine, row.file);
    // Gone: judged anew before a crash, or taken away by hand.
    if (await exists(path)) {
      const size = await this.#standing(path);
      if (size === undefined) return;
      const announced = {
        bundleId: row.bundle_id,
        headerDigest: row.header_digest,
        file: row.file,
        size,
        lane: row.lane,
        receivedMs: row.refused_ms,
      };
      const { judged_ms: judgedMs } = row;
      const times = { now: judgedMs, latest: Math.max(judgedMs, row.refused_ms) };
      const answer = await acceptance.evaluate(path, announced, times);
      context.shell.log.info({ file: row.file, answer }, "judged anew");
    }
    await query(
      context.pool,
      "ingress.readmit-settled",
      "UPDATE quarantined_bundle SET file_gone = true WHERE id = $1",
      [row.id],
    );
  }

  async #acceptAnew(row: StoppedRow): Promise<void> {
    const { context, dirs, onReadmitted } = this.#desk;
    const path = join(dirs.inbox, row.file);
    if (!(await exists(path)) || (await this.#standing(path)) === undefined) return;
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
