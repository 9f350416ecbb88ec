/**
 * Guarantee: a bundle leaves only when its file is what the lease says and its
 * header signature, commitments and verdicts verify. No decryption key is needed.
 */
import { join } from "node:path";
import { type JudgedTimes, readHeader, verifyHeader } from "@lightferry/proto/bundle";
import { GatewayError } from "@lightferry/proto/errors";
import type { SmProvider } from "@lightferry/proto/sm";
import type { KeyDirectory } from "@lightferry/proto/trust";
import type { BundleFile } from "./bundle-file.ts";
import type { Carried } from "./journal.ts";

/** One name inside the outbox directory: no path, no hidden file. */
const FILE_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;

export interface CheckContext {
  readonly provider: SmProvider;
  readonly keys: KeyDirectory;
  readonly lane: string;
  readonly node: string;
  readonly outboxDir: string;
  readonly times: JudgedTimes;
}

/** @throws GatewayError `ferry.file-invalid` when the name is not a single one */
export function outboxPath(outboxDir: string, file: string): string {
  if (!FILE_NAME.test(file)) {
    throw new GatewayError("ferry.file-invalid", { detail: "not a single file name" });
  }
  return join(outboxDir, file);
}

/** By what the far side knows the bytes to be right, before all are there (SPEC.md §3.3). */
export interface Proof {
  /** Bytes before the first chunk: prefix, header, signature, digest table. */
  readonly headSize: number;
  /** SM3 of them. */
  readonly headDigest: Uint8Array;
  /** Bytes of every chunk but the last. */
  readonly chunkBytes: number;
}

/** Magic and length of the header. */
const PREFIX_BYTES = 8;
/** Tag of a chunk, behind its ciphertext. */
const TAG_BYTES = 16;

/**
 * Verifies the head of a bundle; nothing else of it is read.
 * @throws GatewayError of the first check that fails; codes of the bundle, its verdicts or `ferry.*`
 */
export async function checkBundle(
  bundle: Pick<Carried, "bundleId" | "headerDigest" | "size" | "stream" | "sequence">,
  file: BundleFile,
  context: CheckContext,
): Promise<Proof> {
  const { provider } = context;
  const prefix = Buffer.alloc(PREFIX_BYTES);
  let received: Awaited<ReturnType<typeof readHeader>>;
  try {
    received = await readHeader(file);
    await file.fill([prefix], 0);
  } catch (cause) {
    if (cause instanceof GatewayError) throw cause;
    throw new GatewayError("ferry.file-invalid", { detail: "cannot be read", cause });
  }
  const verified = verifyHeader(provider, received, {
    ...context.times,
    lane: context.lane,
    sender: context.node,
    keys: context.keys,
  });
  const facts: readonly [string, unknown, unknown][] = [
    ["bundle id", Buffer.from(verified.bundleId).toString("hex"), bundle.bundleId],
    ["header digest", Buffer.from(verified.headerDigest).toString("hex"), bundle.headerDigest],
    ["size", verified.size, bundle.size],
    ["stream", verified.header.stream, bundle.stream],
    ["sequence", verified.header.sequence, bundle.sequence],
  ];
  for (const [name, found, leased] of facts) {
    if (found !== leased) throw new GatewayError("ferry.file-invalid", { detail: name });
  }
  const { headerBytes, signature, table, layout } = received;
  return {
    headSize: layout.chunksAt,
    headDigest: provider.sm3(prefix, headerBytes, signature, table),
    chunkBytes: layout.chunkSize + TAG_BYTES,
  };
}
