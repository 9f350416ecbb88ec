/**
 * Guarantee: a call runs in another network namespace and this thread is back in
 * its own when the call is over. Sockets and processes that the call makes stay
 * there. Linux, root.
 */
import { closeSync, openSync } from "node:fs";
import koffi from "koffi";

const CLONE_NEWNET = 0x40000000;
const setns = koffi.load(null).func("int setns(int, int)");
/** Of the main thread, which alone is moved. */
const OWN = "/proc/self/ns/net";

function move(fd: number, name: string): void {
  if (setns(fd, CLONE_NEWNET) !== 0) throw new RangeError(`setns ${name}: errno ${koffi.errno()}`);
}

function visit(name: string): () => void {
  const own = openSync(OWN, "r");
  const other = openSync(`/run/netns/${name}`, "r");
  move(other, name);
  closeSync(other);
  return () => {
    move(own, "own");
    closeSync(own);
  };
}

/** For what opens its sockets or starts its processes before it returns. */
export function inNamespace<T>(name: string, run: () => T): T {
  const back = visit(name);
  try {
    return run();
  } finally {
    back();
  }
}

/** For what takes more turns; nothing else of this thread may open a socket until it is over. */
export async function whileInNamespace<T>(name: string, run: () => Promise<T>): Promise<T> {
  const back = visit(name);
  try {
    return await run();
  } finally {
    back();
  }
}
