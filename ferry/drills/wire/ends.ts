/** Guarantee: what a drill started ends with the drill, however that ends, and no wait of it is longer than it says. */
import type { ChildProcess } from "node:child_process";
import { rmSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";

/** Undone when the process exits, for whatever reason but SIGKILL. */
const last = new Set<() => void>();
process.on("exit", () => {
  for (const undo of last) undo();
});

/** @returns takes it back: what was to be undone is undone */
export function atTheEnd(undo: () => void): () => void {
  last.add(undo);
  return () => last.delete(undo);
}

/** A folder that is gone with this process at the latest. */
export function removedWithUs(path: string): void {
  atTheEnd(() => rmSync(path, { recursive: true, force: true }));
}

/**
 * A program must not outlive its drill.
 * @returns to be called when it is known to be over: its number may belong to somebody else by then
 */
export function endsWithUs(pid: number): () => void {
  return atTheEnd(() => {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It has ended meanwhile.
    }
  });
}

export function childEndsWithUs<T extends ChildProcess>(child: T): T {
  if (child.pid !== undefined) child.once("exit", endsWithUs(child.pid));
  return child;
}

/** Without a handler a signal would end this process without its `exit` event. */
for (const [signal, code] of [
  ["SIGTERM", 143],
  ["SIGHUP", 129],
  ["SIGINT", 130],
] as const) {
  if (process.listenerCount(signal) === 0) process.once(signal, () => process.exit(code));
}

const POLL_MS = 20;

/**
 * Asks until there is an answer.
 * @throws RangeError saying what was awaited when there was none in time
 */
export async function until<T>(
  what: string,
  limitMs: number,
  ask: () => T | undefined,
  everyMs = POLL_MS,
): Promise<T> {
  const deadline = performance.now() + limitMs;
  for (;;) {
    const answer = ask();
    if (answer !== undefined) return answer;
    if (performance.now() > deadline) throw new RangeError(`not within ${limitMs} ms: ${what}`);
    await delay(everyMs);
  }
}
