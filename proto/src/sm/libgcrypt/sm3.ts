/**
 * Guarantee: SM3 (GB/T 32905) of long data in libgcrypt, whose code for one
 * stream is a quarter to a third faster than OpenSSL's. A handle is closed, and
 * with it wiped, by `digest`; a hash that is forgotten is closed when it is collected.
 */
import { GatewayError } from "../../errors/index.ts";
import type { Sm3Hash } from "../provider.ts";
import type { Handle, Libgcrypt } from "./binding.ts";

/** enum gcry_md_algos of gcrypt.h. */
const SM3 = 326;
const SM3_BYTES = 32;

/** Starts an SM3 of that library. */
export function libgcryptSm3(library: Libgcrypt): () => Sm3Hash {
  const forgotten = new FinalizationRegistry<Handle>((handle) => library.closeHash(handle));
  return () => {
    const out: [Handle | null] = [null];
    const code = library.openHash(out, SM3, 0);
    let [handle] = out;
    if (code !== 0 || handle === null) {
      throw new GatewayError("sm.operation-failed", { detail: `libgcrypt md_open: ${code}` });
    }
    const open = (): Handle => {
      if (handle === null) throw new GatewayError("sm.operation-failed", { detail: "spent hash" });
      return handle;
    };
    const self: Sm3Hash = {
      update(data) {
        if (data.length > 0) library.writeHash(open(), data, data.length);
        return self;
      },
      digest() {
        const digest = library.readHash(open(), SM3, SM3_BYTES);
        forgotten.unregister(self);
        library.closeHash(open());
        handle = null;
        return digest;
      },
    };
    forgotten.register(self, handle, self);
    return self;
  };
}
