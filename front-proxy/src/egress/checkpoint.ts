/**
 * Guarantee: a lease carries the zone's newest audit checkpoint when the audit
 * service can be reached, and none when it cannot: sealing does not wait for it.
 */
import { asGatewayError } from "@lightferry/proto/errors";
import type { lightferry } from "@lightferry/proto/gen";
import type { FrontProxyContext } from "../context.ts";

/** The far side witnesses at the pace of bundles; more often than this tells it nothing new. */
const FRESH_MS = 1_000;
/** Sealing goes on without a checkpoint rather than wait longer than a bundle takes. */
const DEADLINE_MS = 500;

export interface CarriedCheckpoint {
  readonly checkpoint: lightferry.bundle.v1.Checkpoint.$Properties;
  /** Tree size the note speaks of. */
  readonly size: number;
}

export class CheckpointSource {
  readonly #audit: FrontProxyContext["audit"];
  readonly #log: FrontProxyContext["shell"]["log"];
  readonly #known = new Map<number, { atMs: number; value: CarriedCheckpoint | undefined }>();

  constructor(context: Pick<FrontProxyContext, "audit" | "shell">) {
    this.#audit = context.audit;
    this.#log = context.shell.log;
  }

  /** @param carriedSize size of the checkpoint that this stream carried last; 0 = none. */
  async newest(carriedSize: number): Promise<CarriedCheckpoint | undefined> {
    const now = performance.now();
    const known = this.#known.get(carriedSize);
    if (known !== undefined && now - known.atMs < FRESH_MS) return known.value;
    const value = await this.#fetch(carriedSize);
    for (const [size, entry] of this.#known) {
      if (now - entry.atMs >= FRESH_MS) this.#known.delete(size);
    }
    this.#known.set(carriedSize, { atMs: now, value });
    return value;
  }

  async #fetch(oldSize: number): Promise<CarriedCheckpoint | undefined> {
    try {
      const { note, size, consistency } = await this.#audit.getCheckpoint(
        { oldSize },
        { deadlineMs: DEADLINE_MS },
      );
      if (note.length === 0) return undefined;
      return { checkpoint: { note, oldSize, consistency }, size };
    } catch (error) {
      this.#log.warn({ code: asGatewayError(error).code }, "no audit checkpoint for this bundle");
      return undefined;
    }
  }
}
