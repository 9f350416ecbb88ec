/**
 * Guarantee: the numbers of the registry and the pack in use never fall, across
 * restarts and restores of the database: each is kept in a file of its own,
 * durable before the document is used. One number never means two documents.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type ErrorCode, GatewayError } from "@lightferry/proto/errors";
import { replaceDurably } from "./durable.ts";

/** A numbered document; its version is `<number>-<16 hex digits of its digest>`. */
export interface Numbered {
  readonly number: number;
  readonly version: string;
}

interface Mark {
  readonly file: string;
  readonly rollback: ErrorCode;
  readonly conflict: ErrorCode;
  readonly damaged: ErrorCode;
}

const MARKS = {
  pack: {
    file: "pack-high-water.json",
    rollback: "policy.pack-rollback",
    conflict: "policy.pack-conflict",
    damaged: "policy.pack-invalid",
  },
  registry: {
    file: "registry-high-water.json",
    rollback: "registry.rollback",
    conflict: "registry.conflict",
    damaged: "registry.invalid",
  },
} as const satisfies Record<string, Mark>;

/**
 * Refuses a document below the mark, without raising it.
 * @throws GatewayError `policy.pack-rollback`, `policy.pack-conflict`, `registry.rollback`,
 *   `registry.conflict`; `policy.pack-invalid`, `registry.invalid` when the mark itself cannot be
 *   read: then nobody knows what may be used.
 */
function checkHighWater(
  stateDir: string,
  kind: keyof typeof MARKS,
  found: Numbered,
): "new" | "known" {
  const names: Mark = MARKS[kind];
  const mark = readMark(stateDir, names);
  if (mark === undefined || found.number > mark.number) return "new";
  const detail = `${found.version}, ${mark.version}`;
  if (found.number < mark.number) throw new GatewayError(names.rollback, { detail });
  if (found.version !== mark.version) throw new GatewayError(names.conflict, { detail });
  return "known";
}

/** Raises the mark to this document. @throws GatewayError of {@link checkHighWater} */
export function raiseHighWater(stateDir: string, kind: keyof typeof MARKS, found: Numbered): void {
  if (checkHighWater(stateDir, kind, found) === "known") return;
  const { number, version } = found;
  replaceDurably(join(stateDir, MARKS[kind].file), `${JSON.stringify({ number, version })}\n`);
}

function readMark(stateDir: string, { file, damaged }: Mark): Numbered | undefined {
  let text: string;
  try {
    text = readFileSync(join(stateDir, file), "utf8");
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new GatewayError(damaged, { detail: `${file} cannot be read`, cause });
  }
  const found = /^\{"number":([0-9]{1,16}),"version":"([0-9]+-[0-9a-f]{16})"\}\n$/.exec(text);
  if (found === null) throw new GatewayError(damaged, { detail: `${file} is damaged` });
  return { number: Number(found[1]), version: found[2] ?? "" };
}
