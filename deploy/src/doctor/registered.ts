/** Guarantee: what the doctor holds a zone against is the registry in its folder, in form; its signature policy checks at the start. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseRegistryDocument, type RegistryDocument } from "@lightferry/proto/registry";
import type { ZonePaths } from "../layout.ts";

/** Undefined where there is none yet. @throws GatewayError `registry.invalid` */
export function registryOf({ registry }: ZonePaths): RegistryDocument | undefined {
  const path = join(registry, "registry.json");
  return existsSync(path) ? parseRegistryDocument(readFileSync(path)) : undefined;
}
