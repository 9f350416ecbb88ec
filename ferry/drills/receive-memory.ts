/** Guarantee: while a drill runs any socket may ask for a large receive buffer; afterwards the machine's limit is what it was. */
import { readFileSync, writeFileSync } from "node:fs";
import { atTheEnd } from "./wire/ends.ts";

const LIMIT = "/proc/sys/net/core/rmem_max";

/** @returns puts the former limit back */
export function allowReceiveBuffers(bytes: number): () => void {
  const before = readFileSync(LIMIT, "utf8");
  if (Number(before) >= bytes) return () => undefined;
  writeFileSync(LIMIT, String(bytes));
  const restored = atTheEnd(() => writeFileSync(LIMIT, before));
  return () => {
    writeFileSync(LIMIT, before);
    restored();
  };
}
