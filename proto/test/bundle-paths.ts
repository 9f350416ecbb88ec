/** Guarantee: what must hold of bundles is asked on both ways through the chunks. */
import { afterAll, beforeAll } from "vitest";
import { closeBundleWorkers, openBundleWorkers } from "../src/bundle/index.ts";

/** Name and number of workers. */
export const PATHS = [
  ["on the calling thread", 0],
  ["by workers", 2],
] as const;

/** For the tests of this block; every bundle goes to the workers, also one of a single chunk. */
export function useWorkers(count: number): void {
  beforeAll(() => openBundleWorkers(count, 1));
  afterAll(closeBundleWorkers);
}
