/** Guarantee: what is said of an arrival is what its verified header says, and it is the bundle that was announced. */
import { type ReceivedBundle, type VerifyContext, verifyHeader } from "@lightferry/proto/bundle";
import { GatewayError } from "@lightferry/proto/errors";
import type { SmProvider } from "@lightferry/proto/sm";

export interface Arrival {
  readonly bundleId: string;
  readonly headerDigest: Uint8Array;
  readonly size: number;
  readonly stream: string;
  readonly sequence: number;
}

/**
 * Verifies the header of a file. First of all it is the announced one: whoever names bundles over the link may not be
 * the one who signed this, and of what is refused for a later reason the announced id is told to the sender.
 * @param bundleId hex, as announced @param headerDigest where the manifest is known
 * @throws GatewayError for a fault of the bundle
 */
export function arrivalOf(
  provider: SmProvider,
  received: ReceivedBundle,
  context: VerifyContext,
  bundleId: string,
  headerDigest?: Uint8Array,
): Arrival {
  const digest = provider.sm3(received.headerBytes);
  const same =
    Buffer.from(received.header.bundleId).toString("hex") === bundleId &&
    (headerDigest === undefined || Buffer.compare(digest, headerDigest) === 0);
  if (!same) throw new GatewayError("ferry.object-mismatch", { detail: "header" });
  const verified = verifyHeader(provider, received, context);
  const { stream, sequence } = verified.header;
  return { bundleId, headerDigest: verified.headerDigest, size: verified.size, stream, sequence };
}
