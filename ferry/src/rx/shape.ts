/** Guarantee: what the frames of an object's groups must say of themselves, computed once (SPEC.md §3.1). */
import type { Geometry } from "../object.ts";
import type { ShardHeader } from "./shard.ts";

interface Shape {
  readonly k: number;
  readonly m: number;
  /** Bytes of every shard … */
  readonly length: number;
  /** … but the last data shard. */
  readonly tail: number;
}

function shapeOf(geometry: Geometry, group: number): Shape {
  const k = geometry.dataShards(group);
  return {
    k,
    m: geometry.parityShards(group),
    length: geometry.codedLength(group),
    tail: geometry.shardLength(group, k - 1),
  };
}

export class Shapes {
  readonly #size: number;
  readonly #groups: number;
  readonly #full: Shape;
  readonly #last: Shape;

  constructor(geometry: Geometry) {
    this.#size = geometry.size;
    this.#groups = geometry.groups;
    this.#full = shapeOf(geometry, 0);
    this.#last = shapeOf(geometry, geometry.groups - 1);
  }

  /** Why a shard is none of this object, or undefined. @param length bytes of its payload */
  fault(header: ShardHeader, length: number): "shape" | "group-shape" | undefined {
    const { group, shard, k } = header;
    if (header.objectSize !== this.#size || group >= this.#groups) return "shape";
    const shape = group === this.#groups - 1 ? this.#last : this.#full;
    if (k !== shape.k || header.m !== shape.m) return "group-shape";
    return length === (shard === k - 1 ? shape.tail : shape.length) ? undefined : "group-shape";
  }
}
