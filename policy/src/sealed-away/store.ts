/**
 * Guarantee: suspected secrets are written only encrypted, one file each, whole
 * or not at all; nothing here reads them back. Until committed the file lies
 * under a name of its own that a start removes. All together stay within a limit: beyond it the content is
 * let go and its digest kept, so that nobody fills the disk with what is refused.
 *
 * File: "LFSA1" | wrapped key (65 bytes) | encrypted content. The key is bound
 * to the exchange id.
 */

import { once } from "node:events";
import { mkdir, open, readdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { GatewayError } from "@lightferry/proto/errors";
import { formatId, newId } from "@lightferry/proto/ids";
import type { PayloadVault } from "@lightferry/proto/keystore";
import type { Sm3Hash, SmProvider } from "@lightferry/proto/sm";

const MAGIC = Buffer.from("LFSA1", "ascii");
const CONTEXT = Buffer.from("sealed-away/1\0", "ascii");
const UNFINISHED = ".unfinished";

/** A few of the largest files a lane carries (20 GB); refused content is charged to no quota. */
export const SEALED_AWAY_MAX_BYTES = 64 * 1024 ** 3;

export interface SealedAway {
  /** Name of the file in the sealed-away folder; undefined when there was no room for it. */
  readonly name: string | undefined;
  /** SM3 of the content. */
  readonly digest: Uint8Array;
  readonly size: number;
}

/** Is told, not asked: that something was let go for want of room, and that something was kept. */
export interface RoomTold {
  full(usedBytes: number): void;
  kept(): void;
}

/** Bytes of the folder, those under way included. */
class Room {
  readonly #folder: string;
  readonly #maxBytes: number;
  #used = 0;

  constructor(folder: string, maxBytes: number) {
    this.#folder = folder;
    this.#maxBytes = maxBytes;
  }

  get used(): number {
    return this.#used;
  }

  take(bytes: number): boolean {
    if (this.#used + bytes > this.#maxBytes) return false;
    this.#used += bytes;
    return true;
  }

  give(bytes: number): void {
    this.#used -= bytes;
  }

  /** An officer moves files away while the service runs. */
  async count(): Promise<void> {
    let used = 0;
    for (const name of await readdir(this.#folder)) {
      used += await stat(join(this.#folder, name)).then(
        ({ size }) => size,
        () => 0,
      );
    }
    this.#used = used;
  }
}

export class SealedAwayStore {
  readonly #provider: SmProvider;
  readonly #vault: PayloadVault;
  readonly #folder: string;
  readonly #room: Room;
  readonly #told: RoomTold | undefined;

  private constructor(
    provider: SmProvider,
    vault: PayloadVault,
    folder: string,
    room: Room,
    told: RoomTold | undefined,
  ) {
    this.#provider = provider;
    this.#vault = vault;
    this.#folder = folder;
    this.#room = room;
    this.#told = told;
  }

  /** Makes the folder (0700) and removes what a crash left unfinished. */
  static async open(
    provider: SmProvider,
    vault: PayloadVault,
    folder: string,
    told?: RoomTold,
    maxBytes = SEALED_AWAY_MAX_BYTES,
  ): Promise<SealedAwayStore> {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    for (const name of await readdir(folder)) {
      if (name.endsWith(UNFINISHED)) await rm(join(folder, name));
    }
    const room = new Room(folder, maxBytes);
    await room.count();
    return new SealedAwayStore(provider, vault, folder, room, told);
  }

  begin(exchangeId: Uint8Array): SealedAwayWriter {
    const { key, wrapped } = this.#vault.newKey(Buffer.concat([CONTEXT, exchangeId]));
    // A second try of the same exchange must not replace the first file.
    const name = `${formatId(exchangeId)}.${formatId(newId())}.sealed`;
    return new SealedAwayWriter(
      this.#folder,
      name,
      Buffer.concat([MAGIC, wrapped]),
      (plain) => key.encryptStream(plain),
      this.#provider.createSm3(),
      this.#room,
      this.#told,
    );
  }

  /** @throws GatewayError `policy.sealed-away-failed`. */
  async sealWhole(exchangeId: Uint8Array, pieces: readonly Uint8Array[]): Promise<SealedAway> {
    const writer = this.begin(exchangeId);
    for (const piece of pieces) await writer.write(piece);
    return writer.commit();
  }
}

export class SealedAwayWriter {
  readonly #folder: string;
  readonly #name: string;
  readonly #plain = new PassThrough();
  readonly #hash: Sm3Hash;
  readonly #written: Promise<void>;
  readonly #room: Room;
  readonly #told: RoomTold | undefined;
  #size = 0;
  #taken = 0;
  #letGo = false;

  constructor(
    folder: string,
    name: string,
    head: Uint8Array,
    encrypt: (plain: AsyncIterable<Uint8Array>) => AsyncIterable<Uint8Array>,
    hash: Sm3Hash,
    room: Room,
    told: RoomTold | undefined,
  ) {
    this.#room = room;
    this.#told = told;
    this.#folder = folder;
    this.#name = name;
    this.#hash = hash;
    this.#written = this.#run(head, encrypt);
    // The fault is reported where the writer is used; here it only stops the flow.
    this.#plain.on("error", () => undefined);
    this.#written.catch((error: Error) => this.#plain.destroy(error));
  }

  /** @throws GatewayError `policy.sealed-away-failed`. */
  async write(piece: Uint8Array): Promise<void> {
    if (this.#letGo || !this.#room.take(piece.length)) {
      await this.#withoutContent(piece);
      return;
    }
    this.#taken += piece.length;
    // A stream destroyed earlier would never drain.
    if (this.#plain.destroyed) await this.#written.catch(failed);
    this.#hash.update(piece);
    this.#size += piece.length;
    if (!this.#plain.write(piece)) await once(this.#plain, "drain").catch(failed);
  }

  /** Of what finds no room the digest goes on being made. */
  async #withoutContent(piece: Uint8Array): Promise<void> {
    this.#hash.update(piece);
    this.#size += piece.length;
    if (this.#letGo) return;
    this.#letGo = true;
    this.#told?.full(this.#room.used);
    await this.discard();
    await this.#room.count();
  }

  /** Durable under its final name when it resolves, unless there was no room. @throws GatewayError `policy.sealed-away-failed`. */
  async commit(): Promise<SealedAway> {
    if (this.#letGo) return { name: undefined, digest: this.#hash.digest(), size: this.#size };
    this.#plain.end();
    try {
      await this.#written;
      await rename(join(this.#folder, this.#name + UNFINISHED), join(this.#folder, this.#name));
      await syncFolder(this.#folder);
    } catch (cause) {
      failed(cause);
    }
    this.#told?.kept();
    return { name: this.#name, digest: this.#hash.digest(), size: this.#size };
  }

  /** Removes what was written. */
  async discard(): Promise<void> {
    this.#plain.end();
    await this.#written.catch(() => undefined);
    await rm(join(this.#folder, this.#name + UNFINISHED), { force: true });
    this.#room.give(this.#taken);
    this.#taken = 0;
  }

  async #run(
    head: Uint8Array,
    encrypt: (plain: AsyncIterable<Uint8Array>) => AsyncIterable<Uint8Array>,
  ): Promise<void> {
    const file = await open(join(this.#folder, this.#name + UNFINISHED), "wx", 0o600);
    try {
      await file.write(head);
      for await (const sealed of encrypt(this.#plain)) await file.write(sealed);
      await file.sync();
    } finally {
      await file.close();
    }
  }
}

function failed(cause: unknown): never {
  throw new GatewayError("policy.sealed-away-failed", { cause });
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
