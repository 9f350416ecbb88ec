/**
 * Guarantee: SM4-GCM for the reference provider, written from NIST SP 800-38D
 * over nothing but the SM4 block cipher of sm-crypto. Plain, slow, variable
 * time: it exists to disagree with the fast one when that is wrong.
 */
import smCrypto from "sm-crypto";
import { checkKeyAndNonce, GCM_TAG_BYTES, gcmFailure, placed } from "../gcm-input.ts";

const BLOCK = 16;
/** The reduction polynomial x^128 + x^7 + x^2 + x + 1, bits reversed, first word (clause 6.3). */
const REDUCTION = 0xe1000000;
const WORDS = 4;
const NIBBLES = 16;

// sm-crypto copies its input element by element; plain arrays make that several times faster.
function encryptBlocks(key: Uint8Array, blocks: Uint8Array): Uint8Array {
  const options = { padding: "none", output: "array" } as const;
  return Uint8Array.from(smCrypto.sm4.encrypt(Array.from(blocks), Array.from(key), options));
}

/** x times the polynomial x: one place to the right in GCM's reversed order, reduced. */
function shiftRight(words: Uint32Array): Uint32Array {
  const out = new Uint32Array(WORDS);
  let carry = 0;
  for (let i = 0; i < WORDS; i++) {
    const word = words[i] ?? 0;
    out[i] = (word >>> 1) | carry;
    carry = (word & 1) << 31;
  }
  if (carry !== 0) out[0] = (out[0] ?? 0) ^ REDUCTION;
  return out;
}

/**
 * GHASH (clause 6.4) with tables of 16 entries: the products of H with every
 * 4-bit digit, and the reductions of the four bits that a shift drops.
 */
class GHash {
  readonly #products = new Uint32Array(NIBBLES * WORDS);
  readonly #reductions = new Uint32Array(NIBBLES);
  readonly #state = new Uint32Array(WORDS);

  constructor(h: Uint8Array) {
    const view = new DataView(h.buffer, h.byteOffset, BLOCK);
    let power: Uint32Array = Uint32Array.from({ length: WORDS }, (_, i) => view.getUint32(4 * i));
    for (let bit = NIBBLES >> 1; bit > 0; bit >>= 1) {
      // Entry by entry the digit's bits are added: linear, so xor of the powers of H.
      for (let digit = 0; digit < NIBBLES; digit++) {
        if ((digit & bit) === 0) continue;
        for (let i = 0; i < WORDS; i++) {
          const at = digit * WORDS + i;
          this.#products[at] = (this.#products[at] ?? 0) ^ (power[i] ?? 0);
        }
      }
      power = shiftRight(power);
    }
    for (let digit = 0; digit < NIBBLES; digit++) {
      let dropped: Uint32Array = Uint32Array.of(0, 0, 0, digit);
      for (let shift = 0; shift < 4; shift++) dropped = shiftRight(dropped);
      this.#reductions[digit] = dropped[0] ?? 0;
    }
  }

  /** Xors one block of at most 16 bytes into the state and multiplies by H. */
  #absorb(bytes: Uint8Array, at: number): void {
    const state = this.#state;
    const table = this.#products;
    const end = Math.min(BLOCK, bytes.length - at);
    for (let i = 0; i < end; i++) {
      state[i >> 2] = (state[i >> 2] ?? 0) ^ ((bytes[at + i] ?? 0) << (24 - 8 * (i & 3)));
    }
    let [a, b, c, d] = [0, 0, 0, 0];
    for (let digit = 2 * BLOCK - 1; digit >= 0; digit--) {
      const reduction = this.#reductions[d & 15] ?? 0;
      d = (d >>> 4) | (c << 28);
      c = (c >>> 4) | (b << 28);
      b = (b >>> 4) | (a << 28);
      a = (a >>> 4) ^ reduction;
      const entry = (((state[digit >> 3] ?? 0) >>> (28 - 4 * (digit & 7))) & 15) * WORDS;
      a ^= table[entry] ?? 0;
      b ^= table[entry + 1] ?? 0;
      c ^= table[entry + 2] ?? 0;
      d ^= table[entry + 3] ?? 0;
    }
    state.set([a, b, c, d]);
  }

  /** The 16 bytes of GHASH over both parts, each padded to whole blocks, and their lengths. */
  digest(aad: Uint8Array, ciphertext: Uint8Array): Uint8Array {
    for (const part of [aad, ciphertext]) {
      for (let at = 0; at < part.length; at += BLOCK) this.#absorb(part, at);
    }
    const block = Buffer.alloc(BLOCK);
    block.writeBigUInt64BE(BigInt(aad.length * 8), 0);
    block.writeBigUInt64BE(BigInt(ciphertext.length * 8), 8);
    this.#absorb(block, 0);
    this.#state.forEach((word, i) => {
      block.writeUInt32BE(word, 4 * i);
    });
    return block;
  }
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
  const hash = new GHash(encryptBlocks(key, new Uint8Array(BLOCK)));
  const tag = hash.digest(aad, isCiphertext ? input : output);
  return { output, tag: tag.map((byte, i) => byte ^ (mask[i] ?? 0)) };
}

export function gcmEncrypt(
  key: Uint8Array,
  nonce: Uint8Array,
  plaintext: Uint8Array,
  aad: Uint8Array,
  into?: Uint8Array,
): Uint8Array {
  checkKeyAndNonce(key, nonce);
  const { output, tag } = run(key, nonce, Uint8Array.from(plaintext), aad, false);
  return placed(Buffer.concat([output, tag]), into);
}

export function gcmDecrypt(
  key: Uint8Array,
  nonce: Uint8Array,
  sealed: Uint8Array,
  aad: Uint8Array,
  into?: Uint8Array,
): Uint8Array {
  checkKeyAndNonce(key, nonce);
  if (sealed.length < GCM_TAG_BYTES) throw gcmFailure();
  const length = sealed.length - GCM_TAG_BYTES;
  const { output, tag } = run(key, nonce, Uint8Array.from(sealed.subarray(0, length)), aad, true);
  if (Buffer.compare(tag, sealed.subarray(length)) !== 0) throw gcmFailure();
  return placed(output, into);
}
