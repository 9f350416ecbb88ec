/**
 * Guarantee: a backup key is split by Shamir's scheme into `n` shares of which
 * any `k` give it back and fewer say nothing about it. Every share names its
 * set, its number and a checksum; a miscopied, foreign or repeated share is
 * named, never silently combined.
 *
 * A share is one line of QR-alphanumeric characters:
 * `LFSHARE1:<set>:<k>:<n>:<number>:<data>:<checksum>`, hexadecimal in capitals;
 * set 8 bytes, data 33 bytes, checksum the first 4 bytes of
 * SM3("lightferry/key-share/1" 0x00 everything before the last colon).
 */
import { combine, split } from "shamir-secret-sharing";
import { GatewayError } from "../errors/index.ts";
import { constantTimeEqual, domainSeparated, loadProvider } from "../sm/index.ts";
import { freshBytes } from "./derived-key.ts";

/** One custodian alone must never do; more than sixteen nobody can gather. */
export const MIN_SHARES = 2;
export const MAX_SHARES = 16;
const SET_BYTES = 8;
const CHECKSUM_BYTES = 4;
const LINE =
  /^LFSHARE1:([0-9A-F]{16}):([0-9]{1,2}):([0-9]{1,2}):([0-9]{1,2}):([0-9A-F]{66}):([0-9A-F]{8})$/;
/** A share file is a few lines of explanation and the share. */
const MAX_SHARE_TEXT_BYTES = 4096;

/** What a backup says about the shares that open it. */
export interface ShareSet {
  /** Hex, 16 characters. */
  readonly set: string;
  readonly k: number;
  readonly n: number;
  /** SM3 of each share's data as hex, in order: a forged share is named before anything is combined. */
  readonly digests: readonly string[];
}

interface Share {
  readonly set: string;
  readonly k: number;
  readonly n: number;
  readonly number: number;
  readonly data: Uint8Array;
}

const upperHex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex").toUpperCase();

function checksum(text: string): string {
  const digest = loadProvider().sm3(domainSeparated("key-share/1", Buffer.from(text, "ascii")));
  return upperHex(digest.subarray(0, CHECKSUM_BYTES));
}

function dataDigest(data: Uint8Array): string {
  const digest = loadProvider().sm3(domainSeparated("key-share-data/1", data));
  return Buffer.from(digest).toString("hex");
}

/** @throws GatewayError `key.share-invalid` when not 2 ≤ k ≤ n ≤ 16. */
export function assertShareCounts(k: number, n: number): void {
  const whole = Number.isSafeInteger(k) && Number.isSafeInteger(n);
  if (!whole || k < MIN_SHARES || k > n || n > MAX_SHARES) {
    throw new GatewayError("key.share-invalid", {
      detail: `k of n with ${MIN_SHARES} <= k <= n <= ${MAX_SHARES}`,
    });
  }
}

/**
 * Splits 32 bytes. The lines are secrets: each goes to one custodian.
 * @throws GatewayError `key.share-invalid` when the counts are out of bounds.
 */
export async function splitSecret(
  secret: Uint8Array,
  k: number,
  n: number,
): Promise<{ set: ShareSet; lines: string[] }> {
  assertShareCounts(k, n);
  const set = upperHex(freshBytes(SET_BYTES));
  // The library wants a plain Uint8Array.
  const plain = Uint8Array.from(secret);
  const shares = await split(plain, n, k);
  plain.fill(0);
  const lines = shares.map((data, at) => {
    const text = `LFSHARE1:${set}:${k}:${n}:${at + 1}:${upperHex(data)}`;
    return `${text}:${checksum(text)}`;
  });
  const digests = shares.map(dataDigest);
  for (const share of shares) share.fill(0);
  return { set: { set: set.toLowerCase(), k, n, digests }, lines };
}

/** @param name of the share in errors: a file's name, never its content. */
function parseShare(name: string, text: string): Share {
  const bad = (what: string): GatewayError =>
    new GatewayError("key.share-invalid", { detail: `${name}: ${what}` });
  if (text.length > MAX_SHARE_TEXT_BYTES) throw bad("too long");
  const lines = text
    .split(/\r?\n/)
    .map((line) => line.replaceAll(/\s/g, "").toUpperCase())
    .filter((line) => line !== "" && !line.startsWith("#"));
  const [line = ""] = lines;
  if (lines.length !== 1) throw bad("not exactly one share");
  const found = LINE.exec(line);
  if (found === null) throw bad("not a share");
  const [, set = "", k, n, number, data = "", sum = ""] = found;
  const body = line.slice(0, line.lastIndexOf(":"));
  if (!constantTimeEqual(Buffer.from(checksum(body)), Buffer.from(sum))) {
    throw bad("the checksum does not match; it was copied wrongly");
  }
  return {
    set: set.toLowerCase(),
    k: Number(k),
    n: Number(n),
    number: Number(number),
    data: Uint8Array.from(Buffer.from(data, "hex")),
  };
}

/** A share as its custodian gives it; the name is shown when it is wrong. */
export interface GivenShare {
  readonly name: string;
  readonly text: string;
}

/**
 * The 32 bytes that `given` shares; the caller wipes them.
 * @throws GatewayError `key.share-invalid`, `key.shares-mixed`, `key.shares-too-few`
 */
export async function combineShares(
  expected: ShareSet,
  given: readonly GivenShare[],
): Promise<Uint8Array> {
  const shares = new Map<number, Share>();
  for (const { name, text } of given) {
    const share = parseShare(name, text);
    if (share.set !== expected.set) {
      throw new GatewayError("key.shares-mixed", {
        detail: `${name}: set ${share.set}, the backup wants set ${expected.set}`,
      });
    }
    const digest = expected.digests[share.number - 1];
    const right = dataDigest(share.data);
    if (
      share.k !== expected.k ||
      share.n !== expected.n ||
      digest === undefined ||
      !constantTimeEqual(Buffer.from(digest), Buffer.from(right))
    ) {
      throw new GatewayError("key.share-invalid", {
        detail: `${name}: share ${share.number} is not the one that was handed out`,
      });
    }
    if (shares.has(share.number)) {
      throw new GatewayError("key.shares-mixed", {
        detail: `${name}: share ${share.number} is given twice`,
      });
    }
    shares.set(share.number, share);
  }
  if (shares.size < expected.k) {
    throw new GatewayError("key.shares-too-few", { detail: `${shares.size} of ${expected.k}` });
  }
  const data = [...shares.values()].map((share) => share.data);
  try {
    return await combine(data);
  } finally {
    for (const bytes of data) bytes.fill(0);
  }
}
