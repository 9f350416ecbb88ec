/**
 * Guarantee: a file that is renamed into a watched folder is submitted once and
 * its fate stands beside it until its end, over restarts of this program.
 *
 *   scan ─▶ claim ─▶ submit ─▶ fate kept up to date ─▶ end
 */
import { type FSWatcher, watch as watchDirectory } from "node:fs";
import { mkdir } from "node:fs/promises";
import { asGatewayError } from "@lightferry/proto/errors";
import { parseId } from "@lightferry/proto/ids";
import type { WatchConfig } from "../../config.ts";
import type { FrontProxyContext } from "../../context.ts";
import { Doorbell } from "../doorbell.ts";
import { findExchange } from "../exchange-view.ts";
import { END_STATES } from "../state.ts";
import type { Uploads } from "../uploads.ts";
import { changedClaims, noteFate, unsubmittedClaims } from "./claims.ts";
import { writeFate } from "./fate.ts";
import { makePlaces } from "./places.ts";
import { scan } from "./scan.ts";
import { claimFile, submitClaimed, type TakeParts } from "./take.ts";

/** Change notices make new files fast; this finds what they miss, and brings fates up to date. */
const ROUND_MS = 1_000;

export interface Folders {
  close(): Promise<void>;
}

export async function startFolders(
  context: FrontProxyContext,
  watch: WatchConfig,
  { uploads }: { readonly uploads: Uploads },
): Promise<Folders> {
  await mkdir(watch.outgoingDir, { recursive: true });
  const bell = new Doorbell();
  const stop = new AbortController();
  const notices = notify(watch.outgoingDir, bell);
  const running = run({ context, watch, uploads }, bell, stop.signal);
  return {
    close: async () => {
      stop.abort();
      notices?.close();
      await running;
    },
  };
}

/** Without change notices (limits of the system, odd file systems) the rounds alone do. */
function notify(dir: string, bell: Doorbell): FSWatcher | undefined {
  try {
    const watcher = watchDirectory(dir, { recursive: true }, () => bell.ring());
    watcher.on("error", () => watcher.close());
    return watcher;
  } catch {
    return undefined;
  }
}

async function run(parts: TakeParts, bell: Doorbell, signal: AbortSignal): Promise<void> {
  const { context, watch } = parts;
  let placesOf = 0;
  while (!signal.aborted) {
    const since = bell.rings;
    try {
      const registry = context.registry();
      if (registry.document.number !== placesOf) {
        await makePlaces(watch.outgoingDir, context.config.zone, registry);
        placesOf = registry.document.number;
      }
      await round(parts, signal);
    } catch (error) {
      const { code, detail } = asGatewayError(error);
      context.shell.log.warn({ code, detail }, "watched folders wait");
      // Whatever is out of order, the next change of a folder will not mend it.
      await bell.wait(bell.rings, ROUND_MS, signal);
      continue;
    }
    await bell.wait(since, ROUND_MS, signal);
  }
}

/** One round over all folders. Public so that tests need not wait for the clock. */
export async function round(parts: TakeParts, signal?: AbortSignal): Promise<void> {
  for (const candidate of await scan(parts.watch.outgoingDir, Date.now())) {
    if (signal?.aborted === true) return;
    await claimFile(parts, candidate);
  }
  for (const row of await unsubmittedClaims(parts.context.pool)) {
    if (signal?.aborted === true) return;
    await submitClaimed(parts, row);
  }
  await refresh(parts);
}

/** Not by way of what is open: thousands of files may wait for a person or the gate, and change nothing. */
async function refresh({ context, watch }: TakeParts): Promise<void> {
  for (const row of await changedClaims(context.pool)) {
    const exchange = await findExchange(context.pool, parseId(row.exchange_id));
    if (exchange === undefined) continue;
    await writeFate(watch.outgoingDir, row, exchange);
    const ended = (END_STATES as readonly string[]).includes(exchange.state);
    await noteFate(context.pool, row.claim, exchange.state, ended);
  }
}
