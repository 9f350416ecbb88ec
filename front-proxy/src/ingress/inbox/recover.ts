/**
 * Guarantee: after any crash every file of the inbox has a row or is judged
 * anew, and every row that needs a file has one or is reported as lost.
 */
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { readHeader } from "@lightferry/proto/bundle";
import type { SmProvider } from "@lightferry/proto/sm";
import type { FrontProxyContext } from "../../context.ts";
import { query } from "../../database.ts";
import { refusalCode } from "../failures.ts";
import type { Acceptance, Announcement } from "./accept.ts";
import { type InboxDirs, listInbox, removeFile } from "./files.ts";
import * as store from "./store.ts";

/** Runs once before the inbox answers. @throws GatewayError `database.unavailable`, `journal.full`. */
export async function recoverInbox(
  context: FrontProxyContext,
  dirs: InboxDirs,
  acceptance: Acceptance,
): Promise<void> {
  const { provider } = context.shell;
  const files = new Set(await listInbox(dirs));
  for (const row of await store.filesExpected(context.pool)) {
    if (!files.delete(row.file) && row.state === "accepted")
      await reportLost(context, row.bundleId);
  }
  for (const file of files) {
    const path = join(dirs.inbox, file);
    const announced = await announcementOf(provider, path, file);
    if (announced === undefined || announced.expired) continue;
    const answer = await acceptance.evaluate(path, announced);
    context.shell.log.info({ file, answer }, "bundle found in the inbox without a row");
    // Taken before and opened since: its row no longer needs the file.
    if (answer.status === "duplicate") await removeFile(path);
  }
}

interface Found extends Announcement {
  /** By our own clock, which may be wrong: ferry-rx had no answer and says the sender's with its next announcement. */
  readonly expired: boolean;
}

/** What ferry-rx would have said; an unreadable file keeps its name's id so that it can be refused. */
async function announcementOf(
  provider: SmProvider,
  path: string,
  file: string,
): Promise<Found | undefined> {
  const { size, mtimeMs } = await stat(path);
  const receivedMs = Math.floor(mtimeMs);
  try {
    const received = await readHeader(path);
    const { bundleId, lane, expiresMs } = received.header;
    const expired = expiresMs <= Date.now();
    const headerDigest = provider.sm3(received.headerBytes);
    return { bundleId, headerDigest, file, size, lane, receivedMs, expired };
  } catch (error) {
    if (refusalCode(error) === undefined) throw error;
    const bundleId = Buffer.from(file.slice(0, 36).replaceAll("-", ""), "hex");
    if (bundleId.length !== 16) return undefined;
    const unread = { headerDigest: Buffer.alloc(32), lane: "", expired: false };
    return { ...unread, bundleId, file, size, receivedMs };
  }
}

async function reportLost(context: FrontProxyContext, bundleId: Uint8Array): Promise<void> {
  context.shell.log.error({ bundle: Buffer.from(bundleId).toString("hex") }, "inbox file lost");
  await context.shell.journal.record([
    { type: "bundle.refused", outcome: "error", code: "inbox.file-lost", bundleId },
  ]);
  await query(
    context.pool,
    "ingress.bundle-lost",
    `UPDATE inbox_bundle SET state = 'quarantined', code = 'inbox.file-lost', file_gone = true
     WHERE bundle_id = $1`,
    [bundleId],
  );
}
