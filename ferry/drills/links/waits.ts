/** Guarantee: what the parts of the drill wait for is awaited in bounded time, and what did not come, or came twice, is named. */
import { join } from "node:path";
import type { Cargo } from "../cargo.ts";
import type { Bundle } from "../ferries.ts";
import { until } from "../wire/ends.ts";
import type { Field, Ground } from "./field.ts";

/** Each look at a counter of the kernel starts two programs. */
const LOOK_MS = 100;
/** Starting up, the last file, a machine that does much else. */
const PATIENCE_MS = 60_000;
/** Against what one line can carry. */
const SLOWEST = 1 / 8;

/** For `bytes` and their second pass, over one line. */
export function limitMsOf(bytes: number, { lineBits }: Ground): number {
  return PATIENCE_MS + (2 * bytes * 1000) / ((lineBits / 8) * SLOWEST);
}

/** As `until`, ten times a second. */
export function seldom<T>(what: string, limitMs: number, ask: () => T | undefined): Promise<T> {
  return until(what, limitMs, ask, LOOK_MS);
}

export interface Delivery {
  /** Not there, or not byte for byte. Must be empty. */
  readonly missing: readonly string[];
  /** Taken twice by the inbox. Must be empty. */
  readonly twice: readonly string[];
  /** Offered again although the inbox had them. */
  readonly offeredAgain: number;
}

export function nameOf(bundle: { readonly bundleId?: Uint8Array | null | undefined }): string {
  return Buffer.from(bundle.bundleId ?? []).toString("hex");
}

/** Waits until the inbox has all of them, or the time is over, and looks at every one. */
export async function allDelivered(
  { at }: Field,
  cargo: Cargo,
  bundles: readonly Bundle[],
  limitMs: number,
): Promise<Delivery> {
  const { inbox, takenDir } = at;
  await until("delivery", limitMs, () => inbox.delivered.length >= bundles.length || undefined)
    // What is missing is named below.
    .catch(() => undefined);
  const missing: string[] = [];
  for (const bundle of bundles) {
    const path = join(takenDir, bundle.file ?? "");
    if (!(await cargo.isWhole(bundle, path).catch(() => false))) missing.push(nameOf(bundle));
  }
  const counts = new Map<string, number>();
  for (const name of inbox.delivered.map(nameOf)) counts.set(name, (counts.get(name) ?? 0) + 1);
  return {
    missing,
    twice: [...counts].filter(([, count]) => count > 1).map(([name]) => name),
    offeredAgain: inbox.answers.filter((answer) => answer === "duplicate").length,
  };
}
