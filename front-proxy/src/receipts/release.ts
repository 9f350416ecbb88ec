/**
 * Guarantee: what leaves by a lane of receipts was opened once more, after it was sealed and by this program,
 * which cannot sign it: every item that policy permitted for this lane is a file of receipts, and nothing rides
 * beside them. Seal alone can send nothing there that policy did not see (proto/SPEC.md §17.6).
 *
 *   sealed ─▶ copy of our own ─▶ header, keys, verdicts ─▶ bare? ─▶ every chunk ─▶ opened by our own key ─▶ receipts? ─▶ outbox
 */
import { join } from "node:path";
import {
  openBundle,
  readHeader,
  type VerifiedHeader,
  verifyChunks,
  verifyHeader,
} from "@lightferry/proto/bundle";
import { asGatewayError, GatewayError } from "@lightferry/proto/errors";
import type { lightferry } from "@lightferry/proto/gen";
import { decodeReceiptFile, FILE_MAX } from "@lightferry/proto/receipt";
import { isReceiptLane } from "@lightferry/proto/registry";
import type { FrontProxyContext } from "../context.ts";
import { asStorageFault, refusalCode } from "../ingress/failures.ts";
import { awaitOwnKey } from "../ingress/keys/at-hand.ts";
import { type DecryptionRing, openOwnKeys } from "../ingress/keys/own-keys.ts";
import { keysOf } from "../trust/directory.ts";
import { replaceByOwn } from "./own-copy.ts";

type Sealed = Pick<
  InstanceType<typeof lightferry.seal.v1.CommitRequest>,
  "bundleId" | "headerDigest" | "file" | "size" | "stream"
>;

export class ReceiptRelease {
  readonly #context: FrontProxyContext;
  #ring: DecryptionRing | undefined;

  constructor(context: FrontProxyContext) {
    this.#context = context;
  }

  /**
   * Of bundles of other lanes nothing is asked. The file of one that may leave is ours from here on.
   * @throws GatewayError `outbox.not-receipts`, with an event; `inbox.key-missing`, `sm.key-*`: it waits.
   */
  async check(sealed: Sealed): Promise<void> {
    const [lane = ""] = sealed.stream.split("/", 1);
    const entry = this.#context.registry().lane(lane);
    if (entry === undefined || !isReceiptLane(entry)) return;
    try {
      const path = join(this.#context.config.outboxDir, sealed.file);
      await replaceByOwn(path, sealed.size, (copy) => this.#open(copy, sealed, lane));
    } catch (error) {
      const fault = asGatewayError(asStorageFault(error));
      const speaksOfIt = AGAINST_BYTES.test(refusalCode(error) ?? fault.code);
      if (!speaksOfIt) throw fault;
      const detail = fault.code === "outbox.not-receipts" ? fault.detail : fault.code;
      await this.#context.shell.journal.record([
        {
          ...{ type: "bundle.refused", outcome: "refused", code: "outbox.not-receipts" },
          ...{ actor: "seal", bundleId: sealed.bundleId, lane, digest: sealed.headerDigest },
          size: sealed.size,
          attributes: { stream: sealed.stream, detail },
        },
      ]);
      throw new GatewayError("outbox.not-receipts", { detail, cause: error });
    }
  }

  async #open(path: string, sealed: Sealed, lane: string): Promise<void> {
    const { config, shell } = this.#context;
    const verified = verifyHeader(shell.provider, await readHeader(path), {
      ...{ now: Date.now(), lane, sender: config.node },
      ...{ keys: keysOf(this.#context), self: config.node },
    });
    if (Buffer.compare(verified.headerDigest, sealed.headerDigest) !== 0) refuse("header");
    this.#assertBare(verified);
    await verifyChunks(shell.provider, verified);
    this.#ring ??= this.#openRing();
    await awaitOwnKey({ context: this.#context, ring: this.#ring }, verified.header.recipients);
    const onTrust = () => refuse("trust items");
    for await (const { index, entry, trail, content } of openBundle(
      shell.provider,
      verified,
      this.#ring,
      { onTrust },
    )) {
      if (entry.kind !== "receipt") refuse(`item ${index}: ${entry.kind}`);
      if (trail.length > 0) refuse(`item ${index}: trail`);
      if (entry.size > FILE_MAX) refuse(`item ${index}: ${entry.size} bytes`);
      const pieces: Uint8Array[] = [];
      for await (const piece of content) pieces.push(Uint8Array.from(piece));
      decodeReceiptFile(Buffer.concat(pieces));
    }
  }

  /** Beside what commitments, verdicts and positions say a header has room for certificates, a checkpoint and a name. */
  #assertBare({ header, verdicts }: VerifiedHeader): void {
    if (header.checkpoint) refuse("checkpoint");
    if (!verdicts.some(({ policyVersion }) => policyVersion === header.policyVersion)) {
      refuse("policy version");
    }
    const known = this.#context.trust.current().certificates.map(({ der }) => der);
    const stranger = header.certificates.findIndex(
      (der) => !known.some((other) => Buffer.compare(der, other) === 0),
    );
    if (stranger !== -1) refuse(`certificate ${stranger}`);
  }

  /** Only where there is such a lane. */
  #openRing(): DecryptionRing {
    const ring = openOwnKeys(this.#context);
    this.#context.trust.changed(() => ring.refresh());
    return ring;
  }
}

/** The bytes are at fault, and not our own house, a clock or a key that was withdrawn meanwhile. */
const AGAINST_BYTES =
  /^(?:outbox\.not-receipts|receipt\..*|bundle\.(?!expired$|from-future$|secret-).*|verdict\.(?!expired$).*)$/;

function refuse(detail: string): never {
  throw new GatewayError("outbox.not-receipts", { detail });
}
