/**
 * Guarantee: the folder in which policy keeps what its zone trusts has one form
 * for everybody who reads it: items are written whole and durable under the
 * name of their own digest, so none can be replaced by another, and what has no
 * such name is not read. Nothing in it is believed: a TrustStore verifies it.
 *
 * ```
 * certificate-<SM3 of the DER>.der       revocation-list-<SM3 of the DER>.der
 * state.json   {"format", "version", "denials"}
 * ```
 */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { mkdir, open, rename, unlink } from "node:fs/promises";
import { join } from "node:path";
import { GatewayError } from "../errors/index.ts";
import { REVOCATION_LIST_MAX_BYTES } from "../pki/limits.ts";
import type { SmProvider } from "../sm/index.ts";

export const TRUST_ITEM_KINDS = ["certificate", "revocation-list"] as const;
export type TrustItemKind = (typeof TRUST_ITEM_KINDS)[number];

/** A local decision: this key does not count in this zone. */
export interface Denial {
  readonly keyId: string;
  /** Unix milliseconds. */
  readonly deniedMs: number;
  readonly reason: string;
  readonly actor: string;
}

/** What lies in the folder; as `TrustSet`, it is what {@link TrustStore.build} takes. */
export interface TrustFolder {
  /** Rises with every change and every start; 0 before the first. */
  readonly version: number;
  readonly certificates: readonly Uint8Array[];
  readonly revocationLists: readonly Uint8Array[];
  readonly denials: readonly Denial[];
}

export interface TrustState {
  readonly version: number;
  readonly denials: readonly Denial[];
}

const STATE_FILE = "state.json";
const STATE_FORMAT = "lightferry-trust/1";
const ITEM_NAME = /^(certificate|revocation-list)-([0-9a-f]{64})\.der$/;
/** Readable by the services and commands of the zone: nothing here is secret. */
const FILE_MODE = 0o644;
/** Half of what one RPC message may hold, so that a set always fits its answer; some five thousand certificates. */
export const MAX_TRUST_BYTES = 4 * 1024 * 1024;
/**
 * Node certificates of one zone: some twelve hundred, fifty years of rotation. What is left belongs to the root's
 * own and to lists, so no issuing CA can fill the store and keep out the list that revokes it.
 */
export const MAX_ZONE_TRUST_BYTES = 1024 * 1024;
/** A denial is an exception decided by a person; ten thousand of them are a CA to be replaced. */
export const MAX_DENIALS = 10_000;
/** Sixty thousand characters of reasons would not be read by anybody. */
export const MAX_DENIAL_REASON = 200;
const MAX_STATE_BYTES = 8 * 1024 * 1024;
const KEY_ID = /^[0-9a-f]{32}$/;

function fault(path: string, why: string, cause?: unknown): GatewayError {
  return new GatewayError("trust.store-invalid", { detail: `${path}: ${why}`, cause });
}

/**
 * Reads a trust folder; a missing one is empty.
 * @throws GatewayError `trust.store-invalid` when it cannot be read, an item is not what its name
 * says, or it is larger than {@link MAX_TRUST_BYTES}.
 */
export function readTrustFolder(provider: SmProvider, folder: string): TrustFolder {
  const items = { certificate: [] as Uint8Array[], "revocation-list": [] as Uint8Array[] };
  let total = 0;
  for (const name of names(folder)) {
    const [, kind, digest] = ITEM_NAME.exec(name) ?? [];
    if (kind !== "certificate" && kind !== "revocation-list") continue;
    const der = readBounded(join(folder, name), REVOCATION_LIST_MAX_BYTES);
    total += der.length;
    if (total > MAX_TRUST_BYTES) throw fault(folder, "too large");
    if (Buffer.from(provider.sm3(der)).toString("hex") !== digest) {
      throw fault(join(folder, name), "not the bytes that its name says");
    }
    items[kind].push(der);
  }
  return {
    certificates: items.certificate,
    revocationLists: items["revocation-list"],
    ...readState(join(folder, STATE_FILE)),
  };
}

export interface TrustItem {
  readonly kind: TrustItemKind;
  readonly der: Uint8Array;
}

/** Durable when it resolves; what is there already is left as it is. */
export async function writeTrustItems(
  provider: SmProvider,
  folder: string,
  items: readonly TrustItem[],
): Promise<void> {
  if (items.length === 0) return;
  for (const { kind, der } of items) {
    if (der.length > REVOCATION_LIST_MAX_BYTES) throw fault(folder, "the item is too large");
    await putWhole(folder, itemName(provider, kind, der), der);
  }
  await syncFolder(folder);
}

/** Of a revocation list that a newer one has replaced. Durable when it resolves. */
export async function removeTrustItem(
  provider: SmProvider,
  folder: string,
  { kind, der }: TrustItem,
): Promise<void> {
  const path = join(folder, itemName(provider, kind, der));
  try {
    await unlink(path);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return;
    throw fault(path, "cannot be removed", cause);
  }
  await syncFolder(folder);
}

/** Version and denials in one file, so that neither is ever without the other. Durable when it resolves. */
export async function writeTrustState(folder: string, state: TrustState): Promise<void> {
  const { version, denials } = state;
  const text = `${JSON.stringify({ format: STATE_FORMAT, version, denials })}\n`;
  await putWhole(folder, STATE_FILE, Buffer.from(text, "utf8"));
  await syncFolder(folder);
}

function itemName(provider: SmProvider, kind: TrustItemKind, der: Uint8Array): string {
  return `${kind}-${Buffer.from(provider.sm3(der)).toString("hex")}.der`;
}

function names(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw fault(folder, "cannot be read", cause);
  }
}

function readBounded(path: string, limit: number): Uint8Array {
  try {
    const status = statSync(path);
    // A folder may come on a medium: to read a pipe would wait for ever.
    if (!status.isFile()) throw fault(path, "is no ordinary file");
    if (status.size > limit) throw fault(path, "too large");
    return new Uint8Array(readFileSync(path));
  } catch (cause) {
    if (cause instanceof GatewayError) throw cause;
    throw fault(path, "cannot be read", cause);
  }
}

function readState(path: string): TrustState {
  let text: string;
  try {
    if (statSync(path).size > MAX_STATE_BYTES) throw fault(path, "too large");
    text = readFileSync(path, "utf8");
  } catch (cause) {
    if (cause instanceof GatewayError) throw cause;
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return { version: 0, denials: [] };
    throw fault(path, "cannot be read", cause);
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw fault(path, "is not JSON", cause);
  }
  const { format, version, denials } = Object(json) as Record<string, unknown>;
  const wellFormed =
    format === STATE_FORMAT &&
    Number.isSafeInteger(version) &&
    Number(version) >= 0 &&
    Array.isArray(denials) &&
    denials.length <= MAX_DENIALS &&
    denials.every(isDenial);
  if (!wellFormed) throw fault(path, "is damaged");
  return { version: Number(version), denials: denials as Denial[] };
}

function isDenial(value: unknown): value is Denial {
  const { keyId, deniedMs, reason, actor } = Object(value) as Record<string, unknown>;
  return (
    typeof keyId === "string" &&
    KEY_ID.test(keyId) &&
    Number.isSafeInteger(deniedMs) &&
    typeof reason === "string" &&
    typeof actor === "string"
  );
}

/** Temporary name, fsync, rename; the name is durable once the folder is synced. */
async function putWhole(folder: string, name: string, bytes: Uint8Array): Promise<void> {
  const path = join(folder, name);
  try {
    await mkdir(folder, { recursive: true, mode: 0o755 });
    const file = await open(`${path}.next`, "w", FILE_MODE);
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(`${path}.next`, path);
  } catch (cause) {
    throw fault(path, "cannot be written", cause);
  }
}

async function syncFolder(path: string): Promise<void> {
  try {
    const folder = await open(path, "r");
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  } catch (cause) {
    throw fault(path, "cannot be made durable", cause);
  }
}
