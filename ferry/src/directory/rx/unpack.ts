/**
 * Guarantee: every bundle of a whole shipment is copied out, proved to be the bytes that the sender hashed, and
 * handed to the finisher, each once; when this resolves all of them are over or lie durable with the arrivals.
 */
import { lstat, unlink } from "node:fs/promises";
import { join } from "node:path";
import { asGatewayError, GatewayError } from "@lightferry/proto/errors";
import { type Troubles, Turns } from "@lightferry/proto/service";
import type { SmProvider } from "@lightferry/proto/sm";
import type { Log } from "../../events.ts";
import { copyTo } from "../../media/files.ts";
import { untilAnswered } from "../../retry.ts";
import type { DoneLog } from "../../rx/done.ts";
import { ARRIVAL_MODE } from "../../rx/partial.ts";
import type { WholeObject } from "../../rx/settle.ts";
import { asStorageFault } from "../../storage-fault.ts";
import { readManifest, type ShipmentBundle } from "../manifest.ts";
import type { Plan } from "../plan.ts";
import type { PartStore } from "./part-store.ts";

/** As many as the finisher takes to their end at the same time. */
const AT_ONCE = 16;
/** Digits of a bundle id that are random (UUIDv7) and make a safe integer. */
const OBJECT_DIGITS = 12;

export interface UnpackParts {
  readonly provider: SmProvider;
  /** Where copies are made: others may write to the arrivals directory, too, and clear it of what is not whole. */
  readonly dir: string;
  readonly arrivalsDir: string;
  readonly done: DoneLog;
  readonly finish: (object: WholeObject) => Promise<void>;
  readonly troubles: Troubles;
  readonly lane: string;
  readonly log: Log;
  readonly signal: AbortSignal;
}

export class Unpacker {
  readonly #parts: UnpackParts;
  readonly #turns = new Turns(AT_ONCE);
  /** Being copied, hex: another shipment may hold the same bundle. */
  readonly #inWork = new Map<string, Promise<void>>();

  constructor(parts: UnpackParts) {
    this.#parts = parts;
  }

  /** @throws GatewayError `ferry.object-mismatch` when the content is not what its manifest says; the reason of the abort */
  readonly unpack = async (store: PartStore, plan: Plan): Promise<void> => {
    const manifest = Buffer.alloc(plan.facts.manifestSize);
    await this.#persist(async () => {
      if ((await store.read(manifest, plan.manifestAt)) < manifest.length)
        throw mismatch("cut short");
    });
    let at = 0;
    const work: Promise<void>[] = [];
    for (const bundle of readManifest(manifest, plan.manifestAt)) {
      const from = at;
      at += bundle.size;
      work.push(this.#turns.run(() => this.#alone(store, bundle, from)));
    }
    // All are waited for, so that nothing of the store is used when it is over.
    const ends = await Promise.allSettled(work);
    for (const end of ends) if (end.status === "rejected") throw end.reason;
  };

  async #alone(store: PartStore, bundle: ShipmentBundle, from: number): Promise<void> {
    const id = Buffer.from(bundle.bundleId).toString("hex");
    for (let other = this.#inWork.get(id); other !== undefined; other = this.#inWork.get(id)) {
      await other.catch(() => undefined);
    }
    const work = this.#bundle(store, bundle, id, from);
    this.#inWork.set(id, work);
    try {
      await work;
    } finally {
      this.#inWork.delete(id);
    }
  }

  async #bundle(store: PartStore, bundle: ShipmentBundle, id: string, from: number): Promise<void> {
    const { dir, arrivalsDir, done, finish } = this.#parts;
    const path = join(dir, `${id}.bundle`);
    const known = async (): Promise<boolean> =>
      done.hasBundle(id) || (await isThere(join(arrivalsDir, `${id}.lfb`)));
    const copied = await this.#persist(async () => {
      // Done with, or a former run's and already on its way to the inbox.
      if (await known()) return false;
      await this.#copy(store, bundle, from, path);
      return true;
    });
    if (!copied) return;
    await finish({
      bundleId: id,
      objectId: Number.parseInt(id.slice(-OBJECT_DIGITS), 16),
      headerDigest: bundle.headerDigest,
      bytes: new Uint8Array(),
      geometry: { size: bundle.size },
      release: () => undefined,
      file: {
        path,
        complete: async () => undefined,
        remove: async (all) => {
          if (all) await unlink(path).catch(() => undefined);
        },
      },
    });
  }

  async #copy(
    store: PartStore,
    { size, digest }: ShipmentBundle,
    from: number,
    path: string,
  ): Promise<void> {
    await unlink(path).catch(() => undefined);
    const read = (into: Uint8Array, offset: number) => store.read(into, from + offset);
    const found = await copyTo(this.#parts.provider, read, size, path, ARRIVAL_MODE);
    if (found !== undefined && Buffer.compare(found, digest) === 0) return;
    await unlink(path).catch(() => undefined);
    throw mismatch("bundle");
  }

  /** A full disk costs time: it is tried until it is done. */
  async #persist<T>(work: () => Promise<T>): Promise<T> {
    const { signal, troubles, lane, log } = this.#parts;
    const done = await untilAnswered(work, signal, (error) => {
      if (error instanceof GatewayError && error.code === "ferry.object-mismatch") return false;
      const fault = asStorageFault(error);
      log.error({ code: asGatewayError(fault).code }, "not unpacked, tried again");
      void troubles.met("storing", fault, { lane });
      return true;
    });
    await troubles.over("storing", { lane });
    return done;
  }
}

async function isThere(path: string): Promise<boolean> {
  return (await lstat(path).catch(() => undefined)) !== undefined;
}

function mismatch(detail: string): GatewayError {
  return new GatewayError("ferry.object-mismatch", { detail: `shipment: ${detail}` });
}
