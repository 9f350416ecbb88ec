/**
 * Guarantee: every bundle of an export was leased, verified as ferry tx does and
 * written synced; what the ferry refuses is refused to the outbox under its code,
 * what has no room stays there.
 */
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { judgedTimes } from "@lightferry/proto/bundle";
import { asGatewayError, type ErrorCode, GatewayError } from "@lightferry/proto/errors";
import type { lightferry } from "@lightferry/proto/gen";
import { Turns } from "@lightferry/proto/service";
import { DEFAULT_CODE } from "../object.ts";
import { isTransient, untilAnswered } from "../retry.ts";
import { BundleFile } from "../tx/bundle-file.ts";
import { checkBundle, outboxPath } from "../tx/check.ts";
import type { Carried } from "../tx/journal.ts";
import { LEASE_CLASSES } from "../tx/places.ts";
import type { ExportParts } from "./export.ts";
import { copyTo, onMedium } from "./files.ts";
import { bundleName, MAX_BUNDLES } from "./layout.ts";
import { hex } from "./manifest.ts";

type Lease = lightferry.ferry.v1.LeasedBundle.$Properties;
type Entry = lightferry.ferry.v1.MediaBundle.$Properties;

/** Few at once: what is leased and then finds no room waits until its lease has run out, or the next export. */
const LEASE_MAX = 16;
/** An outbox that answers at all answers within this. */
const DEADLINE_MS = 30_000;
/** A front-proxy that restarts is back sooner; then the operator should know. */
const GIVE_UP_MS = 60_000;
/** Acknowledgements under way at a time; each is one transaction of the outbox. */
const ACKS_AT_ONCE = 8;
/** Owner and group read; a medium's file system may not know modes at all. */
const FILE_MODE = 0o640;

interface Loaded {
  readonly entry: Entry;
  leaseId: string;
}

export class Freight {
  readonly loaded: Loaded[] = [];
  readonly refused: { readonly bundle: string; readonly code: ErrorCode }[] = [];
  readonly left: { readonly bundle: string; readonly size: number }[] = [];
  begun = false;
  readonly #parts: ExportParts;
  readonly #begin: () => Promise<void>;
  readonly #known = new Map<string, Loaded>();
  /** Stays over restarts: the outbox gives a later instance what a killed one held. */
  readonly #worker: string;
  #room: number;
  #full = false;

  /** @param room bytes that bundles may take @param begin called once, before the first file */
  constructor(parts: ExportParts, room: number, begin: () => Promise<void>) {
    this.#parts = parts;
    this.#room = room;
    this.#begin = begin;
    this.#worker = `${parts.node}-media/${randomUUID()}`;
  }

  /** Bytes of all bundles on the medium. */
  get bytes(): number {
    return this.loaded.reduce((sum, { entry }) => sum + (entry.size ?? 0), 0);
  }

  /** Takes bundles until there are no more, or no room. @throws what the medium or the outbox throws */
  async load(): Promise<void> {
    const { lane, outbox, signal } = this.#parts;
    let stale = 0;
    while (!this.#full) {
      const max = Math.min(LEASE_MAX, MAX_BUNDLES - this.loaded.length);
      if (max <= 0) return;
      // The first of a class however large: that there is no room for it is said of it by name.
      const room = { bundles: max, anySize: 1, bytes: this.#room };
      const request = {
        ...{ lane, worker: this.#worker, max, waitMs: 0, medium: true },
        ...Object.fromEntries(LEASE_CLASSES.map((name) => [name, room])),
      };
      const answer = await this.#asked(() =>
        outbox.lease(request, { deadlineMs: DEADLINE_MS, signal }),
      );
      const bundles = answer.bundles ?? [];
      const before = this.#settled;
      for (const lease of bundles) await this.#take(lease);
      if (bundles.length === 0) return;
      // Only what is on the medium already and was leased anew: that can be so for each of them once.
      stale = this.#settled === before ? stale + 1 : 0;
      if (stale > this.loaded.length / LEASE_MAX + 1) return;
    }
  }

  /** @returns how many the outbox did not take */
  async acknowledge(): Promise<number> {
    const turns = new Turns(ACKS_AT_ONCE);
    let missing = 0;
    await Promise.all(
      this.loaded.map((loaded) =>
        turns.run(async () => {
          const { bundleId = new Uint8Array() } = loaded.entry;
          const answer = { bundleId, leaseId: loaded.leaseId, passesDone: 1, finished: true };
          // Lost to another ferry, or nobody answers: then it goes out once more and is taken once.
          await this.#ack(answer).catch(() => {
            missing += 1;
          });
        }),
      ),
    );
    return missing;
  }

  get #settled(): number {
    return this.loaded.length + this.refused.length + this.left.length;
  }

  async #take(lease: Lease): Promise<void> {
    const { signal } = this.#parts;
    signal.throwIfAborted();
    const carried = carriedOf(lease);
    // Its lease ran out while others were copied.
    const known = this.#known.get(carried.bundleId);
    if (known !== undefined) {
      known.leaseId = carried.leaseId;
      return;
    }
    let file: BundleFile | undefined;
    try {
      file = await this.#checked(carried);
      if (file === undefined) return;
      if (carried.size > this.#room) return this.#leave(carried);
      await this.#copy(carried, file);
    } finally {
      await file?.close();
    }
  }

  /** Opened and verified; undefined when it was refused. */
  async #checked(carried: Carried): Promise<BundleFile | undefined> {
    const { outboxDir, node, lane, keys, signer } = this.#parts;
    let file: BundleFile | undefined;
    try {
      file = await BundleFile.open(outboxPath(outboxDir, carried.file));
      const { provider } = signer;
      const times = judgedTimes(Date.now(), undefined);
      await checkBundle(carried, file, { provider, keys: keys(), lane, node, outboxDir, times });
      return file;
    } catch (error) {
      await file?.close();
      if (!(error instanceof GatewayError)) throw error;
      await this.#refuse(carried, error.code);
      return undefined;
    }
  }

  async #copy(carried: Carried, file: BundleFile): Promise<void> {
    const { dir, signer } = this.#parts;
    if (!this.begun) await this.#begin();
    this.begun = true;
    const reader = await file.open();
    const read = (into: Uint8Array, offset: number) =>
      reader.read(into, offset).catch((cause: unknown) => {
        // Of the outbox, not of the medium.
        throw new GatewayError("ferry.file-invalid", { detail: "cannot be read", cause });
      });
    const path = join(dir, bundleName(Buffer.from(carried.bundleId, "hex")));
    let digest: Uint8Array | undefined;
    try {
      digest = await onMedium(() => copyTo(signer.provider, read, carried.size, path, FILE_MODE));
    } catch (error) {
      // Less room than the file system said, or a file larger than it takes.
      if (asGatewayError(error).code !== "media.no-room") throw error;
      return this.#leave(carried);
    }
    if (digest === undefined) return await this.#refuse(carried, "ferry.file-invalid");
    const loaded = { leaseId: carried.leaseId, entry: entryOf(carried, digest) };
    this.loaded.push(loaded);
    this.#known.set(carried.bundleId, loaded);
    this.#room -= carried.size;
  }

  #leave({ bundleId, size }: Carried): void {
    this.left.push({ bundle: bundleId, size });
    this.#full = true;
  }

  async #refuse(carried: Carried, code: ErrorCode): Promise<void> {
    const { events, lane } = this.#parts;
    const bundleId = Buffer.from(carried.bundleId, "hex");
    await events.record([
      {
        type: "bundle.refused",
        outcome: "refused",
        ...{ code, bundleId, lane, size: carried.size },
        digest: Buffer.from(carried.headerDigest, "hex"),
        attributes: { sequence: String(carried.sequence), stream: carried.stream },
      },
    ]);
    await this.#ack({ bundleId, leaseId: carried.leaseId, refuseCode: code });
    this.refused.push({ bundle: carried.bundleId, code });
  }

  async #ack(request: lightferry.ferry.v1.AckRequest.$Properties): Promise<void> {
    const { outbox, signal } = this.#parts;
    await this.#asked(() => outbox.ack(request, { deadlineMs: DEADLINE_MS, signal }));
  }

  /** Asks until there is an answer, for a while. */
  async #asked<T>(call: () => Promise<T>): Promise<T> {
    const until = performance.now() + GIVE_UP_MS;
    return await untilAnswered(
      call,
      this.#parts.signal,
      (error) => isTransient(error) && performance.now() < until,
    );
  }
}

/** As ferry tx names it to its check; nothing of frames applies to a medium. */
function carriedOf(lease: Lease): Carried {
  return {
    bundleId: hex(lease.bundleId ?? new Uint8Array()),
    lane: "",
    objectId: 0,
    shardSize: 0,
    code: DEFAULT_CODE,
    file: lease.file ?? "",
    size: lease.size ?? 0,
    headerDigest: hex(lease.headerDigest ?? new Uint8Array()),
    stream: lease.stream ?? "",
    sequence: lease.sequence ?? 0,
    priority: lease.priority ?? "",
    leaseId: lease.leaseId ?? "",
    passes: 0,
    firstPassMs: 0,
  };
}

function entryOf(carried: Carried, digest: Uint8Array): Entry {
  return {
    bundleId: Buffer.from(carried.bundleId, "hex"),
    headerDigest: Buffer.from(carried.headerDigest, "hex"),
    size: carried.size,
    digest,
    stream: carried.stream,
    sequence: carried.sequence,
  };
}
