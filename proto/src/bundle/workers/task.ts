/**
 * Guarantee: what a thread and a bundle worker say to each other. No key, no
 * plaintext and no ciphertext is in a message: those lie in the slot alone.
 */
import { type ErrorCode, GatewayError } from "../../errors/index.ts";
import type { SmProvider } from "../../sm/index.ts";
import type { ChunkGroup } from "../chunk-group.ts";

/** Providers that any thread can load for itself. */
export type WorkerProvider = Exclude<SmProvider["name"], "sdf">;

interface OfGroup {
  readonly provider: WorkerProvider;
  readonly memory: SharedArrayBuffer;
  readonly group: ChunkGroup;
}

/** Encrypt the plaintext of the slot, hash it, write it to the file. */
export interface SealTask extends OfGroup {
  readonly kind: "seal";
  readonly fd: number;
}

/** Read, compare with the digests of the slot, decrypt into the slot; or only the first two. */
export interface OpenTask extends OfGroup {
  readonly kind: "open";
  /** Absent: the sealed chunks lie in the slot, end to end. */
  readonly fd?: number;
  readonly check: boolean;
  readonly decrypt: boolean;
}

/** Take the SM3 of an item on over some bytes of the slot. */
export interface HashTask {
  readonly kind: "hash";
  readonly provider: WorkerProvider;
  /** Which of the hashes of that thread. */
  readonly hash: number;
  /** With the first bytes: how many will come. */
  readonly start?: number;
  readonly memory: SharedArrayBuffer;
  readonly from: number;
  readonly to: number;
}

/** End a hash. */
interface DigestTask {
  readonly kind: "digest";
  readonly hash: number;
}

/** For any thread. */
export type GroupTask = SealTask | OpenTask;
export type Task = GroupTask | HashTask | DigestTask;

export interface TaskMessage {
  readonly id: number;
  readonly task: Task;
}

/** An error as plain data: a clone keeps neither its class nor its code. */
export interface Fault {
  readonly code?: ErrorCode;
  readonly detail: string;
  /** Of an error of the operating system: "ENOSPC". */
  readonly system?: string;
  readonly errno?: number;
  readonly syscall?: string;
}

export interface TaskAnswer {
  readonly id: number;
  /** Of an item. */
  readonly digest?: Uint8Array;
  readonly fault?: Fault;
}

export function asFault(error: unknown): Fault {
  if (error instanceof GatewayError) return { code: error.code, detail: error.detail };
  if (!(error instanceof Error)) return { detail: typeof error };
  const { message, code, errno, syscall } = error as NodeJS.ErrnoException;
  return {
    detail: message,
    ...(code === undefined ? {} : { system: code }),
    ...(errno === undefined ? {} : { errno }),
    ...(syscall === undefined ? {} : { syscall }),
  };
}

/** The error again, so that callers meet the same one as without workers. */
export function fromFault({ code, detail, system, errno, syscall }: Fault): Error {
  if (code !== undefined) return new GatewayError(code, { detail });
  if (system === undefined) return new GatewayError("internal.fault", { detail });
  return Object.assign(new Error(detail), { code: system, errno, syscall });
}
