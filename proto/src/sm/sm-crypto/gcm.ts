/**
 * Guarantee: SM4-GCM for the reference provider, written from NIST SP 800-38D
 * over nothing but the SM4 block cipher of sm-crypto. Plain, slow, variable
 * time: it exists to disagree with the fast one when that is wrong.
 */
import smCrypto from "sm-crypto";
import { checkKeyAndNonce, GCM_TAG_BYTES, gcmFailure } from "../gcm-input.ts";

const BLOCK = 16;
/** The reduction polynomial x^128 + x^7 + x^2 + x + 1, bits reversed (clause 6.3). */
const REDUCTION = 0xe1n << 120n;

function encryptBlocks(key: Uint8Array, blocks: Uint8Array): Uint8Array {
  return Uint8Array.from(smCrypto.sm4.encrypt(blocks, key, { padding: "none", output: "array" }));
}

function toBlock(bytes: Uint8Array): bigint {
  const padded = new Uint8Array(BLOCK);
  padded.set(bytes);
  return BigInt(`0x${Buffer.from(padded).toString("hex")}`);
}

function fromBlock(value: bigint): Uint8Array {
  return Buffer.from(value.toString(16).padStart(BLOCK * 2, "0"), "hex");
}

/** H times every 4-bit digit at the leftmost place; see Shoup's method in the GCM submission. */
class HashKey {
  readonly #byNibble: bigint[] = new Array<bigint>(16).fill(0n);
  readonly #reduce: bigint[] = new Array<bigint>(16).fill(0n);

  constructor(h: bigint) {
    let value = h;
    for (let bit = 8; bit > 0; bit >>= 1) {
      this.#byNibble[bit] = value;
      value = value & 1n ? (value >> 1n) ^ REDUCTION : value >> 1n;
    }
    for (let i = 1; i < 16; i++) {
      const high = 1 << (31 - Math.clz32(i));
      if (high !== i) {
        this.#byNibble[i] = (this.#byNibble[high] ?? 0n) ^ (this.#byNibble[i ^ high] ?? 0n);
      }
      let carried = BigInt(i);
      for (let shift = 0; shift < 4; shift++) {
        carried = carried & 1n ? (carried >> 1n) ^ REDUCTION : carried >> 1n;
      }
      this.#reduce[i] = carried;
    }
  }

  /** x times H: digits from the right, each step shifting four places. */
  multiply(x: bigint): bigint {
    let product = 0n;
    for (let digit = 0; digit < BLOCK * 2; digit++) {
      const dropped = Number(product & 15n);
      product = (product >> 4n) ^ (this.#reduce[dropped] ?? 0n);
      product ^= this.#byNibble[Number((x >> BigInt(4 * digit)) & 15n)] ?? 0n;
    }
    return product;
  }
}

function ghash(key: HashKey, aad: Uint8Array, ciphertext: Uint8Array): bigint {
  let state = 0n;
  for (const part of [aad, ciphertext]) {
    for (let at = 0; at < part.length; at += BLOCK) {
      state = key.multiply(state ^ toBlock(part.subarray(at, at + BLOCK)));
    }
  }
  const lengths = (BigInt(aad.length * 8) << 64n) | BigInt(ciphertext.length * 8);
  return key.multiply(state ^ lengths);
}

function counterBlocks(nonce: Uint8Array, count: number): Uint8Array {
  const blocks = Buffer.alloc(count * BLOCK);
  for (let i = 0; i < count; i++) {
    blocks.set(nonce, i * BLOCK);
    blocks.writeUInt32BE(i + 1, i * BLOCK + nonce.length);
  }
  return blocks;
}

/** CTR over `input`, and the tag of the ciphertext under the same key and nonce. */
function run(
  key: Uint8Array,
  nonce: Uint8Array,
  input: Uint8Array,
  aad: Uint8Array,
  isCiphertext: boolean,
): { output: Uint8Array; tag: Uint8Array } {
  const mask = encryptBlocks(key, counterBlocks(nonce, 1 + Math.ceil(input.length / BLOCK)));
  const output = input.map((byte, i) => byte ^ (mask[BLOCK + i] ?? 0));
  const hashKey = new HashKey(toBlock(encryptBlocks(key, new Uint8Array(BLOCK))));
  const digest = ghash(hashKey, aad, isCiphertext ? input : output);
  return { output, tag: fromBlock(digest ^ toBlock(mask.subarray(0, BLOCK))) };
}

export function gcmEncrypt(
  key: Uint8Array,
  nonce: Uint8Array,
  plaintext: Uint8Array,
  aad: Uint8Array,
): Uint8Array {
  checkKeyAndNonce(key, nonce);
  const { output, tag } = run(key, nonce, Uint8Array.from(plaintext), aad, false);
  return Buffer.concat([output, tag]);
}

export function gcmDecrypt(
  key: Uint8Array,
  nonce: Uint8Array,
  sealed: Uint8Array,
  aad: Uint8Array,
): Uint8Array {
  checkKeyAndNonce(key, nonce);
  if (sealed.length < GCM_TAG_BYTES) throw gcmFailure();
  const length = sealed.length - GCM_TAG_BYTES;
  const { output, tag } = run(key, nonce, Uint8Array.from(sealed.subarray(0, length)), aad, true);
  if (Buffer.compare(tag, sealed.subarray(length)) !== 0) throw gcmFailure();
  return output;
}
