/**
 * Guarantee: the only module that names a function of OpenSSL. It reaches the
 * OpenSSL inside the Node process itself (no second library), and a missing
 * function stops loading with `sm.unavailable`, never a call.
 *
 * node:crypto signs SM2 with an empty user id and cannot SM2-encrypt; these
 * functions can. All calls are synchronous. OpenSSL keeps its error queue per
 * thread, so {@link guarded} empties it before and after every use.
 */

import koffi from "koffi";
import { GatewayError } from "../../errors/index.ts";

/** Address of a native object; 0n and null are "no object". */
export type Pointer = bigint;

/** OSSL_PARAM of openssl/core.h; anonymous so that it may be declared once per thread. */
const PARAM = koffi.struct({
  key: "const char *",
  data_type: "unsigned int",
  data: "void *",
  data_size: "size_t",
  return_size: "size_t",
});
const PARAM_UNSIGNED_INTEGER = 2;
const PARAM_UTF8_STRING = 4;
const PARAM_OCTET_STRING = 5;
const PARAM_UNMODIFIED = 0xffff_ffff_ffff_ffffn;

export interface Param {
  readonly key: string | null;
  readonly data_type: number;
  readonly data: Uint8Array | null;
  readonly data_size: number;
  readonly return_size: bigint;
}

function param(key: string, type: number, data: Uint8Array): Param {
  return {
    key,
    data_type: type,
    data,
    data_size: data.length,
    return_size: PARAM_UNMODIFIED,
  };
}

/** A text parameter. OpenSSL reads up to the zero byte, which its length leaves out. */
export function textParam(key: string, value: string): Param {
  const terminated = Buffer.from(`${value}\0`, "ascii");
  return { ...param(key, PARAM_UTF8_STRING, terminated), data_size: terminated.length - 1 };
}

/** An integer parameter; `value` is in the byte order of the machine. */
export function integerParam(key: string, value: Uint8Array): Param {
  return param(key, PARAM_UNSIGNED_INTEGER, value);
}

/** A byte string parameter. */
export function bytesParam(key: string, value: Uint8Array): Param {
  return param(key, PARAM_OCTET_STRING, value);
}

/** Closes a list of parameters. */
export const END_OF_PARAMS: Param = {
  key: null,
  data_type: 0,
  data: null,
  data_size: 0,
  return_size: 0n,
};

function load() {
  let library: ReturnType<typeof koffi.load>;
  try {
    library = koffi.load(null);
  } catch (cause) {
    throw new GatewayError("sm.unavailable", { detail: "the process cannot be opened", cause });
  }
  const named = (declaration: string) => {
    try {
      return library.func(declaration);
    } catch (cause) {
      throw new GatewayError("sm.unavailable", { detail: declaration, cause });
    }
  };
  return {
    clearErrors: named("void ERR_clear_error()") as () => void,
    nextError: named("unsigned long ERR_get_error()") as () => number | bigint,
    errorReason: named("const char *ERR_reason_error_string(unsigned long code)") as (
      code: number | bigint,
    ) => string | null,
    fetchDigest: named("void *EVP_MD_fetch(void *lib, const char *name, const char *props)") as (
      lib: null,
      name: string,
      props: null,
    ) => Pointer | null,
    contextByName: named(
      "void *EVP_PKEY_CTX_new_from_name(void *lib, const char *name, const char *props)",
    ) as (lib: null, name: string, props: null) => Pointer | null,
    contextOf: named("void *EVP_PKEY_CTX_new(void *pkey, void *engine)") as (
      pkey: Pointer,
      engine: null,
    ) => Pointer | null,
    freeContext: named("void EVP_PKEY_CTX_free(void *ctx)") as (ctx: Pointer) => void,
    freeKey: named("void EVP_PKEY_free(void *pkey)") as (pkey: Pointer) => void,
    fromDataInit: named("int EVP_PKEY_fromdata_init(void *ctx)") as (ctx: Pointer) => number,
    fromData: (() => {
      try {
        return library.func("EVP_PKEY_fromdata", "int", [
          "void *",
          koffi.out(koffi.pointer("void *")),
          "int",
          koffi.pointer(PARAM),
        ]);
      } catch (cause) {
        throw new GatewayError("sm.unavailable", { detail: "EVP_PKEY_fromdata", cause });
      }
    })() as (
      ctx: Pointer,
      out: [Pointer | null],
      selection: number,
      params: readonly Param[],
    ) => number,
    keygenInit: named("int EVP_PKEY_keygen_init(void *ctx)") as (ctx: Pointer) => number,
    generate: named("int EVP_PKEY_generate(void *ctx, _Out_ void **pkey)") as (
      ctx: Pointer,
      out: [Pointer | null],
    ) => number,
    getBytes: named(
      "int EVP_PKEY_get_octet_string_param(void *pkey, const char *key, void *buf, size_t max, void *len)",
    ) as (pkey: Pointer, key: string, buf: Uint8Array, max: number, len: BigUint64Array) => number,
    getInteger: named(
      "int EVP_PKEY_get_bn_param(void *pkey, const char *key, _Out_ void **bn)",
    ) as (pkey: Pointer, key: string, out: [Pointer | null]) => number,
    integerToBytes: named("int BN_bn2binpad(void *bn, void *to, int length)") as (
      bn: Pointer,
      to: Uint8Array,
      length: number,
    ) => number,
    clearInteger: named("void BN_clear_free(void *bn)") as (bn: Pointer) => void,
    integerFromBytes: named("void *BN_bin2bn(void *from, int length, void *into)") as (
      from: Uint8Array,
      length: number,
      into: null,
    ) => Pointer | null,
    newGroup: named("void *EC_GROUP_new_by_curve_name(int nid)") as (nid: number) => Pointer | null,
    freeGroup: named("void EC_GROUP_free(void *group)") as (group: Pointer) => void,
    newPoint: named("void *EC_POINT_new(void *group)") as (group: Pointer) => Pointer | null,
    clearPoint: named("void EC_POINT_clear_free(void *point)") as (point: Pointer) => void,
    multiply: named(
      "int EC_POINT_mul(void *group, void *r, void *n, void *q, void *m, void *ctx)",
    ) as (group: Pointer, r: Pointer, n: Pointer, q: null, m: null, ctx: null) => number,
    pointToBytes: named(
      "size_t EC_POINT_point2oct(void *group, void *point, int form, void *buf, size_t len, void *ctx)",
    ) as (
      group: Pointer,
      point: Pointer,
      form: number,
      buf: Uint8Array,
      len: number,
      ctx: null,
    ) => number,
    newDigest: named("void *EVP_MD_CTX_new()") as () => Pointer | null,
    freeDigest: named("void EVP_MD_CTX_free(void *ctx)") as (ctx: Pointer) => void,
    setKeyContext: named("void EVP_MD_CTX_set_pkey_ctx(void *ctx, void *pctx)") as (
      ctx: Pointer,
      pctx: Pointer,
    ) => void,
    setUserId: named("int EVP_PKEY_CTX_set1_id(void *ctx, void *id, int length)") as (
      ctx: Pointer,
      id: Uint8Array,
      length: number,
    ) => number,
    signInit: named(
      "int EVP_DigestSignInit(void *ctx, void *pctx, void *md, void *engine, void *pkey)",
    ) as (ctx: Pointer, pctx: null, md: Pointer, engine: null, pkey: Pointer) => number,
    sign: named(
      "int EVP_DigestSign(void *ctx, void *sig, void *len, void *message, size_t length)",
    ) as (
      ctx: Pointer,
      sig: Uint8Array,
      len: BigUint64Array,
      message: Uint8Array,
      length: number,
    ) => number,
    verifyInit: named(
      "int EVP_DigestVerifyInit(void *ctx, void *pctx, void *md, void *engine, void *pkey)",
    ) as (ctx: Pointer, pctx: null, md: Pointer, engine: null, pkey: Pointer) => number,
    verify: named(
      "int EVP_DigestVerify(void *ctx, void *sig, size_t siglen, void *message, size_t length)",
    ) as (
      ctx: Pointer,
      sig: Uint8Array,
      siglen: number,
      message: Uint8Array,
      length: number,
    ) => number,
    encryptInit: named("int EVP_PKEY_encrypt_init(void *ctx)") as (ctx: Pointer) => number,
    encrypt: named(
      "int EVP_PKEY_encrypt(void *ctx, void *out, void *outlen, void *in, size_t inlen)",
    ) as (
      ctx: Pointer,
      out: Uint8Array,
      outlen: BigUint64Array,
      input: Uint8Array,
      inlen: number,
    ) => number,
    decryptInit: named("int EVP_PKEY_decrypt_init(void *ctx)") as (ctx: Pointer) => number,
    decrypt: named(
      "int EVP_PKEY_decrypt(void *ctx, void *out, void *outlen, void *in, size_t inlen)",
    ) as (
      ctx: Pointer,
      out: Uint8Array,
      outlen: BigUint64Array,
      input: Uint8Array,
      inlen: number,
    ) => number,
  };
}

export type Binding = ReturnType<typeof load>;

let loaded: Binding | undefined;

/**
 * The functions, looked up at first use.
 * @throws GatewayError `sm.unavailable` naming the function that is missing.
 */
export function binding(): Binding {
  loaded ??= load();
  return loaded;
}

/** Runs native calls with an empty error queue before and after. */
export function guarded<T>(body: (native: Binding) => T): T {
  const native = binding();
  native.clearErrors();
  try {
    return body(native);
  } finally {
    native.clearErrors();
  }
}

/** The oldest reason in the error queue, for the detail of an error. Names, never data. */
export function reason(native: Binding, call: string): string {
  const code = native.nextError();
  const text = BigInt(code) === 0n ? null : native.errorReason(code);
  return text === null ? call : `${call}: ${text}`;
}

/** @throws GatewayError `sm.operation-failed` unless a call returned exactly 1. */
export function must(native: Binding, result: number, call: string): void {
  if (result !== 1) {
    throw new GatewayError("sm.operation-failed", { detail: reason(native, call) });
  }
}

/** @throws GatewayError `sm.operation-failed` when a call returned no object. */
export function mustPointer(native: Binding, result: Pointer | null, call: string): Pointer {
  if (result === null || result === 0n) {
    throw new GatewayError("sm.operation-failed", { detail: reason(native, call) });
  }
  return result;
}
