/** Guarantee: a writer waits while the other end does not read, and never past the end of the call. */
import type { Writable } from "node:stream";
import { GatewayError } from "../errors/index.ts";

/** @throws GatewayError `rpc.cancelled` when the call ended before the message was taken */
export async function writeWithBackpressure(
  stream: Writable,
  message: Buffer,
  ended: AbortSignal,
): Promise<void> {
  if (ended.aborted || stream.destroyed) throw new GatewayError("rpc.cancelled");
  if (stream.write(message)) return;
  await new Promise<void>((resolve, reject) => {
    const settle = (): void => {
      stream.off("drain", onDrain);
      stream.off("close", onEnd);
      ended.removeEventListener("abort", onEnd);
    };
    const onDrain = (): void => {
      settle();
      resolve();
    };
    const onEnd = (): void => {
      settle();
      reject(new GatewayError("rpc.cancelled"));
    };
    stream.on("drain", onDrain);
    stream.on("close", onEnd);
    ended.addEventListener("abort", onEnd);
  });
}
