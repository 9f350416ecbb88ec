/** Guarantee: finds a byte string that stands twice, and says where. */

/** Index of the first that equals one before it; -1 when all differ. */
export function firstRepeated(values: readonly Uint8Array[]): number {
  const seen = new Set<string>();
  return values.findIndex((bytes) => {
    const name = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
    return seen.size === seen.add(name).size;
  });
}
