/** Guarantee: the highest figure that an attempt reaches without loss as its rate goes up, in a bounded number of attempts. */

export interface Attempt {
  /** Nothing was lost and all arrived in the first pass. */
  readonly clean: boolean;
  /** MB of content a second. */
  readonly goodput: number;
}

export interface Summit<T extends Attempt> {
  readonly best: T | undefined;
  readonly rate: number;
  readonly attempts: number;
}

const FACTOR = 1.4;
/** Less than this and a higher rate no longer helps: the machine itself is the limit. */
const GAIN = 1.03;
/** Clean attempts in a row without gain after which it is believed. */
const LEVEL = 2;
/** A rate that lost is tried once more: other work on the machine loses frames too. */
const TRIES = 2;

/** In units of the caller's. */
export interface Rates {
  readonly first: number;
  readonly least: number;
  readonly most: number;
}

/**
 * @param halvings how often the gap between the last clean and the first lossy rate is halved
 */
export async function climb<T extends Attempt>(
  { first, least, most }: Rates,
  halvings: number,
  attempt: (rate: number) => Promise<T>,
): Promise<Summit<T>> {
  let best: T | undefined;
  let [attempts, level, bestRate, left] = [0, 0, 0, halvings];
  let [low, high] = [0, Number.POSITIVE_INFINITY];
  const clean = async (rate: number): Promise<T | undefined> => {
    for (let tried = 0; tried < TRIES; tried += 1) {
      attempts += 1;
      const result = await attempt(rate);
      if (result.clean) return result;
    }
    return undefined;
  };
  for (let wanted = first; wanted >= least && wanted <= most; ) {
    // Settings take whole numbers.
    const rate = Math.round(wanted);
    const result = await clean(rate);
    if (result === undefined) {
      high = rate;
    } else {
      low = rate;
      level = result.goodput > (best?.goodput ?? 0) * GAIN ? 0 : level + 1;
      if (result.goodput > (best?.goodput ?? 0)) [best, bestRate] = [result, rate];
      if (level === LEVEL) break;
    }
    if (high === Number.POSITIVE_INFINITY) wanted *= FACTOR;
    else if (low === 0) wanted /= FACTOR;
    else if (left === 0) break;
    else {
      left -= 1;
      wanted = (low + high) / 2;
    }
  }
  return { best, rate: bestRate, attempts };
}
