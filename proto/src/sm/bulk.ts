/**
 * Guarantee: which code does SM4-GCM of more than a few bytes and SM3 of long
 * data. libgcrypt, if the system has it and it reproduced the published vectors
 * and OpenSSL's results here and now; OpenSSL otherwise. Never a reason to stop a start: both are the
 * same algorithm, one is several times faster.
 *
 * libgcrypt is not safe against a concurrent first use. The main thread takes it
 * into use and says so in the environment data that every worker made afterwards
 * inherits; a worker that does not find it there stays with OpenSSL.
 */
import { getEnvironmentData, isMainThread, setEnvironmentData } from "node:worker_threads";
import { asGatewayError, GatewayError } from "../errors/index.ts";
import { type Libgcrypt, openLibgcrypt } from "./libgcrypt/binding.ts";
import { libgcryptGcm } from "./libgcrypt/gcm.ts";
import { libgcryptSm3 } from "./libgcrypt/sm3.ts";
import type { Sm3Hash, Sm4Gcm } from "./provider.ts";
import { selfTestBulk, selfTestBulkSm3 } from "./self-test-bulk.ts";

/**
 * Bytes from which libgcrypt is used. It is the faster one from 64 bytes on (3 µs against 8); what
 * is smaller than this are wrapped keys, which stay with the OpenSSL that Node carries.
 */
export const BULK_BYTES = 256;

/** Announced bytes from which libgcrypt hashes: starting it costs as much as some 10 KiB. */
export const BULK_HASH_BYTES = 64 * 1024;

/** `openssl` keeps all of SM4 and SM3 with OpenSSL. */
const CHOICE_VARIABLE = "LIGHTFERRY_SM4_BULK";
const IN_USE = "lightferry.sm4-bulk";

export interface Sm4Bulk {
  /** "libgcrypt 1.10.1" or "openssl". */
  readonly name: string;
  /** Why it is OpenSSL; empty when it is libgcrypt. */
  readonly reason: string;
  /** undefined: OpenSSL does everything. */
  readonly gcm: Sm4Gcm | undefined;
  /** Starts an SM3; undefined likewise. */
  readonly sm3: (() => Sm3Hash) | undefined;
}

let chosen: Sm4Bulk | undefined;

/** The choice, made at the first call in a thread and kept. */
export function sm4Bulk(reference: Sm4Gcm): Sm4Bulk {
  chosen ??= chooseBulk(reference, process.env[CHOICE_VARIABLE]);
  return chosen;
}

/**
 * @param choice `openssl` for OpenSSL; anything else for the faster one.
 * @param open the library; tests hand in one that is absent or wrong.
 */
export function chooseBulk(
  reference: Sm4Gcm,
  choice: string | undefined,
  open: (initialise: boolean) => Libgcrypt = openLibgcrypt,
): Sm4Bulk {
  if (choice === "openssl") return openssl(`${CHOICE_VARIABLE}=openssl`);
  if (!isMainThread && getEnvironmentData(IN_USE) !== true) {
    return openssl("not in use on the main thread");
  }
  try {
    const library = open(isMainThread);
    const gcm = libgcryptGcm(library);
    const sm3 = libgcryptSm3(library);
    const wrong = selfTestBulk(gcm, reference) ?? selfTestBulkSm3(sm3);
    if (wrong !== undefined) {
      throw new GatewayError("sm.self-test-failed", {
        detail: `libgcrypt ${library.version}: ${wrong}`,
      });
    }
    if (isMainThread) setEnvironmentData(IN_USE, true);
    return { name: `libgcrypt ${library.version}`, reason: "", gcm, sm3 };
  } catch (error) {
    return openssl(asGatewayError(error).detail);
  }
}

function openssl(reason: string): Sm4Bulk {
  return { name: "openssl", reason, gcm: undefined, sm3: undefined };
}
