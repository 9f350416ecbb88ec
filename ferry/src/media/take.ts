/**
 * Guarantee: a bundle of a verified medium is copied, proved to be the very bytes
 * that were verified, and delivered until the inbox answers; one that is refused
 * lies in `refused/` or `quarantine/`, as by the gate.
 *
 * copy, sync, digest ─▶ rename, sync ─▶ event ─▶ Deliver … ─▶ remove
 *            └─ refused: event ─▶ refused/ or quarantine/
 */
import { mkdir, unlink } from "node:fs/promises";
import { join } from "node:path";
import { GatewayError } from "@lightferry/proto/errors";
import type { SmProvider } from "@lightferry/proto/sm";
import { syncDirectory } from "../durable.ts";
import type { EventSink } from "../events.ts";
import { isTransient, untilAnswered } from "../retry.ts";
import { moveFile } from "../rx/move-file.ts";
import { Quarantine } from "../rx/quarantine.ts";
import type { InboxPeer } from "../rx/station.ts";
import { asStorageFault } from "../storage-fault.ts";
import { copyTo, onMedium, PlainFile } from "./files.ts";
import type { JudgedBundle } from "./inspect.ts";
import { bundleName } from "./layout.ts";
import type { Over, SeenMedium } from "./seen.ts";

/** The inbox verifies every chunk before it answers: seconds for a large bundle. */
const DELIVER_DEADLINE_MS = 600_000;
/** A front-proxy that restarts is back sooner; then the operator should know. */
const GIVE_UP_MS = 60_000;
/** The front-proxy, of the same group, takes them. */
const ARRIVAL_MODE = 0o640;
/** The certificate may still be on its way here. */
const UNKNOWN_KEY_CODES: readonly string[] = [
  "bundle.unknown-sign-key",
  "verdict.unknown-policy-key",
];

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
  readonly #refusedDir: string;

  private constructor(parts: TakerParts) {
    this.#parts = parts;
    const { stateDir, lane, events } = parts;
    this.#quarantine = new Quarantine(join(stateDir, "quarantine"), lane, events);
    this.#refusedDir = join(stateDir, "refused");
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
  async take(dir: string, bundle: JudgedBundle, medium: SeenMedium): Promise<Over> {
    const path = await this.#copy(dir, bundle);
    return bundle.refusal === undefined
      ? await this.#deliver(path, bundle, medium)
      : await this.#putAway(path, bundle, bundle.refusal, medium);
  }

  /** The name that ferry rx removes at its start, if this is broken off. */
  async #copy(dir: string, { bundleId, entry }: JudgedBundle): Promise<string> {
    const { provider, arrivalsDir } = this.#parts;
    const path = join(arrivalsDir, `.${bundleId}.new`);
    await unlink(path).catch(() => undefined);
    const source = await onMedium(() => PlainFile.open(join(dir, bundleName(entry.bundleId))));
    if (source === undefined) throw changed(bundleId);
    try {
      const read = (into: Uint8Array, offset: number) => onMedium(() => source.read(into, offset));
      const digest = await copyTo(provider, read, entry.size, path, ARRIVAL_MODE);
      // A medium may show one content to the check and another to the copy.
      if (digest === undefined || Buffer.compare(digest, entry.digest) !== 0) {
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

  async #deliver(path: string, bundle: JudgedBundle, medium: SeenMedium): Promise<Over> {
    const { arrivalsDir, events, inbox, lane, signal } = this.#parts;
    const { bundleId, entry } = bundle;
    const file = `${bundleId}.lfb`;
    await moveFile(path, join(arrivalsDir, file));
    await syncDirectory(arrivalsDir);
    await events.record([
      {
        type: "bundle.arrived",
        outcome: "ok",
        bundleId: entry.bundleId,
        ...{ lane, digest: entry.headerDigest, size: entry.size },
        attributes: {
          medium: medium.medium,
          sequence: String(entry.sequence),
          stream: entry.stream,
        },
      },
    ]);
    const request = {
      ...{ bundleId: entry.bundleId, file, size: entry.size, headerDigest: entry.headerDigest },
      ...{ lane, receivedMs: Date.now() },
    };
    const until = performance.now() + GIVE_UP_MS;
    const answer = await untilAnswered(
      () => inbox.deliver(request, { deadlineMs: DELIVER_DEADLINE_MS, signal }),
      signal,
      (error) => isTransient(error) && performance.now() < until,
    );
    // A file that was taken was moved away; that of a duplicate was left.
    await unlink(join(arrivalsDir, file)).catch(() => undefined);
    return { fate: fateOf(answer.status ?? ""), code: answer.code ?? "" };
  }

  async #putAway(
    path: string,
    { bundleId, entry }: JudgedBundle,
    { code, detail }: GatewayError,
    { medium }: SeenMedium,
  ): Promise<Over> {
    const { events, lane } = this.#parts;
    const keep =
      code.startsWith("certificate.") ||
      (UNKNOWN_KEY_CODES.includes(code) && this.#quarantine.roomForUnknown);
    await events.record([
      {
        type: "bundle.refused",
        outcome: "refused",
        ...{ code, bundleId: entry.bundleId, lane, digest: entry.headerDigest, size: entry.size },
        attributes: { medium, detail, ...(keep ? { kept: "quarantine" } : {}) },
      },
    ]);
    if (keep) await this.#quarantine.take(path, bundleId);
    else await moveFile(path, join(this.#refusedDir, `${bundleId}.lfb`));
    return { fate: keep ? "quarantined" : "refused", code };
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
