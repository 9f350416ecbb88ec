/**
 * Guarantee: a checkpoint of the other zone is answered only after it is
 * durable together with an own event that covers it. Its signature is checked
 * with an audit key that is certified, under the pinned root, for the registered
 * node of that zone; certificates that came with it count only when they lead
 * there. One at a time, so that two cannot both be "the newest".
 */
import { type ErrorCode, GatewayError } from "@lightferry/proto/errors";
import type { lightferry } from "@lightferry/proto/gen";
import type { Registry } from "@lightferry/proto/registry";
import type { SmProvider } from "@lightferry/proto/sm";
import type { KeyDirectory } from "@lightferry/proto/trust";
import type { Sequencer } from "../sequencer/sequencer.ts";
import type { WitnessVerdict } from "../store/batch.ts";
import { HASH_BYTES } from "../tree/tile-tree.ts";
import { type Checkpoint, checkNote, originOf, readNote } from "../verify/note.ts";
import { judge, type KnownCheckpoint } from "./judge.ts";

/** A proof has at most two hashes per level of the tree, and sizes stay below 2^53. */
const MAX_PROOF_HASHES = 106;
const ID_BYTES = 16;
/** As many as a bundle's header may hold. */
const MAX_CERTIFICATES = 8;

export type WitnessStatus = "recorded" | "stale" | "inconsistent";

export interface WitnessOptions {
  readonly provider: SmProvider;
  readonly sequencer: Sequencer;
  /** The one other zone whose checkpoints come through the gate. */
  readonly zone: string;
  /** The newest registry; asked again with `stale` when it does not know the node. */
  readonly registry: (options: { readonly stale: boolean }) => Promise<Registry>;
  /** Public keys of the nodes of that registry, by the trust store in force. */
  readonly keys: (registry: Registry) => KeyDirectory;
  readonly known: (zone: string, size: number, oldSize: number) => Promise<KnownCheckpoint[]>;
}

type Request = lightferry.audit.v1.WitnessRequest;

export class Witness {
  readonly #options: WitnessOptions;
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: WitnessOptions) {
    this.#options = options;
  }

  /** @throws GatewayError `audit.witness-invalid` (recorded as an event), or a fault of the log. */
  record(request: Request): Promise<WitnessStatus> {
    const turn = this.#last.then(() => this.#record(request));
    this.#last = turn.catch(() => {});
    return turn;
  }

  async #record(request: Request): Promise<WitnessStatus> {
    const checkpoint = await this.#verified(request);
    if (typeof checkpoint === "string") {
      await this.#refuse(request, checkpoint);
      throw new GatewayError("audit.witness-invalid", { detail: `${request.zone}: ${checkpoint}` });
    }
    const { size, root } = checkpoint;
    const known = await this.#options.known(request.zone, size, request.oldSize);
    const proven = { size, root, oldSize: request.oldSize, consistency: request.consistency };
    const judgement = judge(this.#options.provider.sm3, proven, known);
    if (!judgement.known) await this.#persist(request, checkpoint, judgement.verdict);
    if (judgement.verdict === "inconsistent") return "inconsistent";
    const newest = Math.max(
      0,
      ...known.filter((k) => k.verdict !== "inconsistent").map((k) => k.size),
    );
    return size < newest ? "stale" : "recorded";
  }

  /** The checkpoint, or the code of what is wrong with it. */
  async #verified(request: Request): Promise<Checkpoint | ErrorCode> {
    const checkpoint = readNote(Buffer.from(request.note).toString("utf8"));
    const wellFormed =
      request.zone === this.#options.zone &&
      checkpoint !== undefined &&
      checkpoint.size > 0 &&
      request.oldSize < checkpoint.size &&
      request.consistency.length <= MAX_PROOF_HASHES &&
      request.consistency.every((hash) => hash.length === HASH_BYTES) &&
      request.certificates.length <= MAX_CERTIFICATES &&
      (request.bundleId.length === 0 || request.bundleId.length === ID_BYTES);
    if (!wellFormed) return "audit.witness-invalid";
    const { certificates: presented } = request;
    const usage = { presented, usedMs: checkpoint.loggedMs };
    for (const stale of [false, true]) {
      const registry = await this.#options.registry({ stale });
      const node = registry.nodeOfZone(request.zone);
      if (node === undefined || checkpoint.origin !== originOf(node.id)) continue;
      try {
        const key = this.#options.keys(registry).auditKey(node.id, checkpoint.keyId, usage);
        const good = key !== undefined && checkNote(this.#options.provider, checkpoint, key);
        return good ? checkpoint : "audit.witness-invalid";
      } catch (error) {
        if (error instanceof GatewayError) return error.code;
        throw error;
      }
    }
    return "audit.witness-invalid";
  }

  async #persist(request: Request, checkpoint: Checkpoint, verdict: WitnessVerdict): Promise<void> {
    const { size, root } = checkpoint;
    const outcome = { linked: "ok", first: "ok", unlinked: "held", inconsistent: "error" } as const;
    await this.#options.sequencer.append({
      events: [],
      trails: [],
      own: [
        {
          type: "audit.checkpoint-witnessed",
          outcome: outcome[verdict],
          ...(verdict === "inconsistent" ? { code: "audit.witness-inconsistent" } : {}),
          bundleId: request.bundleId,
          digest: this.#options.provider.sm3(request.note),
          size,
          attributes: {
            zone: request.zone,
            root: Buffer.from(root).toString("hex"),
            verdict,
            "old-size": String(request.oldSize),
          },
        },
      ],
      witness: {
        ...{ zone: request.zone, size, root, oldSize: request.oldSize, verdict },
        consistency: Buffer.concat(request.consistency),
        bundleId: request.bundleId,
        note: Buffer.from(request.note).toString("utf8"),
      },
    });
  }

  async #refuse(request: Request, code: ErrorCode): Promise<void> {
    await this.#options.sequencer.append({
      events: [],
      trails: [],
      own: [
        {
          type: "audit.checkpoint-witnessed",
          outcome: "refused",
          code,
          bundleId: request.bundleId.length === ID_BYTES ? request.bundleId : new Uint8Array(),
          digest: this.#options.provider.sm3(request.note),
          attributes: { zone: request.zone.slice(0, 32) },
        },
      ],
    });
  }
}
