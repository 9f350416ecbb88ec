/**
 * Guarantee: a {@link ReceivedBundle} has the right magic, length, version,
 * canonical form, field limits and total size (proto/SPEC.md §8.1); no length is
 * allocated before it was checked. Nothing about it is trusted yet.
 */
import { GatewayError } from "../errors/index.ts";
import { lightferry } from "../gen/index.js";
import { assertCanonical, decodeAs } from "./decode.ts";
import { assertHeaderShape, type BundleHeader } from "./header-shape.ts";
import { type Layout, layoutOf, PREFIX_BYTES } from "./layout.ts";
import { DIGEST_BYTES, FORMAT_VERSION, HEADER_MAX, MAGIC, SIGNATURE_BYTES } from "./limits.ts";
import { type ByteReader, type ByteSource, fileSource, readExactly } from "./source.ts";

const { Header } = lightferry.bundle.v1;

/** Read and well-formed, but not verified; made only by {@link readHeader}. */
export interface ReceivedBundle {
  readonly __brand: "ReceivedBundle";
  readonly source: ByteSource;
  readonly header: BundleHeader;
  readonly headerBytes: Uint8Array;
  readonly signature: Uint8Array;
  readonly table: Uint8Array;
  readonly layout: Layout;
}

/**
 * SPEC §8.1, in its order. Reads the header, its signature and the digest table; no chunk.
 * Memory: at most 1 MiB, and 32 bytes a chunk for a file that really has so many chunks.
 * @param from path of a file, or any source of bytes.
 * @throws GatewayError `bundle.truncated`, `.not-a-bundle`, `.header-too-large`,
 * `.header-malformed`, `.version-unsupported`, `.not-canonical`, `.header-invalid`,
 * `.trailing-bytes`; Node's own error when the file cannot be read.
 */
export async function readHeader(from: string | ByteSource): Promise<ReceivedBundle> {
  const source = typeof from === "string" ? fileSource(from) : from;
  const reader = await source.open();
  try {
    return await readFrom(source, reader);
  } finally {
    await reader.close();
  }
}

async function readFrom(source: ByteSource, reader: ByteReader): Promise<ReceivedBundle> {
  // 1. magic
  const prefix = await readExactly(reader, 0, PREFIX_BYTES);
  if (Buffer.compare(prefix.subarray(0, MAGIC.length), MAGIC) !== 0) {
    throw new GatewayError("bundle.not-a-bundle");
  }
  // 2. header length
  const length = Buffer.from(prefix.buffer, prefix.byteOffset).readUInt32BE(MAGIC.length);
  if (length > HEADER_MAX) {
    throw new GatewayError("bundle.header-too-large", { detail: `${length} bytes` });
  }
  // 3. header and signature
  const signed = await readExactly(reader, PREFIX_BYTES, length + SIGNATURE_BYTES);
  const headerBytes = signed.subarray(0, length);
  // 4.–7. decoding, version, canonical form, fields
  const header = decodeHeader(headerBytes);
  // 8. total size
  const layout = layoutOf(length, header);
  if (reader.size < layout.fileSize) {
    throw new GatewayError("bundle.truncated", { detail: `${reader.size} of ${layout.fileSize}` });
  }
  if (reader.size > layout.fileSize) {
    throw new GatewayError("bundle.trailing-bytes", {
      detail: `${reader.size - layout.fileSize} bytes`,
    });
  }
  // 9. digest table
  const table = await readExactly(reader, layout.tableAt, layout.chunkCount * DIGEST_BYTES);
  const received: Omit<ReceivedBundle, "__brand"> = {
    source,
    header,
    headerBytes,
    signature: signed.subarray(length),
    table,
    layout,
  };
  return received as ReceivedBundle;
}

/**
 * SPEC §8.1 steps 4–7, for header bytes on their own.
 * @throws GatewayError `bundle.header-malformed`, `.version-unsupported`, `.not-canonical`,
 * `.header-invalid`.
 */
export function decodeHeader(bytes: Uint8Array): BundleHeader {
  const header = decodeAs(Header, bytes, "bundle.header-malformed");
  if (header.version !== FORMAT_VERSION) {
    throw new GatewayError("bundle.version-unsupported", { detail: `version ${header.version}` });
  }
  assertCanonical(Header, header, bytes);
  // A decoded header holds whole nested messages.
  const whole = header as BundleHeader;
  assertHeaderShape(whole);
  return whole;
}
