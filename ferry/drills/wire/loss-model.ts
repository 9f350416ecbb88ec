/** Guarantee: which frames a line loses follows from the model and its seed alone, frame by frame. */

export type LossModel =
  /** Every frame alone, with this probability. */
  | { readonly kind: "random"; readonly share: number; readonly seed: number }
  /** Gilbert–Elliott: all frames of a burst are lost, none between bursts; burst lengths are geometric. */
  | {
      readonly kind: "bursts";
      readonly share: number;
      readonly meanFrames: number;
      readonly seed: number;
    }
  /** Once, so many frames in a row. */
  | { readonly kind: "hole"; readonly after: number; readonly frames: number };

/** Uniform in [0, 1), repeatable (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** @returns asked once for each frame, in order: whether it is lost */
export function lossOf(model: LossModel): () => boolean {
  if (model.kind === "hole") {
    let number = -1;
    const { after, frames } = model;
    return () => {
      number += 1;
      return number >= after && number < after + frames;
    };
  }
  const chance = seeded(model.seed);
  if (model.kind === "random") return () => chance() < model.share;
  // In the long run the share of frames in bursts is enter / (enter + leave).
  const leave = 1 / model.meanFrames;
  const enter = (leave * model.share) / (1 - model.share);
  let inBurst = false;
  return () => {
    inBurst = inBurst ? chance() >= leave : chance() < enter;
    return inBurst;
  };
}
