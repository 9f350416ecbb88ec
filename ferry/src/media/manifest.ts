/**
 * Guarantee: a manifest that comes out of here was signed by a ferry key of the
 * expected sender, is within the limits of MEDIA.md §3 and names each bundle
 * once. Nothing in it was allocated by count before the count was bounded.
 */
import { GatewayError } from "@lightferry/proto/errors";
import { lightferry } from "@lightferry/proto/gen";
import {
  type LinkSigner,
  type LinkVerifier,
  MAX_CERTIFICATES,
  MEDIA_LABEL,
  signMessage,
  verifyMessage,
} from "../signed.ts";
import {
  MAX_BUNDLES,
  MAX_CUSTODIAN_CHARS,
  MAX_CUSTODIANS,
  MAX_MANIFEST_BYTES,
  MAX_STREAM_CHARS,
} from "./layout.ts";
import { countFields, fieldBytes } from "./wire.ts";

const { MediaManifest } = lightferry.ferry.v1;
type Decoded = InstanceType<typeof MediaManifest>;
export type MediaBundle = InstanceType<typeof lightferry.ferry.v1.MediaBundle>;
/** As decoded: every entry is whole. */
export type Manifest = Omit<Decoded, "bundles"> & { readonly bundles: readonly MediaBundle[] };

export const MANIFEST_VERSION = 1;
const ID_BYTES = 16;
const DIGEST_BYTES = 32;
/** Numbers of fields in ferry.proto. */
const FIELD = { payload: 1, certificates: 4, custodians: 10, bundles: 12 } as const;

/** Bytes of `manifest.lfm`. @throws GatewayError `certificate.unknown` when no key is in force */
export function writeManifest(
  signer: LinkSigner,
  manifest: lightferry.ferry.v1.MediaManifest.$Properties,
): Uint8Array {
  return signMessage(signer, MEDIA_LABEL, MediaManifest, manifest, true);
}

/**
 * @throws GatewayError `media.manifest-invalid`, `media.signature-invalid`, `certificate.*` for a key that is
 * known and does not count
 */
export function readManifest(verifier: LinkVerifier, bytes: Uint8Array): Manifest {
  checkCounts(bytes);
  let refusedKey: GatewayError | undefined;
  const asking: LinkVerifier = {
    ...verifier,
    refused: (keyId, code) => {
      refusedKey = new GatewayError(code, { detail: `${verifier.sender} ${keyId}` });
    },
  };
  const read = verifyMessage(
    asking,
    MEDIA_LABEL,
    MediaManifest,
    bytes,
    ({ createdMs }) => createdMs,
  );
  if (read === "refused-key" && refusedKey !== undefined) throw refusedKey;
  if (read === "malformed") throw invalid("not a signed manifest");
  if (typeof read === "string") {
    throw new GatewayError("media.signature-invalid", { detail: read });
  }
  const manifest = read as Manifest;
  checkShape(manifest);
  return manifest;
}

export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

/** How many of each is known before anything is made of them. */
function checkCounts(bytes: Uint8Array): void {
  if (bytes.length > MAX_MANIFEST_BYTES) throw invalid("too large");
  const payload = fieldBytes(bytes, FIELD.payload);
  const counts = [
    [countFields(bytes, FIELD.certificates), MAX_CERTIFICATES[MEDIA_LABEL]],
    [countFields(payload, FIELD.custodians), MAX_CUSTODIANS],
    [countFields(payload, FIELD.bundles), MAX_BUNDLES],
  ] as const;
  if (counts.some(([count, most]) => count > most)) throw invalid("too many entries");
}

function checkShape(manifest: Manifest): void {
  const { version, mediumId, number, previous, count, bundles, custodians } = manifest;
  const faults: readonly [boolean, string][] = [
    [version === MANIFEST_VERSION, "version"],
    [mediumId.length === ID_BYTES, "medium id"],
    [number >= 1 && previous < number, "number"],
    [count === bundles.length && count >= 1, "count"],
    [custodians.every(isName), "custodian"],
    [bundles.every(isEntry), "bundle"],
    [new Set(bundles.map(({ bundleId }) => hex(bundleId))).size === bundles.length, "repeated"],
  ];
  const fault = faults.find(([right]) => !right);
  if (fault !== undefined) throw invalid(fault[1]);
}

/** A person's name, as it is printed: no control characters, not empty, not long. */
export function isName(name: string): boolean {
  return (
    name.trim() !== "" &&
    name.length <= MAX_CUSTODIAN_CHARS &&
    !/[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/u.test(name)
  );
}

function isEntry({ bundleId, headerDigest, digest, size, stream, sequence }: MediaBundle): boolean {
  return (
    bundleId.length === ID_BYTES &&
    headerDigest.length === DIGEST_BYTES &&
    digest.length === DIGEST_BYTES &&
    size > 0 &&
    stream.length > 0 &&
    stream.length <= MAX_STREAM_CHARS &&
    sequence > 0
  );
}

function invalid(detail: string): GatewayError {
  return new GatewayError("media.manifest-invalid", { detail });
}
