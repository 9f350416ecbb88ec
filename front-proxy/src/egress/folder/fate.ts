/**
 * Guarantee: `<name>.fate.json` is always whole: written under a hidden name
 * and renamed over the former one. It carries what the API would answer.
 */
import { rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { errorRow, type GatewayError } from "@lightferry/proto/errors";
import type { ExchangeDocument } from "../../document.ts";
import type { ClaimRow } from "./claims.ts";
import { FATE_ENDING, WORK_PREFIX } from "./scan.ts";

type Place = Pick<ClaimRow, "claim" | "folder" | "name">;

export async function writeFate(
  outgoingDir: string,
  place: Place,
  exchange: ExchangeDocument,
): Promise<void> {
  await replace(outgoingDir, place, { file: place.name, ...exchange });
}

/** The fate of a file that never became an exchange. */
export async function writeRefusedFate(
  outgoingDir: string,
  place: Place,
  error: GatewayError,
): Promise<void> {
  const row = errorRow(error.code);
  await replace(outgoingDir, place, {
    file: place.name,
    state: "refused",
    refusal: {
      code: error.code,
      rule: "front-proxy:folder",
      reason: { zh: row.zh, en: row.en },
      detail: error.detail,
      actor: row.actor,
      do: { zh: row.doZh, en: row.doEn },
    },
  });
}

async function replace(outgoingDir: string, place: Place, fate: object): Promise<void> {
  const dir = join(outgoingDir, place.folder);
  const draft = join(dir, `${WORK_PREFIX}${place.claim}${FATE_ENDING}`);
  // What lies there is of a crash, or a link that would lead the write elsewhere: never opened.
  await rm(draft, { force: true });
  await writeFile(draft, `${JSON.stringify(fate, null, 2)}\n`, { mode: 0o644, flag: "wx" });
  await rename(draft, join(dir, place.name + FATE_ENDING));
}
