/**
 * Guarantee: a file that came on a medium is looked at before it is read: an
 * ordinary file, no longer than its kind can be. A pipe would hold the command
 * up for ever, and a device or a sparse file would fill its memory.
 */
import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { type ErrorCode, GatewayError } from "../errors/index.ts";

/**
 * @param limit bytes.
 * @param tooLong the code of the refusal when there are more.
 * @throws GatewayError `tooLong`; `cli.usage` when it is no such file or cannot be read.
 */
export function readUpTo(
  path: string,
  limit: number,
  tooLong: ErrorCode = "cli.usage",
): Uint8Array {
  const fault = (why: string, cause?: unknown) =>
    new GatewayError("cli.usage", { detail: `${path} ${why}`, cause });
  let file: number;
  try {
    // Not blocking: to open a pipe waits for its other end.
    file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (cause) {
    throw fault("cannot be read", cause);
  }
  try {
    const status = fstatSync(file);
    if (!status.isFile()) throw fault("is no ordinary file");
    if (status.size > limit) {
      throw new GatewayError(tooLong, { detail: `${path} is over ${limit} bytes` });
    }
    const bytes = new Uint8Array(status.size);
    for (let at = 0; at < bytes.length; ) {
      const read = readSync(file, bytes, at, bytes.length - at, at);
      if (read === 0) throw fault("ended while it was read");
      at += read;
    }
    return bytes;
  } catch (cause) {
    throw cause instanceof GatewayError ? cause : fault("cannot be read", cause);
  } finally {
    closeSync(file);
  }
}
