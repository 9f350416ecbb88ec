/**
 * Guarantee: every checkpoint of the other zone that came with an accepted
 * bundle reaches our audit service, in order of acceptance, and is kept in its
 * row until then; nothing else waits for it.
 */
import { decodeCanonical } from "@lightferry/proto/canonical";
import { asGatewayError } from "@lightferry/proto/errors";
import { lightferry } from "@lightferry/proto/gen";
import type { FrontProxyContext } from "../context.ts";
import { query } from "../database.ts";
import { describeFault } from "./failures.ts";
import { PokedWork } from "./poked-work.ts";
import type { IngressTuning } from "./tuning.ts";

/** Checkpoints fetched at a time. */
const ROUND = 32;
/** Audit has judged and recorded it: asking again changes nothing. */
const JUDGED = /^(?:audit\.witness-invalid$|certificate\.)/;

export class CheckpointWitness {
  readonly #context: FrontProxyContext;
  readonly #work: PokedWork;

  constructor(context: FrontProxyContext, tuning: Pick<IngressTuning, "faultPauseMs">) {
    this.#context = context;
    this.#work = new PokedWork({
      round: () => this.#round(),
      pauseMs: tuning.faultPauseMs,
      failed: (error) =>
        context.shell.log.warn(describeFault(error), "checkpoint not witnessed yet"),
    });
  }

  /** A bundle with a checkpoint may have been accepted. */
  poke(): void {
    this.#work.poke();
  }

  stop(): Promise<void> {
    return this.#work.stop();
  }

  /** @returns true when more may wait. */
  async #round(): Promise<boolean> {
    const { pool, audit, shell } = this.#context;
    const { rows } = await query<{
      bundle_id: Buffer;
      sender: string;
      checkpoint: Buffer;
      certificates: Buffer[] | null;
    }>(
      pool,
      "ingress.unwitnessed",
      `SELECT bundle_id, sender, checkpoint, certificates FROM inbox_bundle
       WHERE checkpoint IS NOT NULL ORDER BY accept_order LIMIT $1`,
      [ROUND],
    );
    for (const row of rows) {
      const { note, oldSize, consistency } = decodeCanonical(
        lightferry.bundle.v1.Checkpoint,
        row.checkpoint,
      );
      const zone = this.#context.registry().node(row.sender)?.zone ?? "";
      const certificates = row.certificates ?? [];
      const request = { zone, note, oldSize, consistency, certificates, bundleId: row.bundle_id };
      const status = await audit.witness(request).then(
        (answer) => answer.status,
        (error: unknown) => {
          const { code } = asGatewayError(error);
          if (JUDGED.test(code)) return code;
          throw error;
        },
      );
      if (JUDGED.test(status)) {
        shell.log.error({ zone, code: status }, "checkpoint refused");
      }
      if (status === "inconsistent") {
        // The audit service has recorded and raised it; here only the bundle is named.
        shell.log.error({ zone, bundle: row.bundle_id.toString("hex") }, "checkpoint inconsistent");
      }
      await query(
        pool,
        "ingress.witnessed",
        "UPDATE inbox_bundle SET checkpoint = NULL, certificates = NULL WHERE bundle_id = $1",
        [row.bundle_id],
      );
    }
    return rows.length === ROUND;
  }
}
