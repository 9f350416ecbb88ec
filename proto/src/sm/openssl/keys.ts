/**
 * Guarantee: EVP_PKEY objects live exactly as long as their owner. A private
 * key is freed (and its scalar cleared by OpenSSL) by `destroy()` or, when its
 * object is forgotten, by the collector; public keys sit in a bounded cache.
 */
import { GatewayError } from "../../errors/index.ts";
import { FIELD_BYTES, PUBLIC_KEY_BYTES } from "../curve.ts";
import { OpaquePrivateKey, unusableKey } from "../opaque-key.ts";
import type { Sm2PrivateKey, Sm2PublicKey } from "../provider.ts";
import {
  type Binding,
  binding,
  bytesParam,
  END_OF_PARAMS,
  guarded,
  integerParam,
  must,
  mustPointer,
  type Param,
  type Pointer,
  reason,
  textParam,
} from "./binding.ts";

/** NID of the SM2 curve in OpenSSL's object table (obj_mac.h, NID_sm2). */
const NID_SM2 = 1172;
const POINT_UNCOMPRESSED = 4;
/** EVP_PKEY_KEYPAIR and EVP_PKEY_PUBLIC_KEY of openssl/evp.h. */
const SELECT_KEYPAIR = 0x87;
const SELECT_PUBLIC = 0x86;
/**
 * Public keys kept ready for verification: nodes, services and officers of two
 * zones are some dozens; 256 keep a full registry at about 1 KiB each.
 */
const PUBLIC_KEY_CACHE = 256;

const forgotten = new FinalizationRegistry<Pointer>((pkey) => binding().freeKey(pkey));

export class OpensslPrivateKey extends OpaquePrivateKey {
  #pkey: Pointer | undefined;
  readonly #publicKey: Sm2PublicKey;

  /** Takes over `pkey`. */
  constructor(pkey: Pointer, publicKey: Sm2PublicKey) {
    super();
    this.#pkey = pkey;
    this.#publicKey = publicKey;
    forgotten.register(this, pkey, this);
  }

  get publicKey(): Sm2PublicKey {
    return Uint8Array.from(this.#publicKey) as Sm2PublicKey;
  }

  destroy(): void {
    if (this.#pkey === undefined) return;
    forgotten.unregister(this);
    binding().freeKey(this.#pkey);
    this.#pkey = undefined;
  }

  /** @throws GatewayError `sm.key-invalid` when destroyed or made by another provider. */
  static pkeyOf(key: Sm2PrivateKey): Pointer {
    if (!(key instanceof OpensslPrivateKey) || key.#pkey === undefined) throw unusableKey();
    return key.#pkey;
  }
}

function pkeyFrom(native: Binding, selection: number, params: readonly Param[]): Pointer {
  const ctx = mustPointer(native, native.contextByName(null, "SM2", null), "EVP_PKEY_CTX_new");
  try {
    must(native, native.fromDataInit(ctx), "EVP_PKEY_fromdata_init");
    const out: [Pointer | null] = [null];
    const result = native.fromData(ctx, out, selection, [
      textParam("group", "SM2"),
      ...params,
      END_OF_PARAMS,
    ]);
    if (result !== 1) {
      throw new GatewayError("sm.key-invalid", { detail: reason(native, "EVP_PKEY_fromdata") });
    }
    return mustPointer(native, out[0], "EVP_PKEY_fromdata");
  } finally {
    native.freeContext(ctx);
  }
}

/** scalar × G. OpenSSL takes its constant-time ladder for a lone base-point product. */
function publicPoint(native: Binding, scalar: Uint8Array): Sm2PublicKey {
  const group = mustPointer(native, native.newGroup(NID_SM2), "EC_GROUP_new");
  let point: Pointer | undefined;
  let integer: Pointer | undefined;
  try {
    point = mustPointer(native, native.newPoint(group), "EC_POINT_new");
    integer = mustPointer(
      native,
      native.integerFromBytes(scalar, scalar.length, null),
      "BN_bin2bn",
    );
    must(native, native.multiply(group, point, integer, null, null, null), "EC_POINT_mul");
    const bytes = new Uint8Array(PUBLIC_KEY_BYTES);
    const written = native.pointToBytes(
      group,
      point,
      POINT_UNCOMPRESSED,
      bytes,
      bytes.length,
      null,
    );
    must(native, written === PUBLIC_KEY_BYTES ? 1 : 0, "EC_POINT_point2oct");
    return bytes as Sm2PublicKey;
  } finally {
    if (integer !== undefined) native.clearInteger(integer);
    if (point !== undefined) native.clearPoint(point);
    native.freeGroup(group);
  }
}

/** A private key from a scalar that the caller has range-checked. */
export function importPrivateKey(scalar: Uint8Array): OpensslPrivateKey {
  // OpenSSL reads integers in machine order; every platform of Node 26 we pin is little-endian.
  const machineOrder = Uint8Array.from(scalar).reverse();
  try {
    return guarded((native) => {
      const publicKey = publicPoint(native, scalar);
      const pkey = pkeyFrom(native, SELECT_KEYPAIR, [
        integerParam("priv", machineOrder),
        bytesParam("pub", publicKey),
      ]);
      return new OpensslPrivateKey(pkey, publicKey);
    });
  } finally {
    machineOrder.fill(0);
  }
}

/** A fresh private key from OpenSSL's generator. */
export function generatePrivateKey(): OpensslPrivateKey {
  return guarded((native) => {
    const ctx = mustPointer(native, native.contextByName(null, "SM2", null), "EVP_PKEY_CTX_new");
    let pkey: Pointer | undefined;
    try {
      must(native, native.keygenInit(ctx), "EVP_PKEY_keygen_init");
      const out: [Pointer | null] = [null];
      must(native, native.generate(ctx, out), "EVP_PKEY_generate");
      pkey = mustPointer(native, out[0], "EVP_PKEY_generate");
      const publicKey = new Uint8Array(PUBLIC_KEY_BYTES);
      const length = new BigUint64Array(1);
      const result = native.getBytes(pkey, "pub", publicKey, publicKey.length, length);
      must(
        native,
        length[0] === BigInt(PUBLIC_KEY_BYTES) ? result : 0,
        "EVP_PKEY_get_octet_string_param",
      );
      const key = new OpensslPrivateKey(pkey, publicKey as Sm2PublicKey);
      pkey = undefined;
      return key;
    } finally {
      if (pkey !== undefined) native.freeKey(pkey);
      native.freeContext(ctx);
    }
  });
}

/** The 32-byte scalar of a key; the caller wipes it. */
export function exportPrivateKey(key: Sm2PrivateKey): Uint8Array {
  const pkey = OpensslPrivateKey.pkeyOf(key);
  return guarded((native) => {
    const out: [Pointer | null] = [null];
    must(native, native.getInteger(pkey, "priv", out), "EVP_PKEY_get_bn_param");
    const integer = mustPointer(native, out[0], "EVP_PKEY_get_bn_param");
    try {
      const scalar = new Uint8Array(FIELD_BYTES);
      const written = native.integerToBytes(integer, scalar, scalar.length);
      must(native, written === FIELD_BYTES ? 1 : 0, "BN_bn2binpad");
      return scalar;
    } finally {
      native.clearInteger(integer);
    }
  });
}

const publicKeys = new Map<string, Pointer>();

/**
 * The EVP_PKEY of a public key, cached by its bytes (not by the array, which
 * its holder could change). Valid until the next call: use it at once.
 */
export function publicPkey(native: Binding, key: Sm2PublicKey): Pointer {
  const id = Buffer.from(key.buffer, key.byteOffset, key.length).toString("latin1");
  const known = publicKeys.get(id);
  if (known !== undefined) {
    // Moved to the young end, so that the oldest entry is the least recently used.
    publicKeys.delete(id);
    publicKeys.set(id, known);
    return known;
  }
  const pkey = pkeyFrom(native, SELECT_PUBLIC, [bytesParam("pub", key)]);
  publicKeys.set(id, pkey);
  if (publicKeys.size > PUBLIC_KEY_CACHE) {
    for (const [oldest, handle] of publicKeys) {
      publicKeys.delete(oldest);
      native.freeKey(handle);
      break;
    }
  }
  return pkey;
}
