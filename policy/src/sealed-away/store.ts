/**
 * Guarantee: suspected secrets are written only encrypted, one file each, whole
 * or not at all; nothing here reads them back. Until committed the file lies
 * under a name of its own that a start removes.
 *
 * File: "LFSA1" | wrapped key (65 bytes) | encrypted content. The key is bound
 * to the exchange id.
 */

import { once } from "node:events";
import { mkdir, open, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { GatewayError } from "@lightferry/proto/errors";
import { formatId, newId } from "@lightferry/proto/ids";
import type { PayloadVault } from "@lightferry/proto/keystore";
import type { Sm3Hash, SmProvider } from "@lightferry/proto/sm";

const MAGIC = Buffer.from("LFSA1", "ascii");
const CONTEXT = Buffer.from("sealed-away/1\0", "ascii");
const UNFINISHED = ".unfinished";

export interface SealedAway {
  /** Name of the file in the sealed-away folder. */
  readonly name: string;
  /** SM3 of the content. */
  readonly digest: Uint8Array;
  readonly size: number;
}

export class SealedAwayStore {
  readonly #provider: SmProvider;
  readonly #vault: PayloadVault;
  readonly #folder: string;

  private constructor(provider: SmProvider, vault: PayloadVault, folder: string) {
    this.#provider = provider;
    this.#vault = vault;
    this.#folder = folder;
  }

  /** Makes the folder (0700) and removes what a crash left unfinished. */
  static async open(
    provider: SmProvider,
    vault: PayloadVault,
    folder: string,
  ): Promise<SealedAwayStore> {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    for (const name of await readdir(folder)) {
      if (name.endsWith(UNFINISHED)) await rm(join(folder, name));
    }
    return new SealedAwayStore(provider, vault, folder);
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
  #size = 0;

  constructor(
    folder: string,
    name: string,
    head: Uint8Array,
    encrypt: (plain: AsyncIterable<Uint8Array>) => AsyncIterable<Uint8Array>,
    hash: Sm3Hash,
  ) {
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
    // A stream destroyed earlier would never drain.
    if (this.#plain.destroyed) await this.#written.catch(failed);
    this.#hash.update(piece);
    this.#size += piece.length;
    if (!this.#plain.write(piece)) await once(this.#plain, "drain").catch(failed);
  }

  /** Durable under its final name when it resolves. @throws GatewayError `policy.sealed-away-failed`. */
  async commit(): Promise<SealedAway> {
    this.#plain.end();
    try {
      await this.#written;
      await rename(join(this.#folder, this.#name + UNFINISHED), join(this.#folder, this.#name));
      await syncFolder(this.#folder);
    } catch (cause) {
      failed(cause);
    }
    return { name: this.#name, digest: this.#hash.digest(), size: this.#size };
  }

  /** Removes what was written. */
  async discard(): Promise<void> {
    this.#plain.end();
    await this.#written.catch(() => undefined);
    await rm(join(this.#folder, this.#name + UNFINISHED), { force: true });
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
