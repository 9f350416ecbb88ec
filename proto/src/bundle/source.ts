/**
 * Guarantee: the reader asks for exact byte ranges and gets exactly those, over
 * a file or over memory alike; short reads are continued, an early end is named.
 */
import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { GatewayError } from "../errors/index.ts";

/** Where the bytes of a bundle are. Each opening is independent. */
export interface ByteSource {
  open(): Promise<ByteReader>;
}

export interface ByteReader {
  /** Total bytes. */
  readonly size: number;
  /** Descriptor of the file whose bytes these are, where it is one: workers read from it themselves. */
  readonly fd?: number;
  /** Reads up to `into.length` bytes at `offset`; 0 only at the end. May return fewer. */
  read(into: Uint8Array, offset: number): Promise<number>;
  close(): Promise<void>;
}

/**
 * A pipe under the name of a file, which whoever writes the folder can put there, does not wait for a writer: it would
 * hold one of the few threads that all files are read by. It has no bytes.
 */
const READ_AT_ONCE = constants.O_RDONLY | constants.O_NONBLOCK;

/** A file. The error of a missing or unreadable file is Node's own. */
export function fileSource(path: string): ByteSource {
  return {
    async open() {
      const handle = await open(path, READ_AT_ONCE);
      try {
        const { size } = await handle.stat();
        return {
          size,
          fd: handle.fd,
          read: async (into, offset) => (await handle.read(into, 0, into.length, offset)).bytesRead,
          close: () => handle.close(),
        };
      } catch (error) {
        await handle.close();
        throw error;
      }
    },
  };
}

/** Bytes in memory, handed out at most `step` at a time. */
export function bufferSource(bytes: Uint8Array, step: number = bytes.length): ByteSource {
  const reader: ByteReader = {
    size: bytes.length,
    read: async (into, offset) => {
      const part = bytes.subarray(offset, offset + Math.min(step, into.length));
      into.set(part);
      return part.length;
    },
    close: async () => {},
  };
  return { open: async () => reader };
}

/**
 * @param into where the bytes go, at least as long; the result is then a view of it.
 * @throws GatewayError `bundle.truncated` when the source ends inside the range.
 */
export async function readExactly(
  reader: ByteReader,
  offset: number,
  length: number,
  into?: Uint8Array,
): Promise<Uint8Array> {
  if (offset + length > reader.size) {
    throw new GatewayError("bundle.truncated", {
      detail: `${length} bytes wanted at ${offset} of ${reader.size}`,
    });
  }
  const bytes = into === undefined ? Buffer.allocUnsafe(length) : into.subarray(0, length);
  for (let filled = 0; filled < length; ) {
    const count = await reader.read(bytes.subarray(filled), offset + filled);
    if (count === 0) {
      throw new GatewayError("bundle.truncated", { detail: `ended at ${offset + filled}` });
    }
    filled += count;
  }
  return bytes;
}
