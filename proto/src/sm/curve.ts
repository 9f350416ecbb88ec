/**
 * Guarantee: the numbers of the SM2 curve (GB/T 32918.5-2017 clause 2) stand
 * once, and a public key that passes here is a finite point on that curve. The
 * cofactor is 1, so every such point generates the whole group. Public data
 * only: the arithmetic here is not constant time and never sees a secret.
 */
import { GatewayError } from "../errors/index.ts";
import type { Sm2PublicKey } from "./provider.ts";

const P = 0xfffffffeffffffffffffffffffffffffffffffff00000000ffffffffffffffffn;
const A = P - 3n;
const B = 0x28e9fa9e9d9f5e344d5a9e4bcf6509a7f39789f515ab8f92ddbcbd414d940e93n;
/** Order of the base point. */
export const CURVE_ORDER = 0xfffffffeffffffffffffffffffffffff7203df6b21c6052b53bbf40939d54123n;

/** Bytes of a coordinate, a scalar, and half a raw signature. */
export const FIELD_BYTES = 32;
/** 0x04, X, Y: the only form of a public key that the gateway reads. */
export const PUBLIC_KEY_BYTES = 65;
const UNCOMPRESSED = 0x04;

/** Big-endian bytes as an integer. Only for public values. */
export function toInteger(bytes: Uint8Array): bigint {
  return bytes.length === 0 ? 0n : BigInt(`0x${Buffer.from(bytes).toString("hex")}`);
}

/** Whether (x, y), both below the field prime, satisfies y² = x³ + ax + b. */
export function isOnCurve(x: bigint, y: bigint): boolean {
  if (x >= P || y >= P) return false;
  return (y * y - (x * x * x + A * x + B)) % P === 0n;
}

/**
 * Copies and checks an uncompressed public key.
 * @throws GatewayError `sm.key-invalid` when it is not 65 bytes beginning with
 * 0x04 or does not lie on the curve.
 */
export function checkPublicKey(bytes: Uint8Array): Sm2PublicKey {
  if (bytes.length !== PUBLIC_KEY_BYTES || bytes[0] !== UNCOMPRESSED) {
    throw new GatewayError("sm.key-invalid", {
      detail: "a public key is 65 bytes and begins with 04",
    });
  }
  const x = toInteger(bytes.subarray(1, 1 + FIELD_BYTES));
  const y = toInteger(bytes.subarray(1 + FIELD_BYTES));
  if (!isOnCurve(x, y)) {
    throw new GatewayError("sm.key-invalid", { detail: "the public key is not on the SM2 curve" });
  }
  return Uint8Array.from(bytes) as Sm2PublicKey;
}

/**
 * Refuses a private scalar outside 1..n-2 (GB/T 32918.1 clause 6.1). Compares
 * every byte whatever it finds, so its time does not tell the scalar.
 * @throws GatewayError `sm.key-invalid`
 */
export function checkScalar(scalar: Uint8Array): void {
  if (scalar.length !== FIELD_BYTES) {
    throw new GatewayError("sm.key-invalid", { detail: "a private key is 32 bytes" });
  }
  let nonZero = 0;
  let borrow = 0;
  for (let i = FIELD_BYTES - 1; i >= 0; i--) {
    const byte = scalar[i] ?? 0;
    nonZero |= byte;
    borrow = (byte - (ORDER_MINUS_ONE[i] ?? 0) - borrow) >> 31 === 0 ? 0 : 1;
  }
  if (nonZero === 0 || borrow === 0) {
    throw new GatewayError("sm.key-invalid", { detail: "the private key is out of range" });
  }
}

const ORDER_MINUS_ONE = Uint8Array.from(
  Buffer.from((CURVE_ORDER - 1n).toString(16).padStart(FIELD_BYTES * 2, "0"), "hex"),
);
