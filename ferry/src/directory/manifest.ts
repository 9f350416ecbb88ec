/**
 * Guarantee: the manifest at the end of a shipment names its bundles in the order of the content, each once,
 * and their sizes fill the content exactly; its length is known before the digests are.
 */
import { decodeCanonical, encodeCanonical } from "@lightferry/proto/canonical";
import { GatewayError } from "@lightferry/proto/errors";
import { lightferry } from "@lightferry/proto/gen";
import { countFields } from "../media/wire.ts";
import { MAX_SHIPMENT_BUNDLES } from "./plan.ts";

const { ShipmentManifest } = lightferry.ferry.v1;
export type ShipmentBundle = InstanceType<typeof lightferry.ferry.v1.MediaBundle>;

const ID_BYTES = 16;
const DIGEST_BYTES = 32;
const BUNDLES_FIELD = 1;

/** A bundle as the lease names it. */
export interface Entry {
  /** Hex. */
  readonly bundleId: string;
  /** Hex. */
  readonly headerDigest: string;
  readonly size: number;
  readonly stream: string;
  readonly sequence: number;
}

/** @param digests SM3 of each file; without them the length is right and the content is not */
export function writeManifest(
  entries: readonly Entry[],
  digests: readonly Uint8Array[] = [],
): Uint8Array {
  return encodeCanonical(ShipmentManifest, {
    bundles: entries.map(({ bundleId, headerDigest, size, stream, sequence }, index) => ({
      bundleId: Buffer.from(bundleId, "hex"),
      headerDigest: Buffer.from(headerDigest, "hex"),
      ...{ size, stream, sequence },
      // A byte string of zeros is as long as any other.
      digest: digests[index] ?? new Uint8Array(DIGEST_BYTES),
    })),
  });
}

/** @param bytes of all bundles together @throws GatewayError `ferry.object-mismatch` */
export function readManifest(bytes: Uint8Array, expected: number): readonly ShipmentBundle[] {
  if (countFields(bytes, BUNDLES_FIELD) > MAX_SHIPMENT_BUNDLES) throw mismatch("bundles");
  let bundles: readonly ShipmentBundle[];
  try {
    ({ bundles } = decodeCanonical(ShipmentManifest, bytes) as unknown as {
      readonly bundles: readonly ShipmentBundle[];
    });
  } catch (cause) {
    throw mismatch("manifest", cause);
  }
  const total = bundles.reduce((sum, { size }) => sum + size, 0);
  if (bundles.length === 0 || total !== expected) throw mismatch("sizes");
  if (!bundles.every(isWhole)) throw mismatch("entry");
  const ids = new Set(bundles.map(({ bundleId }) => Buffer.from(bundleId).toString("hex")));
  if (ids.size !== bundles.length) throw mismatch("repeated");
  return bundles;
}

function isWhole({ bundleId, headerDigest, digest, size }: ShipmentBundle): boolean {
  return (
    bundleId.length === ID_BYTES &&
    headerDigest.length === DIGEST_BYTES &&
    digest.length === DIGEST_BYTES &&
    size > 0
  );
}

function mismatch(detail: string, cause?: unknown): GatewayError {
  return new GatewayError("ferry.object-mismatch", { detail: `shipment: ${detail}`, cause });
}
