/** Guarantee: what real programs do in their own time is waited for, and named when it does not come. */
import { setTimeout as delay } from "node:timers/promises";
import { expect } from "vitest";

const LIMIT_MS = 120_000;
const POLL_MS = 200;

type Answer<T> = T | false | undefined;

/** Asks again and again. @returns the first answer that is one, neither false nor undefined. */
export async function until<T>(
  what: string,
  ask: () => Answer<T> | Promise<Answer<T>>,
  limitMs: number = LIMIT_MS,
): Promise<T> {
  const deadline = Date.now() + limitMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer;
    if (Date.now() > deadline) expect.unreachable(what);
    await delay(POLL_MS);
  }
}
