/**
 * Guarantee: a manifest that passes is canonical, within its limits, opens every
 * item commitment of the header, and its sizes add up to the plaintext exactly
 * (proto/SPEC.md §6).
 */
import { encodeCanonical } from "../canonical.ts";
import { GatewayError } from "../errors/index.ts";
import { lightferry } from "../gen/index.js";
import type { SmProvider } from "../sm/index.ts";
import { itemCommitment } from "../verdict/index.ts";
import { assertCanonical, decodeAs } from "./decode.ts";
import { decodeEntry, type ItemEntry } from "./entry.ts";
import { BundleItemError, forItem } from "./item-error.ts";
import {
  LENGTH_BYTES,
  MANIFEST_MAX,
  SALT_BYTES,
  TRAIL_EVENT_MAX,
  TRAIL_EVENTS_MAX,
  TRUST_ITEM_MAX,
  TRUST_ITEMS_MAX,
} from "./limits.ts";
import { firstRepeated } from "./repeated.ts";

const { Manifest } = lightferry.bundle.v1;

/** One item of a checked manifest. */
export interface ManifestItem {
  readonly salt: Uint8Array;
  readonly entryBytes: Uint8Array;
  readonly entry: ItemEntry;
  /** Canonical `lightferry.audit.v1.Event`, the sender's half; not decoded here. */
  readonly trail: readonly Uint8Array[];
  /** Plaintext offset of the content. */
  readonly start: number;
}

/** A manifest that passed {@link checkManifest}. */
export interface CheckedManifest {
  readonly items: readonly ManifestItem[];
  /** DER certificates and revocation lists of the sender's zone; not decoded here. */
  readonly trust: readonly Uint8Array[];
}

/** What the header says that a manifest must agree with. */
export interface ManifestFacts {
  readonly commitments: readonly Uint8Array[];
  /** Grade of each item's verdict. */
  readonly grades: readonly string[];
  readonly plaintextSize: number;
}

/**
 * Length frame and canonical manifest, as they open the plaintext.
 * @throws GatewayError `bundle.manifest-too-large`, `bundle.manifest-invalid`.
 */
export function encodeManifest(
  items: readonly { salt: Uint8Array; entry: Uint8Array; trail: readonly Uint8Array[] }[],
  trust: readonly Uint8Array[],
): Uint8Array {
  assertTrust(trust);
  const bytes = encodeCanonical(Manifest, {
    trust: [...trust],
    items: items.map(({ salt, entry, trail }) => ({ salt, entry, trail: [...trail] })),
  });
  if (bytes.length > MANIFEST_MAX) {
    throw new GatewayError("bundle.manifest-too-large", { detail: `${bytes.length} bytes` });
  }
  const frame = Buffer.allocUnsafe(LENGTH_BYTES + bytes.length);
  frame.writeUInt32BE(bytes.length);
  frame.set(bytes, LENGTH_BYTES);
  return frame;
}

/** SPEC §6.3. @throws GatewayError `bundle.manifest-invalid`. */
export function manifestLength(frame: Uint8Array, plaintextSize: number): number {
  const length = Buffer.from(frame.buffer, frame.byteOffset, LENGTH_BYTES).readUInt32BE();
  if (length === 0 || length > MANIFEST_MAX || LENGTH_BYTES + length > plaintextSize) {
    throw new GatewayError("bundle.manifest-invalid", { detail: `length ${length}` });
  }
  return length;
}

/**
 * SPEC §6.4, in its order.
 * @throws GatewayError `bundle.manifest-invalid`, `bundle.not-canonical`,
 * `bundle.commitment-mismatch`, `bundle.duplicate-item`.
 */
export function checkManifest(
  provider: SmProvider,
  bytes: Uint8Array,
  facts: ManifestFacts,
): CheckedManifest {
  const manifest = decodeAs(Manifest, bytes, "bundle.manifest-invalid");
  assertCanonical(Manifest, manifest, bytes);
  // A decoded manifest holds whole messages.
  const records = manifest.items as lightferry.bundle.v1.ManifestItem[];
  if (records.length !== facts.commitments.length) {
    throw invalid(`${records.length} entries for ${facts.commitments.length} items`);
  }
  assertTrust(manifest.trust);
  let start = LENGTH_BYTES + bytes.length;
  const items = records.map((record, index): ManifestItem => {
    const entry = forItem(index, () => checkRecord(provider, record, index, facts));
    const item = { salt: record.salt, entryBytes: record.entry, entry, trail: record.trail, start };
    start += entry.size;
    return item;
  });
  const twice = firstRepeated(items.map((item) => item.entry.exchangeId));
  if (twice !== -1) throw new BundleItemError("bundle.duplicate-item", twice);
  if (start !== facts.plaintextSize) {
    throw invalid(`sizes add up to ${start} of ${facts.plaintextSize}`);
  }
  return { items, trust: manifest.trust };
}

/** @throws GatewayError `bundle.manifest-invalid`. */
function assertTrust(trust: readonly Uint8Array[]): void {
  const sized = trust.every(({ length }) => length > 0 && length <= TRUST_ITEM_MAX);
  if (!sized || trust.length > TRUST_ITEMS_MAX) throw invalid("trust");
}

function checkRecord(
  provider: SmProvider,
  record: lightferry.bundle.v1.ManifestItem,
  index: number,
  facts: ManifestFacts,
): ItemEntry {
  assertSaltAndTrail(record);
  const commitment = facts.commitments[index] ?? new Uint8Array();
  if (Buffer.compare(itemCommitment(provider, record.salt, record.entry), commitment) !== 0) {
    throw new GatewayError("bundle.commitment-mismatch");
  }
  const entry = decodeEntry(record.entry);
  if (entry.grade !== facts.grades[index]) throw invalid("grade");
  return entry;
}

/** @throws GatewayError `bundle.manifest-invalid`. */
export function assertSaltAndTrail(item: {
  readonly salt: Uint8Array;
  readonly trail: readonly Uint8Array[];
}): void {
  if (item.salt.length !== SALT_BYTES) throw invalid("salt");
  if (item.trail.length > TRAIL_EVENTS_MAX) throw invalid("trail");
  if (item.trail.some((event) => event.length === 0 || event.length > TRAIL_EVENT_MAX)) {
    throw invalid("trail event");
  }
}

function invalid(detail: string): GatewayError {
  return new GatewayError("bundle.manifest-invalid", { detail });
}
