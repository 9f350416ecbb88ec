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

interface Asked {
  readonly atMs: number;
  readonly carriedSize: number;
  readonly value: CarriedCheckpoint | undefined;
}

export class CheckpointSource {
  readonly #audit: FrontProxyContext["audit"];
  readonly #log: FrontProxyContext["shell"]["log"];
  /** By stream: what was asked last. */
  readonly #asked = new Map<string, Asked>();

  constructor(context: Pick<FrontProxyContext, "audit" | "shell">) {
    this.#audit = context.audit;
    this.#log = context.shell.log;
  }

  /** @param carriedSize size of the checkpoint that this stream carried last; 0 = none. */
  async newest(stream: string, carriedSize: number): Promise<CarriedCheckpoint | undefined> {
    const now = performance.now();
    const last = this.#asked.get(stream);
    if (last !== undefined && now - last.atMs < FRESH_MS) {
      // The same size again: that bundle was given up. Another: it has left, and was recent enough.
      return last.carriedSize === carriedSize ? last.value : undefined;
    }
    const value = await this.#fetch(carriedSize);
    this.#asked.set(stream, { atMs: now, carriedSize, value });
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
