/** Guarantee: the pinned root is one certificate from a local file, never from a message. */
import { readFileSync, statSync } from "node:fs";
import { GatewayError } from "../errors/index.ts";
import { readPkiItems } from "../pki/index.ts";

/** One certificate of 2 KiB in PEM, with room for the text that some tools write above it. */
const MAX_ROOT_FILE_BYTES = 16 * 1024;

/**
 * DER of the pinned root. That it is a root, and whether production mode takes it, says the trust store.
 * @throws GatewayError `config.invalid` when the file cannot be read or holds anything but one
 *   certificate; `certificate.malformed`
 */
export function readTrustRoot(path: string): Uint8Array {
  let bytes: Uint8Array;
  try {
    if (statSync(path).size > MAX_ROOT_FILE_BYTES) {
      throw new GatewayError("config.invalid", { detail: `trustRootPath: ${path} is too large` });
    }
    bytes = readFileSync(path);
  } catch (cause) {
    if (cause instanceof GatewayError) throw cause;
    throw new GatewayError("config.invalid", {
      detail: `trustRootPath: ${path} cannot be read`,
      cause,
    });
  }
  const [item, ...more] = readPkiItems(bytes);
  if (item === undefined || more.length > 0) {
    throw new GatewayError("config.invalid", {
      detail: `trustRootPath: ${path} must hold one certificate`,
    });
  }
  return item.der;
}
