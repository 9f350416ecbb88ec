/**
 * Guarantee: a claimed file is submitted exactly once, whatever happens in
 * between: the claim's id is the idempotency key, and an upload that a crash
 * broke off goes on where it was durable.
 *
 *   name ─(row, rename)─▶ hidden work name ─▶ upload ─▶ accepted: work file removed
 *                                                  └──▶ refused: given back as <name>.refused
 */
import { type FileHandle, lstat, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { asGatewayError, GatewayError } from "@lightferry/proto/errors";
import { formatId, newId } from "@lightferry/proto/ids";
import type { WatchConfig } from "../../config.ts";
import type { FrontProxyContext } from "../../context.ts";
import { claimFor } from "../../http/idempotency-key.ts";
import { findExchange } from "../exchange-view.ts";
import { checkFileName } from "../file-name.ts";
import type { Receipt } from "../submission.ts";
import type { Uploads } from "../uploads.ts";
import { type ClaimRow, dropClaim, insertClaim, nameExchange, noteFate } from "./claims.ts";
import { writeFate, writeRefusedFate } from "./fate.ts";
import { type Note, readNote } from "./note.ts";
import { openRegular } from "./open-regular.ts";
import { type Candidate, REFUSED_ENDING, WORK_PREFIX } from "./scan.ts";

export interface TakeParts {
  readonly context: FrontProxyContext;
  readonly watch: WatchConfig;
  readonly uploads: Uploads;
}

type Place = Pick<ClaimRow, "claim" | "folder" | "name">;

function pathsOf(watch: WatchConfig, place: Place) {
  const dir = join(watch.outgoingDir, place.folder);
  const work = join(dir, WORK_PREFIX + place.claim);
  return { dir, work, workNote: `${work}.json`, note: join(dir, `${place.name}.json`) };
}

/** Takes a file out of the folder's view; it is ours from the rename on. */
export async function claimFile(parts: TakeParts, candidate: Candidate): Promise<void> {
  const place = { claim: formatId(newId()), folder: candidate.folder, name: candidate.name };
  const { dir, work, workNote, note } = pathsOf(parts.watch, place);
  await insertClaim(parts.context.pool, place);
  try {
    await rename(join(dir, place.name), work);
  } catch {
    // Its owner took it back in between.
    await dropClaim(parts.context.pool, place.claim);
    return;
  }
  await rename(note, workNote).catch(() => undefined);
}

/** Carries a claimed file as far as it will go now; throws what will pass by itself. */
export async function submitClaimed(parts: TakeParts, row: ClaimRow): Promise<void> {
  const { context, watch } = parts;
  const { work } = pathsOf(watch, row);
  if ((await lstat(work).catch(() => undefined)) === undefined) {
    // The claim was written but the rename never happened: the file is found again by the scan.
    await dropClaim(context.pool, row.claim);
    return;
  }
  try {
    await settle(parts, row, await submit(parts, row, work));
  } catch (error) {
    const fault = asGatewayError(error);
    if (!PERMANENT.has(fault.code)) throw fault;
    await giveBack(parts, row);
    await writeRefusedFate(watch.outgoingDir, row, fault);
    await context.shell.journal.record([
      {
        type: "exchange.refused",
        outcome: "refused",
        code: fault.code,
        actor: watch.caller,
        clientAddress: "folder",
        lane: laneOf(row),
        service: serviceOf(row),
      },
    ]);
    await noteFate(context.pool, row.claim, "refused", true);
  }
}

/** Four 256 KiB ciphertext chunks for one system call. */
const READ_BYTES = 1_048_576;

/** Refusals that trying again cannot change. */
const PERMANENT: ReadonlySet<string> = new Set([
  "folder.not-a-file",
  "folder.sidecar-invalid",
  "upload.name-invalid",
  "upload.length-exceeded",
  "upload.over-share",
  "upload.incomplete",
  "submit.too-large",
]);

async function submit(parts: TakeParts, row: ClaimRow, work: string): Promise<Receipt> {
  const file = await openRegular(work);
  if (file === undefined) throw new GatewayError("folder.not-a-file");
  try {
    return await upload(parts, row, file);
  } finally {
    await file.close();
  }
}

async function upload(parts: TakeParts, row: ClaimRow, work: FileHandle): Promise<Receipt> {
  const { context, watch, uploads } = parts;
  const { workNote } = pathsOf(watch, row);
  const { size: length } = await work.stat();
  const note: Note = (await readNote(workNote)) ?? {};
  const head = {
    caller: watch.caller,
    clientAddress: "folder",
    lane: laneOf(row),
    service: serviceOf(row),
    grade: note.grade ?? watch.grade,
    purpose: note.purpose ?? watch.purpose,
    orderingKey: note.orderingKey ?? "",
  };
  const file = {
    name: checkFileName(row.name),
    contentType: note.contentType ?? "application/octet-stream",
  };
  const idempotency = claimFor(context.shell.provider, `folder:${row.claim}`, head, {
    file,
    length,
  });
  const created = await uploads.create({
    ...head,
    file,
    length,
    expectedDigest: undefined,
    idempotency,
  });
  if ("receipt" in created) return created.receipt;
  const { uploadId, offset } = created.progress;
  const content = work.createReadStream({
    start: offset,
    highWaterMark: READ_BYTES,
    autoClose: false,
  });
  const stored = await uploads.append(uploadId, watch.caller, offset, content);
  if ("receipt" in stored) return stored.receipt;
  // It became shorter while it was read: its writer is not done with it.
  await uploads.abandon(formatId(uploadId));
  throw new GatewayError("upload.incomplete", { detail: "the file changed while it was read" });
}

async function settle(parts: TakeParts, row: ClaimRow, receipt: Receipt): Promise<void> {
  const { context, watch } = parts;
  const { work, workNote } = pathsOf(watch, row);
  const exchangeId = formatId(receipt.exchangeId);
  await nameExchange(context.pool, row.claim, exchangeId);
  if (receipt.refusal !== undefined) await giveBack(parts, row);
  else {
    await rm(work, { force: true });
    await rm(workNote, { force: true });
  }
  const exchange = await findExchange(context.pool, receipt.exchangeId);
  if (exchange === undefined) return;
  await writeFate(watch.outgoingDir, row, exchange);
  await noteFate(context.pool, row.claim, exchange.state, receipt.refusal !== undefined);
}

async function giveBack(parts: TakeParts, row: ClaimRow): Promise<void> {
  const { dir, work, workNote } = pathsOf(parts.watch, row);
  await rename(work, join(dir, row.name + REFUSED_ENDING)).catch(() => undefined);
  await rm(workNote, { force: true });
}

function laneOf(row: ClaimRow): string {
  return row.folder.split("/", 1)[0] ?? "";
}

function serviceOf(row: ClaimRow): string {
  return row.folder.slice(laneOf(row).length + 1);
}
