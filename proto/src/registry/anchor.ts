/** Guarantee: the trust anchor is a checked public key from a local file, never from a message. */
import { readFileSync } from "node:fs";
import { GatewayError } from "../errors/index.ts";
import type { Sm2PublicKey, SmProvider } from "../sm/index.ts";
import type { Mode } from "./registry.ts";

/**
 * Reads `{"publicKey": hex, "demo": boolean}`.
 * @throws GatewayError `registry.invalid`, or `registry.demo-in-production` for a 演示 anchor.
 */
export function readAnchor(provider: SmProvider, path: string, mode: Mode): Sm2PublicKey {
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(path, "utf8"));
  } catch (cause) {
    throw new GatewayError("registry.invalid", { detail: "the anchor file cannot be read", cause });
  }
  const { publicKey, demo } = Object(json) as { publicKey?: unknown; demo?: unknown };
  if (
    typeof publicKey !== "string" ||
    !/^[0-9a-f]{130}$/.test(publicKey) ||
    typeof demo !== "boolean"
  ) {
    throw new GatewayError("registry.invalid", {
      detail: "the anchor file needs publicKey and demo",
    });
  }
  if (demo && mode === "production") {
    throw new GatewayError("registry.demo-in-production", { detail: "trust anchor" });
  }
  return provider.checkPublicKey(Buffer.from(publicKey, "hex"));
}
