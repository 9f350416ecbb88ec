/**
 * Guarantee: a span is written to its file only when its bytes have the digest
 * that was expected, and never a byte elsewhere. Four chunks of one length are
 * hashed side by side. A thread of its own: nothing here waits for the gate.
 */
import { readSync, writevSync } from "node:fs";
import { parentPort, workerData } from "node:worker_threads";
import { createTableHasher, loadProvider } from "@lightferry/proto/sm";
import { DIGEST_BYTES } from "../object.ts";
import { type CheckAnswer, type CheckTask, VERDICT, type WriteFault } from "./check-task.ts";

const provider = loadProvider(workerData as "openssl" | "sm-crypto");
const hasher = createTableHasher(provider);

/** The bytes of every span of a task; those of a file that ends too early are filled with zeros. */
function bytesOf(task: CheckTask): Uint8Array[] {
  return task.bytes.map((given, index) => {
    if (given !== undefined) return given;
    const bytes = new Uint8Array(task.lengths[index] as number);
    for (let at = 0; at < bytes.length; ) {
      const position = (task.offsets[index] as number) + at;
      const read = readSync(task.files[index] as number, bytes, at, bytes.length - at, position);
      if (read === 0) break;
      at += read;
    }
    return bytes;
  });
}

function digestsOf(task: CheckTask, spans: readonly Uint8Array[]): Uint8Array {
  const digests = new Uint8Array(spans.length * DIGEST_BYTES);
  for (let from = 0; from < spans.length; ) {
    const into = digests.subarray(from * DIGEST_BYTES);
    let to = from + 1;
    if (task.head[from] === true) {
      const head = spans[from] as Uint8Array;
      into.set(provider.createSm3(head.length).update(head).digest());
    } else {
      while (to < spans.length && task.head[to] !== true) to += 1;
      hasher.leaves(spans.slice(from, to), into);
    }
    from = to;
  }
  return digests;
}

/** Good spans that lie end to end in one file go there by one call; until that has ended they do not count. */
function write(
  task: CheckTask,
  spans: readonly Uint8Array[],
  verdicts: Uint8Array,
): WriteFault | undefined {
  let fault: WriteFault | undefined;
  const due = spans.map((_, index) => {
    const given = task.bytes[index] !== undefined && (task.files[index] as number) >= 0;
    return given && verdicts[index] === VERDICT.good;
  });
  for (const [index, write] of due.entries()) if (write) verdicts[index] = VERDICT.fault;
  for (let from = 0; from < spans.length; ) {
    let to = from + 1;
    if (due[from] === true) {
      const file = task.files[from] as number;
      const start = task.offsets[from] as number;
      let end = start + (task.lengths[from] as number);
      while (due[to] === true && task.files[to] === file && task.offsets[to] === end) {
        end += task.lengths[to] as number;
        to += 1;
      }
      try {
        writeAll(file, spans.slice(from, to), start);
        verdicts.fill(VERDICT.good, from, to);
      } catch (error) {
        fault ??= faultOf(error);
      }
    }
    from = to;
  }
  return fault;
}

function writeAll(file: number, spans: readonly Uint8Array[], start: number): void {
  let rest = spans;
  for (let at = start; rest.length > 0; ) {
    let written = writevSync(file, rest, at);
    at += written;
    while (rest.length > 0 && written >= (rest[0] as Uint8Array).length) {
      written -= (rest[0] as Uint8Array).length;
      rest = rest.slice(1);
    }
    if (written > 0) rest = [(rest[0] as Uint8Array).subarray(written), ...rest.slice(1)];
  }
}

function perform(task: CheckTask): CheckAnswer {
  const verdicts = new Uint8Array(task.lengths.length).fill(VERDICT.fault);
  try {
    const spans = bytesOf(task);
    const digests = digestsOf(task, spans);
    for (const index of spans.keys()) {
      const [from, to] = [index * DIGEST_BYTES, (index + 1) * DIGEST_BYTES];
      const same =
        Buffer.compare(digests.subarray(from, to), task.digests.subarray(from, to)) === 0;
      verdicts[index] = same ? VERDICT.good : VERDICT.wrong;
    }
    const fault = write(task, spans, verdicts);
    return { id: task.id, verdicts, ...(fault === undefined ? {} : { fault }) };
  } catch (error) {
    return { id: task.id, verdicts, fault: faultOf(error) };
  }
}

function faultOf(error: unknown): WriteFault {
  const { code, message } =
    error instanceof Error ? (error as NodeJS.ErrnoException) : { message: typeof error };
  return { code, message };
}

parentPort?.on("message", (task: CheckTask) => parentPort?.postMessage(perform(task)));
