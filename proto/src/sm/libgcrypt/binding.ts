/**
 * Guarantee: the only module that names a function of libgcrypt. The library is
 * opened and initialised at most once a process and on its main thread, as its
 * manual wants (version check first, `INITIALIZATION_FINISHED` last); one that is
 * absent or older than 1.10, the first with SM4, is an error before any call.
 *
 * Every call is synchronous and returns 0 or an error number.
 */
import koffi from "koffi";
import { GatewayError } from "../../errors/index.ts";

const SONAME = "libgcrypt.so.20";
/** The first with SM4 in GCM at speed; 1.9 had the cipher in plain C only. */
const OLDEST = "1.10.0";

const DISABLE_SECURE_MEMORY = 37;
const INITIALIZATION_FINISHED = 38;
const IS_INITIALIZATION_FINISHED = 39;

/** Address of a cipher handle. */
export type Handle = bigint;

export interface Libgcrypt {
  /** For example "1.10.1". */
  readonly version: string;
  open(out: [Handle | null], algorithm: number, mode: number, flags: number): number;
  /** Also wipes the handle: key schedule, GHASH table and counter. */
  close(handle: Handle): void;
  setKey(handle: Handle, key: Uint8Array, length: number): number;
  setNonce(handle: Handle, nonce: Uint8Array, length: number): number;
  authenticate(handle: Handle, aad: Uint8Array, length: number): number;
  encrypt(
    handle: Handle,
    out: Uint8Array,
    room: number,
    plaintext: Uint8Array,
    length: number,
  ): number;
  decrypt(
    handle: Handle,
    out: Uint8Array,
    room: number,
    ciphertext: Uint8Array,
    length: number,
  ): number;
  getTag(handle: Handle, out: Uint8Array, length: number): number;
  /** Compares in constant time. */
  checkTag(handle: Handle, tag: Uint8Array, length: number): number;
  openHash(out: [Handle | null], algorithm: number, flags: number): number;
  /** Also wipes the handle. */
  closeHash(handle: Handle): void;
  writeHash(handle: Handle, data: Uint8Array, length: number): void;
  /** Ends the hash. @returns a copy of its `length` bytes. */
  readHash(handle: Handle, algorithm: number, length: number): Uint8Array;
}

function unavailable(detail: string, cause?: unknown): GatewayError {
  return new GatewayError("sm.unavailable", { detail, cause });
}

function load(soname: string): ReturnType<typeof koffi.load> {
  try {
    return koffi.load(soname);
  } catch (cause) {
    throw unavailable(`${soname} is not on this system`, cause);
  }
}

/**
 * The library, declared for the calling thread.
 * @param initialise true on the main thread; false in a worker, for a library already in use there.
 * @throws GatewayError `sm.unavailable` naming what is missing.
 */
export function openLibgcrypt(initialise: boolean, soname: string = SONAME): Libgcrypt {
  const library = load(soname);
  const named = (declaration: string) => {
    try {
      return library.func(declaration);
    } catch (cause) {
      throw unavailable(`${soname}: ${declaration}`, cause);
    }
  };
  const checkVersion = named("const char *gcry_check_version(const char *wanted)") as (
    wanted: string | null,
  ) => string | null;
  const control = named("unsigned int gcry_control(int command, ...)") as (
    command: number,
    ...rest: unknown[]
  ) => number;
  const digestOf = named("const void *gcry_md_read(void *handle, int algo)") as (
    handle: Handle,
    algorithm: number,
  ) => unknown;
  const bound = {
    open: named(
      "unsigned int gcry_cipher_open(_Out_ void **handle, int algo, int mode, unsigned int flags)",
    ),
    close: named("void gcry_cipher_close(void *handle)"),
    setKey: named("unsigned int gcry_cipher_setkey(void *handle, const void *key, size_t n)"),
    setNonce: named("unsigned int gcry_cipher_setiv(void *handle, const void *iv, size_t n)"),
    authenticate: named(
      "unsigned int gcry_cipher_authenticate(void *handle, const void *aad, size_t n)",
    ),
    encrypt: named(
      "unsigned int gcry_cipher_encrypt(void *handle, void *out, size_t room, const void *in, size_t n)",
    ),
    decrypt: named(
      "unsigned int gcry_cipher_decrypt(void *handle, void *out, size_t room, const void *in, size_t n)",
    ),
    getTag: named("unsigned int gcry_cipher_gettag(void *handle, void *out, size_t n)"),
    checkTag: named("unsigned int gcry_cipher_checktag(void *handle, const void *tag, size_t n)"),
    openHash: named("unsigned int gcry_md_open(_Out_ void **handle, int algo, unsigned int flags)"),
    closeHash: named("void gcry_md_close(void *handle)"),
    writeHash: named("void gcry_md_write(void *handle, const void *data, size_t n)"),
    readHash: (handle: Handle, algorithm: number, length: number) =>
      Uint8Array.from(
        koffi.decode(digestOf(handle, algorithm), koffi.array("uint8_t", length)) as Uint8Array,
      ),
  } as Omit<Libgcrypt, "version">;
  // Every function is there: only now the library is touched.
  const version = checkVersion(OLDEST);
  if (version === null) {
    throw unavailable(`libgcrypt ${checkVersion(null) ?? "?"} is older than ${OLDEST}`);
  }
  if (initialise && control(IS_INITIALIZATION_FINISHED) === 0) {
    // Handles live in ordinary memory and are wiped on closing; keys come from JavaScript anyway.
    control(DISABLE_SECURE_MEMORY, "int", 0);
    control(INITIALIZATION_FINISHED, "int", 0);
  }
  return { version, ...bound };
}
