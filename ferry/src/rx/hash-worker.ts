/**
 * Guarantee: a span is written to its file only when its bytes have the tag or, where that is
 * none or wrong, the digest that was expected, and never a byte elsewhere. Four chunks of one
 * length are hashed side by side. A thread of its own: nothing here waits for the gate.
 */
import { readSync, writevSync } from "node:fs";
import { parentPort, workerData } from "node:worker_threads";
import { constantTimeEqual, createTableHasher, loadProvider } from "@lightferry/proto/sm";
import { DIGEST_BYTES } from "../object.ts";
import { BY, type CheckAnswer, type CheckTask, VERDICT, type WriteFault } from "./check-task.ts";

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

/** What the tags say, one {@link BY} for each span. */
function tagged(task: CheckTask, spans: readonly Uint8Array[]): Uint8Array {
  const by = new Uint8Array(spans.length);
  for (const [index, expected] of task.tags.entries()) {
    if (expected === undefined) continue;
    const { key, nonce, tag } = expected;
    const found = provider.sm4Gmac(key, nonce, spans[index] as Uint8Array);
    by[index] = constantTimeEqual(found, tag) ? BY.tag : BY.digestAfterWrongTag;
  }
  return by;
}

/** Judges by their digests those spans that no tag has shown to be right. */
function judge(
  task: CheckTask,
  spans: readonly Uint8Array[],
  by: Uint8Array,
  verdicts: Uint8Array,
): void {
  const compare = (index: number, digest: Uint8Array): void => {
    const at = index * DIGEST_BYTES;
    const same = Buffer.compare(digest, task.digests.subarray(at, at + DIGEST_BYTES)) === 0;
    verdicts[index] = same ? VERDICT.good : VERDICT.wrong;
  };
  const chunks: number[] = [];
  for (const [index, span] of spans.entries()) {
    if (by[index] === BY.tag) verdicts[index] = VERDICT.good;
    else if (task.head[index] !== true) chunks.push(index);
    else compare(index, provider.createSm3(span.length).update(span).digest());
  }
  const digests = new Uint8Array(chunks.length * DIGEST_BYTES);
  const of = (index: number): Uint8Array => spans[index] as Uint8Array;
  hasher.leaves(chunks.map(of), digests);
  for (const [place, index] of chunks.entries()) {
    compare(index, digests.subarray(place * DIGEST_BYTES, (place + 1) * DIGEST_BYTES));
  }
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
  const { id } = task;
  const verdicts = new Uint8Array(task.lengths.length).fill(VERDICT.fault);
  let by: Uint8Array = new Uint8Array();
  try {
    const spans = bytesOf(task);
    by = tagged(task, spans);
    judge(task, spans, by, verdicts);
    const fault = write(task, spans, verdicts);
    return { id, verdicts, by, ...(fault === undefined ? {} : { fault }) };
  } catch (error) {
    return { id, verdicts, by, fault: faultOf(error) };
  }
}

function faultOf(error: unknown): WriteFault {
  const { code, message } =
    error instanceof Error ? (error as NodeJS.ErrnoException) : { message: typeof error };
  return { code, message };
}

parentPort?.on("message", (task: CheckTask) => parentPort?.postMessage(perform(task)));
