/**
 * Guarantee: bundles whose keys do not count lie in one folder under their ids,
 * nothing here throws one away, and a folder that grows is an alarm before it is
 * a full disk. What lies there is read from the folder each time: an officer may
 * take files out.
 */
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import type { EventSink } from "../events.ts";
import { moveFile } from "./move-file.ts";

/** More than a rotation gone wrong leaves in a night; a person should have looked long before. */
export const ALARM_BUNDLES = 256;
/** A fifth of the largest file a lane carries. */
export const ALARM_BYTES = 4 * 1024 ** 3;
/** Files whose size and age are asked for one picture: far over the alarm, and still milliseconds. */
const LOOKED_AT = 2_048;
/** The certificate may still be on its way here: by medium, in a bundle of the other direction. */
const UNKNOWN_KEY_CODES: readonly string[] = [
  "bundle.unknown-sign-key",
  "verdict.unknown-policy-key",
];
const NAME = /^[0-9a-f]{32}\.lfb$/;

export interface QuarantinePicture {
  readonly bundles: number;
  readonly bytes: number;
  /** When the oldest of them came, Unix milliseconds; null: none. */
  readonly sinceMs: number | null;
}

export class Quarantine {
  readonly #dir: string;
  readonly #lane: string;
  readonly #events: EventSink;
  #alarmed = false;

  constructor(dir: string, lane: string, events: EventSink) {
    this.#dir = dir;
    this.#lane = lane;
    this.#events = events;
  }

  path(bundleId: string): string {
    return join(this.#dir, `${bundleId}.lfb`);
  }

  /** Ids of the bundles, in the order of their making (UUIDv7). */
  bundleIds(): string[] {
    return this.#names().map((name) => name.slice(0, 32));
  }

  picture(): QuarantinePicture {
    const names = this.#names();
    let bytes = 0;
    let since = Number.POSITIVE_INFINITY;
    for (const name of names.slice(0, LOOKED_AT)) {
      const stat = statSync(join(this.#dir, name), { throwIfNoEntry: false });
      if (stat === undefined) continue;
      bytes += stat.size;
      since = Math.min(since, Math.round(stat.mtimeMs));
    }
    return { bundles: names.length, bytes, sinceMs: Number.isFinite(since) ? since : null };
  }

  /**
   * Whether a bundle refused for this reason lies here and not among the refused. What is wrong may be the
   * certificate and not the bundle: a revocation in error, a denial that is lifted, a clock; so it is never thrown
   * away for newer ones. A key that nobody vouched for yet is kept as well, as long as there is not too much of it.
   */
  keeps(code: string): boolean {
    if (code.startsWith("certificate.")) return true;
    return UNKNOWN_KEY_CODES.includes(code) && !large(this.picture());
  }

  /** @throws a fault of the disk or the journal; doing it again does no harm. */
  async take(from: string, bundleId: string): Promise<void> {
    const to = this.path(bundleId);
    // Moved by a try before this one whose alarm could not be written.
    if (statSync(from, { throwIfNoEntry: false }) !== undefined) await moveFile(from, to);
    await this.look();
  }

  /** Tells once when the folder has grown large, and again after it was small in between. */
  async look(): Promise<void> {
    const now = this.picture();
    if (!large(now)) {
      this.#alarmed = false;
      return;
    }
    if (this.#alarmed) return;
    this.#alarmed = true;
    try {
      const { bundles, bytes } = now;
      const attributes = { bundles: String(bundles), bytes: String(bytes) };
      const type = "gate.quarantine-large";
      await this.#events.record([{ type, outcome: "error", lane: this.#lane, attributes }]);
    } catch (error) {
      this.#alarmed = false;
      throw error;
    }
  }

  #names(): string[] {
    try {
      return readdirSync(this.#dir)
        .filter((name) => NAME.test(name))
        .sort();
    } catch {
      // A picture of the state must not end the program; a disk that is gone shows at the next write.
      return [];
    }
  }
}

function large({ bundles, bytes }: QuarantinePicture): boolean {
  return bundles > ALARM_BUNDLES || bytes > ALARM_BYTES;
}
