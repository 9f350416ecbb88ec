/**
 * Guarantee: a pass over a bundle begins when it is its turn, only while its lease is this ferry's and its
 * file verifies; the file is closed when the pass is on every link or was stopped.
 */
import { asGatewayError, GatewayError } from "@lightferry/proto/errors";
import { Turns } from "@lightferry/proto/service";
import { CHANNEL } from "../frame.ts";
import { Geometry } from "../object.ts";
import type { Range } from "../ranges.ts";
import type { LinkSigner } from "../signed.ts";
import { BundleFile, WHOLE_BYTES } from "./bundle-file.ts";
import { type CheckContext, checkBundle, outboxPath, type Proof } from "./check.ts";
import { BlockTurns, type Encoding } from "./encoding.ts";
import type { Carried } from "./journal.ts";
import { Pass, type PassKind, type PassPart } from "./pass.ts";
import { ObjectSource } from "./source.ts";
import type { Spread, SpreadLink } from "./spread.ts";
import type { TaggerOf } from "./tagger.ts";

/** The outbox has given a bundle to somebody else, or it is gone. */
export const LEASE_LOST = "outbox.lease-lost";

/**
 * Bundles of one class read and sent at the same time. Small ones need company
 * to fill the line while their files are opened; large ones only take memory.
 */
export const AT_ONCE = [16, 16, 3, 8] as const;

export interface TransmitParts {
  /** Over the links of the lane. */
  readonly spread: Spread;
  /** Of the lane, on the wire. */
  readonly laneNumber: number;
  readonly epoch: number;
  readonly encoding: Encoding;
  readonly signer: LinkSigner;
  readonly check: () => CheckContext;
  readonly frameSize: number;
  /** undefined: no object has tags. */
  readonly taggerOf?: TaggerOf | undefined;
  /** Whether a lease is known to be another's. */
  readonly lost: (leaseId: string) => boolean;
}

export class Transmit {
  readonly #parts: TransmitParts;
  readonly #turns = AT_ONCE.map((limit) => new Turns(limit));
  readonly #blocks = new BlockTurns();

  constructor(parts: TransmitParts) {
    this.#parts = parts;
  }

  /**
   * Checks a bundle and sends it, when it is its turn.
   * @param checked called before the first frame
   * @param groups those that a ticket asks for; none = all
   * @returns why the bundle is not sent, or undefined when it was
   * @throws GatewayError `outbox.lease-lost` when its lease is another's, or what stopped it and is no fault of its own
   */
  async send(
    bundle: Carried,
    kind: PassKind,
    checked: () => void = () => undefined,
    groups?: readonly Range[],
  ): Promise<GatewayError | undefined> {
    const { spread, check, lost } = this.#parts;
    return await (this.#turns[kind.serviceClass] as Turns).run(async () => {
      let file: BundleFile | undefined;
      let passing = false;
      if (lost(bundle.leaseId)) throw new GatewayError(LEASE_LOST);
      try {
        file = await opened(outboxPath(check().outboxDir, bundle.file), bundle, kind);
        const proof = await checkBundle(bundle, file, check());
        checked();
        passing = true;
        const { source, passOn } = this.#passes(bundle, file, proof, kind);
        const runs = (groups ?? []).map(([first, last]) => ({ first, count: last - first + 1 }));
        await spread.send(source.facts, bundle.passes, runs, passOn);
        return undefined;
      } catch (error) {
        const { code } = asGatewayError(error);
        // Clocks are at fault, not the bundle: it is leased and looked at again.
        if (code === "bundle.from-future") throw error;
        // That nothing can be signed now, say, is not the fault of a bundle that was never sent.
        const its =
          !passing || (kind.repeat && groups === undefined) || code === "ferry.file-invalid";
        if (its && error instanceof GatewayError && error.code !== "rpc.cancelled") return error;
        throw error;
      } finally {
        await file?.close();
      }
    });
  }

  /** The object, and how a part of it is sent through a link. */
  #passes(bundle: Carried, file: BundleFile, proof: Proof, kind: PassKind) {
    const { signer, check, frameSize, epoch, encoding, laneNumber, taggerOf } = this.#parts;
    const { lane, node } = check();
    const facts = {
      objectId: bundle.objectId,
      bundleId: Buffer.from(bundle.bundleId, "hex"),
      headerDigest: Buffer.from(bundle.headerDigest, "hex"),
      sender: node,
      lane,
      geometry: new Geometry(bundle.size, bundle.shardSize, bundle.code),
      proof,
    };
    const source = new ObjectSource(facts, file, encoding, this.#blocks);
    const shared = { epoch, frameSize, signer, taggerOf, lane: laneNumber };
    const passOn = ({ emitter: { wake }, memory }: SpreadLink, part: PassPart): Pass =>
      new Pass(source, kind, { ...shared, memory, wake }, part);
    return { source, passOn };
  }
}

/** A short urgent file is read on the spot: a thread to read it may be busy with the files of others. */
async function opened(path: string, { size }: Carried, kind: PassKind): Promise<BundleFile> {
  const now = kind.serviceClass === CHANNEL.urgent && size <= WHOLE_BYTES;
  return now ? BundleFile.read(path) : await BundleFile.open(path);
}
