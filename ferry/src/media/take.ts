/**
 * Guarantee: a bundle of a verified medium is copied, proved to be the very bytes
 * that were verified, and delivered until the inbox answers; one that is refused
 * lies in `refused/` or `quarantine/`, as by the gate.
 *
 * copy, sync, digest ─▶ rename, sync ─▶ event ─▶ Deliver … ─▶ remove
 *            └─ refused: event ─▶ told to the inbox where the sender may hear of it ─▶ refused/ or quarantine/
 *   next import ─▶ quarantine/ judged anew ─▶ good: as above
 */
import { mkdir, unlink } from "node:fs/promises";
import { join } from "node:path";
import { isSendersOwn } from "@lightferry/proto/bundle";
import { GatewayError } from "@lightferry/proto/errors";
import type { SmProvider } from "@lightferry/proto/sm";
import { syncDirectory } from "../durable.ts";
import type { EventSink } from "../events.ts";
import { isTransient, untilAnswered } from "../retry.ts";
import type { InboxPeer } from "../rx/lane.ts";
import { moveFile } from "../rx/move-file.ts";
import { Quarantine } from "../rx/quarantine.ts";
import { RefusedBundles } from "../rx/refused.ts";
import { asStorageFault } from "../storage-fault.ts";
import { copyTo, onMedium, PlainFile } from "./files.ts";
import { type InspectContext, type JudgedBundle, verifyWhole } from "./inspect.ts";
import { bundleName } from "./layout.ts";
import type { Over, SeenMedium } from "./seen.ts";

/** The inbox verifies every chunk before it answers: seconds for a large bundle. */
const DELIVER_DEADLINE_MS = 600_000;
/** A front-proxy that restarts is back sooner; then the operator should know. */
const GIVE_UP_MS = 60_000;
/** The front-proxy, of the same group, takes them. */
const ARRIVAL_MODE = 0o640;
/** Shorter than any digest: equal to none. */
const NONE = new Uint8Array();

/** A file that lies there, or why the ferry refused it. */
type Asked = Parameters<InboxPeer["deliver"]>[0];

/** What is said of a bundle that is handed over. */
interface Taken {
  readonly bundleId: Uint8Array;
  readonly headerDigest: Uint8Array;
  readonly size: number;
  readonly stream: string;
  readonly sequence: number;
  /** SM3 of the file, where somebody signed for it. */
  readonly digest?: Uint8Array;
}

export interface TakerParts {
  readonly provider: SmProvider;
  readonly lane: string;
  readonly arrivalsDir: string;
  readonly stateDir: string;
  readonly inbox: InboxPeer;
  readonly events: EventSink;
  readonly signal: AbortSignal;
}

export class Taker {
  readonly #parts: TakerParts;
  readonly #quarantine: Quarantine;
  readonly #refused: RefusedBundles;

  private constructor(parts: TakerParts) {
    this.#parts = parts;
    const { stateDir, lane, events } = parts;
    this.#quarantine = new Quarantine(join(stateDir, "quarantine"), lane, events);
    this.#refused = new RefusedBundles(join(stateDir, "refused"));
  }

  /** Makes the folders that ferry rx would. */
  static async open(parts: TakerParts): Promise<Taker> {
    const { stateDir, arrivalsDir } = parts;
    for (const path of [arrivalsDir, join(stateDir, "refused"), join(stateDir, "quarantine")]) {
      await mkdir(path, { recursive: true, mode: 0o750 });
    }
    return new Taker(parts);
  }

  /** @throws GatewayError `media.*`, `spool.disk-full`, `journal.*`, `rpc.*`; the bundle is not over then */
  async take(dir: string, bundle: JudgedBundle, { medium }: SeenMedium): Promise<Over> {
    const from = join(dir, bundleName(bundle.entry.bundleId));
    const source = await onMedium(() => PlainFile.open(from));
    if (source === undefined) throw changed(bundle.bundleId);
    const path = await this.#copy(source, bundle);
    return bundle.refusal === undefined
      ? await this.#deliver(path, bundle.entry, { medium })
      : await this.#putAway(path, bundle, bundle.refusal, medium);
  }

  /**
   * Delivers what of the quarantine verifies by now; the rest stays, and so does what cannot be delivered.
   * @returns how many bundles left it
   * @throws GatewayError as {@link take}
   */
  async judgeAnew(context: InspectContext): Promise<number> {
    let delivered = 0;
    for (const bundleId of this.#quarantine.bundleIds()) {
      const from = this.#quarantine.path(bundleId);
      // Taken out by a person meanwhile: no fault.
      const file = await PlainFile.open(from).catch(() => undefined);
      if (file === undefined) continue;
      const verified = await verifyWhole(file, context).catch(async (error: unknown) => {
        await file.close();
        if (error instanceof GatewayError) return undefined;
        throw error;
      });
      if (verified === undefined) continue;
      const { headerDigest, size, header } = verified;
      const { stream, sequence } = header;
      const entry = { bundleId: verified.bundleId, headerDigest, size, stream, sequence };
      const path = await this.#copy(file, { bundleId, entry });
      await this.#deliver(path, entry, { after: "quarantine" });
      await unlink(from);
      delivered += 1;
    }
    return delivered;
  }

  /** Closes the source. The name is one that ferry rx removes at its start, if this is broken off. */
  async #copy(
    source: PlainFile,
    { bundleId, entry }: { readonly bundleId: string; readonly entry: Taken },
  ): Promise<string> {
    const { provider, arrivalsDir } = this.#parts;
    const path = join(arrivalsDir, `.${bundleId}.new`);
    try {
      await unlink(path).catch(() => undefined);
      const read = (into: Uint8Array, offset: number) => onMedium(() => source.read(into, offset));
      const digest = await copyTo(provider, read, entry.size, path, ARRIVAL_MODE);
      // A medium may show one content to the check and another to the copy.
      const same = entry.digest === undefined || Buffer.compare(digest ?? NONE, entry.digest) === 0;
      if (digest === undefined || !same) {
        await unlink(path).catch(() => undefined);
        throw changed(bundleId);
      }
      return path;
    } catch (error) {
      throw asStorageFault(error);
    } finally {
      await source.close();
    }
  }

  async #deliver(
    path: string,
    { bundleId, headerDigest, size, stream, sequence }: Taken,
    why: Readonly<Record<string, string>>,
  ): Promise<Over> {
    const { arrivalsDir, events, lane } = this.#parts;
    const file = bundleName(bundleId);
    await moveFile(path, join(arrivalsDir, file));
    await syncDirectory(arrivalsDir);
    await events.record([
      {
        type: "bundle.arrived",
        outcome: "ok",
        ...{ bundleId, lane, digest: headerDigest, size },
        attributes: { ...why, sequence: String(sequence), stream },
      },
    ]);
    const answer = await this.#ask({ bundleId, file, size, headerDigest });
    // A file that was taken was moved away; that of a duplicate was left.
    await unlink(join(arrivalsDir, file)).catch(() => undefined);
    return { fate: fateOf(answer.status ?? ""), code: answer.code ?? "" };
  }

  /** The inbox, until it answers or somebody had better look. */
  async #ask(request: Asked): ReturnType<InboxPeer["deliver"]> {
    const { inbox, lane, signal } = this.#parts;
    const until = performance.now() + GIVE_UP_MS;
    return await untilAnswered(
      () => {
        const asked = { ...request, lane, receivedMs: Date.now() };
        return inbox.deliver(asked, { deadlineMs: DELIVER_DEADLINE_MS, signal });
      },
      signal,
      (error) => isTransient(error) && performance.now() < until,
    );
  }

  async #putAway(
    path: string,
    { bundleId, entry }: JudgedBundle,
    { code, detail }: GatewayError,
    medium: string,
  ): Promise<Over> {
    const { events, lane, stateDir } = this.#parts;
    const keep = this.#quarantine.keeps(code);
    await events.record([
      {
        type: "bundle.refused",
        outcome: "refused",
        ...{ code, bundleId: entry.bundleId, lane, digest: entry.headerDigest, size: entry.size },
        attributes: { medium, detail, ...(keep ? { kept: "quarantine" } : {}) },
      },
    ]);
    if (isSendersOwn(code)) {
      const { bundleId: id, headerDigest } = entry;
      await this.#ask({ bundleId: id, headerDigest, refusedCode: code });
    }
    if (keep) {
      await this.#quarantine.take(path, bundleId);
      await syncDirectory(join(stateDir, "quarantine"));
      return { fate: "quarantined", code };
    }
    await this.#refused.take(path, bundleId);
    await syncDirectory(this.#refused.directory);
    await this.#refused.trim();
    return { fate: "refused", code };
  }
}

function fateOf(status: string): Over["fate"] {
  return status === "duplicate" || status === "quarantined" ? status : "accepted";
}

function changed(bundleId: string): GatewayError {
  return new GatewayError("media.content-mismatch", {
    detail: `${bundleId}: changed since the check`,
  });
}
