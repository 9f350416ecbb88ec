/**
 * Guarantee: both halves cut a shipment's content into parts and groups in the same way, and numbers that do
 * not fit together are refused before anything is reserved for them (DIRECTORY.md §4).
 */
import { MAX_DATA_SHARDS, MAX_PARITY_SHARDS } from "../erasure/index.ts";
import { MAX_SHARDS } from "../frame.ts";
import { MAX_OBJECT_BYTES } from "../object.ts";

/** Bundles of one shipment: 310 bytes each in its manifest. */
export const MAX_SHIPMENT_BUNDLES = 1_000;
/** Their entries with the longest stream names. */
export const MAX_MANIFEST_BYTES = 512 << 10;
/** The largest bundle and its manifest. */
const MAX_CONTENT_BYTES = MAX_OBJECT_BYTES + MAX_MANIFEST_BYTES;
/** Smaller parts are heads and nothing else. */
const MIN_PART_BYTES = 1_024;
/** Parts of one shipment, parity included: each is a bit of memory. A bundle of 256 GiB in files of 1 MiB has a third. */
const MAX_PARTS = 2 ** 20;

export interface PlanFacts {
  /** Bytes of the content: bundles, then the manifest. */
  readonly size: number;
  readonly manifestSize: number;
  readonly partBytes: number;
  /** Of a full group. */
  readonly dataParts: number;
  readonly parityParts: number;
}

export class Plan {
  readonly facts: PlanFacts;
  readonly groupBytes: number;
  readonly groups: number;

  constructor({ size, manifestSize, partBytes, dataParts, parityParts }: PlanFacts) {
    this.facts = { size, manifestSize, partBytes, dataParts, parityParts };
    this.groupBytes = partBytes * dataParts;
    this.groups = Math.ceil(size / this.groupBytes);
  }

  /** Parts of every group but the last. */
  get groupParts(): number {
    return this.facts.dataParts + this.facts.parityParts;
  }

  /** Where the manifest begins. */
  get manifestAt(): number {
    return this.facts.size - this.facts.manifestSize;
  }

  /** Data bytes of a group. */
  groupLength(group: number): number {
    return Math.min(this.groupBytes, this.facts.size - group * this.groupBytes);
  }

  /** k: the last group has as many as it needs. */
  dataParts(group: number): number {
    return Math.ceil(this.groupLength(group) / this.facts.partBytes);
  }

  /** m: in proportion, but where there is parity at all never none. */
  parityParts(group: number): number {
    const { dataParts, parityParts } = this.facts;
    return Math.ceil((this.dataParts(group) * parityParts) / dataParts);
  }

  /** Bytes of the group's parity parts, and of its data parts once they are filled up with zeros. */
  codedLength(group: number): number {
    return Math.min(this.facts.partBytes, this.groupLength(group));
  }

  /** Payload bytes of a part. */
  partLength(group: number, index: number): number {
    if (index >= this.dataParts(group)) return this.codedLength(group);
    return Math.min(this.facts.partBytes, this.groupLength(group) - index * this.facts.partBytes);
  }

  /** Where a data part lies in the content. */
  partAt(group: number, index: number): number {
    return group * this.groupBytes + index * this.facts.partBytes;
  }

  /** Number of a part among all of the shipment; groups are given room for a full one. */
  slot(group: number, index: number): number {
    return group * this.groupParts + index;
  }

  /** Bytes that content and parity may take on disk. */
  get reserve(): number {
    return this.facts.size + this.groups * this.facts.parityParts * this.codedLength(0);
  }

  sameAs(other: Plan): boolean {
    const [one, two] = [this.facts, other.facts];
    return (
      one.size === two.size &&
      one.manifestSize === two.manifestSize &&
      one.partBytes === two.partBytes &&
      one.dataParts === two.dataParts &&
      one.parityParts === two.parityParts
    );
  }
}

/** Why these numbers cut nothing, or undefined. */
export function planFault(facts: PlanFacts): string | undefined {
  const { size, manifestSize, partBytes, dataParts, parityParts } = facts;
  if (!Number.isSafeInteger(size) || size < 2 || size > MAX_CONTENT_BYTES) return "size";
  if (manifestSize < 1 || manifestSize > MAX_MANIFEST_BYTES || manifestSize >= size) {
    return "manifest-size";
  }
  if (partBytes < MIN_PART_BYTES) return "part-bytes";
  if (dataParts < 1 || dataParts > MAX_DATA_SHARDS) return "data-parts";
  if (parityParts > MAX_PARITY_SHARDS || dataParts + parityParts > MAX_SHARDS) {
    return "parity-parts";
  }
  const { groups, groupParts } = new Plan(facts);
  return groups * groupParts > MAX_PARTS ? "parts" : undefined;
}
