/** Guarantee: the same data and the same losses in every run and for every side. */
export type Bytes = Uint8Array;

/** Patterns of losses that take turns: no side can profit from having seen one just before. */
const PATTERNS = 61;

/** Minimal standard generator (Park and Miller). */
function randomNumbers(): (below: number) => number {
  let state = 20_261_122;
  return (below) => {
    state = (state * 48_271) % 2_147_483_647;
    return state % below;
  };
}

/** Fills `k` data shards. */
export function fillWith(k: number, shard: (index: number) => Bytes): void {
  const random = randomNumbers();
  for (let i = 0; i < k; i += 1) {
    const bytes = shard(i);
    for (let n = 0; n < bytes.length; n += 1) bytes[n] = random(256);
  }
}

/** Marks for `k` + `m` shards, `lost` random data shards missing in each. */
export function patterns(k: number, m: number, lost: number): readonly Bytes[] {
  const random = randomNumbers();
  return Array.from({ length: PATTERNS }, () => {
    const present = new Uint8Array(k + m).fill(1);
    for (let left = lost; left > 0; ) {
      const index = random(k);
      left -= present[index] as number;
      present[index] = 0;
    }
    return present;
  });
}

/**
 * The one pattern that the package can always repair: with as many lost as there is parity it
 * answers "too few shards" unless the first is among them (1.0.2). It may keep its inverse.
 */
export function firstLost(k: number, m: number, lost: number): readonly Bytes[] {
  return [new Uint8Array(k + m).fill(1).fill(0, 0, lost)];
}
