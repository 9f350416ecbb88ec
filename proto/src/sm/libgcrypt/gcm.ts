/**
 * Guarantee: SM4-GCM (GB/T 32907, NIST SP 800-38D with a 12-byte nonce and a
 * 16-byte tag) in libgcrypt. The tag is compared there in constant time;
 * plaintext that fails it is wiped and never returned. A handle lives for one
 * call and is wiped and closed on every path, so no key stays behind.
 */
import { GatewayError } from "../../errors/index.ts";
import { checkKeyAndNonce, GCM_TAG_BYTES, gcmFailure, roomFor } from "../gcm-input.ts";
import type { Sm4Gcm } from "../provider.ts";
import type { Handle, Libgcrypt } from "./binding.ts";

/** enum gcry_cipher_algos, gcry_cipher_modes of gcrypt.h. */
const SM4 = 318;
const GCM = 9;

/** @throws GatewayError `sm.operation-failed` with the library's number. */
function must(step: string, code: number): void {
  if (code !== 0) {
    throw new GatewayError("sm.operation-failed", { detail: `libgcrypt ${step}: ${code}` });
  }
}

/** SM4-GCM of that library; both functions behave as those of `SmProvider`. */
export function libgcryptGcm(library: Libgcrypt): Sm4Gcm {
  function withHandle<T>(
    key: Uint8Array,
    nonce: Uint8Array,
    aad: Uint8Array,
    body: (handle: Handle) => T,
  ): T {
    checkKeyAndNonce(key, nonce);
    const out: [Handle | null] = [null];
    must("open", library.open(out, SM4, GCM, 0));
    const [handle] = out;
    if (handle === null)
      throw new GatewayError("sm.operation-failed", { detail: "libgcrypt open" });
    try {
      must("setkey", library.setKey(handle, key, key.length));
      must("setiv", library.setNonce(handle, nonce, nonce.length));
      if (aad.length > 0) must("authenticate", library.authenticate(handle, aad, aad.length));
      return body(handle);
    } finally {
      library.close(handle);
    }
  }

  return {
    encrypt(key, nonce, plaintext, aad, into) {
      return withHandle(key, nonce, aad, (handle) => {
        const { length } = plaintext;
        const size = length + GCM_TAG_BYTES;
        const sealed = into === undefined ? Buffer.allocUnsafe(size) : roomFor(into, size);
        // An empty buffer has no address: the library would take it for "in place".
        if (length > 0) {
          must("encrypt", library.encrypt(handle, sealed, length, plaintext, length));
        }
        must("gettag", library.getTag(handle, sealed.subarray(length), GCM_TAG_BYTES));
        return sealed;
      });
    },
    decrypt(key, nonce, sealed, aad, into) {
      return withHandle(key, nonce, aad, (handle) => {
        if (sealed.length < GCM_TAG_BYTES) throw gcmFailure();
        const length = sealed.length - GCM_TAG_BYTES;
        // Memory of its own: plaintext never lies in Node's shared pool.
        const plaintext =
          into === undefined ? Buffer.allocUnsafeSlow(length) : roomFor(into, length);
        let authentic = false;
        try {
          if (length > 0)
            must("decrypt", library.decrypt(handle, plaintext, length, sealed, length));
          authentic = library.checkTag(handle, sealed.subarray(length), GCM_TAG_BYTES) === 0;
        } finally {
          if (!authentic) plaintext.fill(0);
        }
        if (!authentic) throw gcmFailure();
        return plaintext;
      });
    },
  };
}
