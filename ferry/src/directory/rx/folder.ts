/**
 * Guarantee: whatever order, names and times an appliance gives its files, each is looked at until it is whole;
 * a name is used for nothing but to open, move or remove that file. A file that is ours and never becomes whole
 * is put away, one that is foreign is left alone and counted once. What is remembered of files is bounded.
 *
 * poll, notice ─▶ each file: changed, or due? ─▶ take ─▶ taken: removed
 *                                                  ├▶ not good: looked at again, at last put away or left
 *                                                  └▶ no room: looked at again
 */
import { type FSWatcher, type Stats, watch } from "node:fs";
import { lstat, opendir, rmdir, unlink } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { asGatewayError, GatewayError } from "@lightferry/proto/errors";
import type { Troubles } from "@lightferry/proto/service";
import type { Log } from "../../events.ts";
import { asStorageFault } from "../../storage-fault.ts";
import { Rate } from "../rate.ts";
import type { Verdict } from "./intake.ts";

/** Files of the folder that are remembered, so that they are looked at ever more slowly: about 200 bytes each. */
const MAX_KNOWN = 65_536;
/** Folders that notices are asked for; polling sees the others. */
const MAX_WATCHED = 1_024;
/** A file that is not good is looked at again after this, then after twice as long … */
const FIRST_AGAIN_MS = 100;
/** What the notice of a change is worth: it is waited for more of them. */
const GATHER_MS = 10;
const RECEIVING = "receiving";

export interface FolderParts {
  readonly path: string;
  readonly pollMs: number;
  /** Also listen for notices of the system; a network share has none. */
  readonly notices: boolean;
  /** So long must a file be as it is before it counts as never whole. */
  readonly settleMs: number;
  readonly take: (path: string) => Promise<Verdict>;
  /** Moves a file of ours that is not good out of the folder. */
  readonly putAway: (path: string, reason: string) => Promise<void>;
  readonly count: (reason: string) => void;
  readonly troubles: Troubles;
  readonly lane: string;
  readonly log: Log;
  readonly signal: AbortSignal;
}

/** A file that lies in the folder: not whole, not good, foreign, without room, or taken and not to be removed. */
interface Known {
  readonly key: string;
  readonly since: number;
  againAt: number;
  round: number;
  /** Nothing more is done about it unless it changes. */
  over: boolean;
}

export class Folder {
  readonly counts = { taken: 0, bytes: 0, duplicates: 0, foreign: 0, waiting: 0 };
  readonly #parts: FolderParts;
  readonly #known = new Map<string, Known>();
  /** Folders below that are empty, and since when. */
  readonly #empty = new Map<string, number>();
  /** Folders below that could not be read, told once. */
  readonly #closed = new Set<string>();
  #round = 0;
  #full = false;
  /** The first fault of a round: the other files are looked at all the same. */
  #fault: unknown;
  readonly rate = new Rate();
  #notice: () => void = () => undefined;
  readonly #watchers = new Map<string, { readonly watcher: FSWatcher; round: number }>();

  constructor(parts: FolderParts) {
    this.#parts = parts;
  }

  /** Works until the signal; never throws. */
  async run(): Promise<void> {
    const { signal, pollMs, troubles, lane, log } = this.#parts;
    while (!signal.aborted) {
      const noticed = new Promise<void>((resolve) => {
        this.#notice = resolve;
      });
      try {
        await this.#look();
        if (!this.#full) await troubles.over(RECEIVING, { lane });
      } catch (error) {
        // What comes back under its name is another folder.
        this.#deaf();
        const fault = asFolderFault(error);
        const { code, detail } = asGatewayError(fault);
        if (!signal.aborted) log.warn({ code, detail }, "folder not read, tried again");
        void troubles.met(RECEIVING, fault, { lane });
      }
      const next = new AbortController();
      const over = AbortSignal.any([signal, next.signal]);
      await Promise.race([
        noticed.then(() => delay(GATHER_MS, undefined, { signal: over })),
        delay(this.#pause(pollMs), undefined, { signal: over }),
      ]).catch(() => undefined);
      next.abort();
    }
    this.#deaf();
  }

  #deaf(): void {
    for (const path of this.#watchers.keys()) this.#unlisten(path);
  }

  /** A file that is not good yet is looked at sooner than the next poll. */
  #pause(pollMs: number): number {
    const now = performance.now();
    let pause = pollMs;
    for (const { againAt, over } of this.#known.values()) {
      if (!over) pause = Math.min(pause, Math.max(againAt - now, GATHER_MS));
    }
    return pause;
  }

  async #look(): Promise<void> {
    this.#round += 1;
    this.#full = false;
    this.#fault = undefined;
    if (this.#parts.notices) this.#listen(this.#parts.path);
    await this.#folder(this.#parts.path, true);
    let [foreign, waiting] = [0, 0];
    for (const [path, known] of this.#known) {
      if (known.round !== this.#round) this.#known.delete(path);
      else if (known.over) foreign += 1;
      else waiting += 1;
    }
    Object.assign(this.counts, { foreign, waiting });
    // Folders that are no more.
    for (const [path, { round }] of this.#watchers) {
      if (round !== this.#round) this.#unlisten(path);
    }
    if (this.#fault !== undefined) throw this.#fault;
  }

  /** @returns how many entries it has */
  async #folder(path: string, below: boolean): Promise<number> {
    const { signal } = this.#parts;
    let entries = 0;
    for await (const entry of await opendir(path)) {
      if (signal.aborted) return Number.POSITIVE_INFINITY;
      entries += 1;
      const found = join(path, entry.name);
      if (entry.isDirectory() && below) {
        if (this.#parts.notices) this.#listen(found);
        // Taken away meanwhile, or not for us to read: no fault of the others.
        const entries = await this.#folder(found, false).catch(() => this.#unreadable(found));
        if (entries !== undefined) await this.#empties(found, entries);
      } else {
        await this.#file(found);
      }
    }
    return entries;
  }

  /** A folder below that stays empty goes, as its files did: an appliance may have made it for files still to come. */
  async #empties(path: string, entries: number): Promise<void> {
    const now = performance.now();
    const since = this.#empty.get(path);
    if (entries > 0) this.#empty.delete(path);
    else if (since === undefined && this.#empty.size < MAX_WATCHED) this.#empty.set(path, now);
    if (entries > 0 || since === undefined || now - since < this.#parts.settleMs) return;
    this.#empty.delete(path);
    // Not empty any more, or not for us to remove.
    await rmdir(path).catch(() => undefined);
  }

  #unreadable(path: string): undefined {
    if (this.#closed.has(path) || this.#closed.size >= MAX_WATCHED) return undefined;
    this.#closed.add(path);
    this.#parts.count("folder");
    return undefined;
  }

  async #file(path: string): Promise<void> {
    const { take, signal } = this.#parts;
    const stat = await lstat(path).catch(() => undefined);
    if (stat === undefined) return;
    const key = keyOf(stat);
    const now = performance.now();
    let known = this.#known.get(path);
    if (known?.key !== key) known = { key, since: now, againAt: 0, round: 0, over: false };
    known.round = this.#round;
    if (known.over || now < known.againAt) return;
    // More than are remembered: looked at in every round.
    if (this.#known.has(path) || this.#known.size < MAX_KNOWN) this.#known.set(path, known);
    let verdict: Verdict;
    try {
      verdict = await take(path);
    } catch (error) {
      this.#fault ??= error;
      known.againAt = performance.now() + this.#parts.pollMs;
      return;
    }
    if (signal.aborted) return;
    if (verdict.verdict === "taken") await this.#taken(path, key, stat.size, verdict.duplicate);
    else if (verdict.verdict === "later") this.#noRoom(known);
    else if (verdict.verdict === "not-good") await this.#notGood(path, known, verdict);
  }

  async #taken(path: string, key: string, bytes: number, duplicate: boolean): Promise<void> {
    this.counts.taken += 1;
    this.counts.bytes += bytes;
    this.rate.add(bytes);
    if (duplicate) this.counts.duplicates += 1;
    // Another file under the same name is not the one that was read.
    const now = await lstat(path).catch(() => undefined);
    if (now === undefined) return;
    if (keyOf(now) !== key) {
      this.#known.delete(path);
      return;
    }
    const removed = await unlink(path).then(
      () => true,
      () => false,
    );
    const known = this.#known.get(path);
    if (removed || known === undefined) this.#known.delete(path);
    // It may stay where nobody may remove it: what it brought is known.
    else known.over = true;
    if (!removed) this.#parts.count("not-removed");
  }

  #noRoom(known: Known): void {
    const { troubles, lane } = this.#parts;
    this.#full = true;
    known.againAt = performance.now() + this.#parts.pollMs;
    void troubles.met(RECEIVING, new GatewayError("directory.no-room"), { lane });
  }

  async #notGood(
    path: string,
    known: Known,
    { reason, foreign }: { readonly reason: string; readonly foreign: boolean },
  ): Promise<void> {
    const { settleMs, putAway, count } = this.#parts;
    const now = performance.now();
    const age = now - known.since;
    if (age < settleMs) {
      known.againAt = now + Math.min(Math.max(FIRST_AGAIN_MS, age), settleMs - age);
      return;
    }
    count(reason);
    known.over = true;
    if (foreign) return;
    await putAway(path, reason);
    this.#known.delete(path);
  }

  #listen(path: string): void {
    const known = this.#watchers.get(path);
    if (known !== undefined) known.round = this.#round;
    if (known !== undefined || this.#watchers.size >= MAX_WATCHED) return;
    try {
      const watcher = watch(path, { persistent: false }, () => this.#notice());
      watcher.on("error", () => this.#unlisten(path));
      this.#watchers.set(path, { watcher, round: this.#round });
    } catch {
      // Then polling alone does it.
    }
  }

  #unlisten(path: string): void {
    this.#watchers.get(path)?.watcher.close();
    this.#watchers.delete(path);
  }
}

/** What changes when somebody writes: not the time of writing alone, which appliances set as they like. */
function keyOf({ dev, ino, size, mtimeMs, ctimeMs }: Stats): string {
  return `${dev} ${ino} ${size} ${mtimeMs} ${ctimeMs}`;
}

function asFolderFault(error: unknown): unknown {
  const fault = asStorageFault(error);
  if (fault instanceof GatewayError) return fault;
  const detail = (error as NodeJS.ErrnoException).code ?? "fault";
  return new GatewayError("directory.folder-unreadable", { detail, cause: error });
}
