/** Guarantee: what a drill started ends with the drill, however that ends, and no wait of it is longer than it says. */
import type { ChildProcess } from "node:child_process";
import { rmSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";

/** Programs of a drill must not outlive it; `exit` runs even for an uncaught error. */
const running = new Set<number>();
process.on("exit", () => {
  for (const pid of running) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It has ended meanwhile.
    }
  }
});

/** A folder that is gone with this process at the latest. */
export function removedWithUs(path: string): void {
  process.on("exit", () => rmSync(path, { recursive: true, force: true }));
}

/** Without a handler a signal would end this process without its `exit` event. */
for (const [signal, code] of [
  ["SIGTERM", 143],
  ["SIGHUP", 129],
  ["SIGINT", 130],
] as const) {
  if (process.listenerCount(signal) === 0) process.once(signal, () => process.exit(code));
}

/** From now on the process ends with this one. */
export function endsWithUs(pid: number): void {
  running.add(pid);
}

/** It is known to be over; its number may belong to somebody else by now. */
export function hasEnded(pid: number): void {
  running.delete(pid);
}

export function childEndsWithUs<T extends ChildProcess>(child: T): T {
  const { pid } = child;
  if (pid !== undefined) {
    endsWithUs(pid);
    child.once("exit", () => hasEnded(pid));
  }
  return child;
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
): Promise<T> {
  const deadline = performance.now() + limitMs;
  for (;;) {
    const answer = ask();
    if (answer !== undefined) return answer;
    if (performance.now() > deadline) throw new RangeError(`not within ${limitMs} ms: ${what}`);
    await delay(POLL_MS);
  }
}
