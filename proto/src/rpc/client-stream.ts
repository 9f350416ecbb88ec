/**
 * Guarantee: both directions of a stream hold back their sender while the
 * receiver does not read; leaving the loop early ends the call; a stream on
 * which an answer is due but nothing moves ends with `rpc.deadline`.
 */
import { type ClientDuplexStream, Metadata } from "@grpc/grpc-js";
import { GatewayError } from "../errors/index.ts";
import type { CallOptions, Connection } from "./client.ts";
import { STREAM_STALL_MS } from "./limits.ts";
import { type BidiSpec, decodeMessage, encodeMessage } from "./spec.ts";
import { writeWithBackpressure } from "./write.ts";

type Source = AsyncIterator<object> | Iterator<object>;

/** Ends the call when an answer is awaited and neither side moves. */
class StallWatch {
  stalled = false;
  #timer: NodeJS.Timeout | undefined;
  readonly #ms: number;
  readonly #stop: () => void;

  constructor(ms: number, stop: () => void) {
    this.#ms = ms;
    this.#stop = stop;
  }

  /** An answer is awaited from now on, or something has just moved. */
  arm(): void {
    this.disarm();
    this.#timer = setTimeout(() => {
      this.stalled = true;
      this.#stop();
    }, this.#ms);
  }

  moved(): void {
    if (this.#timer !== undefined) this.arm();
  }

  disarm(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}

export async function* callBidi(
  connection: Connection,
  method: BidiSpec<object, object, object, object>,
  requests: AsyncIterable<object> | Iterable<object>,
  options: CallOptions,
): AsyncGenerator<object> {
  if (options.signal?.aborted) throw new GatewayError("rpc.cancelled", { detail: method.path });
  const stream: ClientDuplexStream<Buffer, Buffer> = connection.grpc.makeBidiStreamRequest(
    method.path,
    asIs,
    asIs,
    new Metadata({ waitForReady: options.waitForReady === true }),
    options.deadlineMs === undefined ? {} : { deadline: Date.now() + options.deadlineMs },
  );
  const over = new AbortController();
  stream.on("status", () => over.abort());
  const cancel = (): void => stream.cancel();
  options.signal?.addEventListener("abort", cancel);
  const watch = new StallWatch(options.stallMs ?? STREAM_STALL_MS, cancel);
  const source: Source =
    Symbol.asyncIterator in requests
      ? requests[Symbol.asyncIterator]()
      : requests[Symbol.iterator]();

  let sourceFault: { readonly error: unknown } | undefined;
  const send = async (): Promise<void> => {
    while (!over.signal.aborted) {
      let next: IteratorResult<object>;
      try {
        next = await source.next();
        if (next.done !== true) {
          // Encoding is part of the source: its fault is the caller's own.
          next = { done: false, value: encodeMessage(method.request, next.value, method.path) };
        }
      } catch (error) {
        sourceFault = { error };
        stream.cancel();
        return;
      }
      if (next.done === true) {
        stream.end();
        return;
      }
      await writeWithBackpressure(stream, next.value as Buffer, over.signal);
      watch.moved();
    }
  };
  // A write that fails has lost its call; the reading side below reports why.
  send().catch(() => undefined);

  const answers = stream[Symbol.asyncIterator]();
  try {
    for (;;) {
      watch.arm();
      const next = await answers.next();
      watch.disarm();
      if (next.done === true) break;
      yield decodeMessage(method.response, next.value as Buffer, method.path);
    }
    connection.succeeded();
  } catch (error) {
    if (sourceFault !== undefined) throw sourceFault.error;
    if (watch.stalled) throw new GatewayError("rpc.deadline", { detail: method.path });
    throw connection.failure(error, method.path);
  } finally {
    watch.disarm();
    options.signal?.removeEventListener("abort", cancel);
    // Late errors of a call that is already decided.
    stream.on("error", () => undefined);
    stream.cancel();
    over.abort();
    Promise.resolve(source.return?.()).catch(() => undefined);
  }
}

function asIs(bytes: Buffer): Buffer {
  return bytes;
}
