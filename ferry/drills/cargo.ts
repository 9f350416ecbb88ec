/** Guarantee: sealed bundles of a given size and seed, made once and carried in many runs, and the proof that one arrived whole. */
import { createCipheriv, createHash } from "node:crypto";
import { createReadStream, rmSync } from "node:fs";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { LANE, type LongContent, type Place, pki, place, provider } from "../test/world.ts";
import type { Bundle } from "./ferries.ts";
import { removedWithUs } from "./wire/ends.ts";

const PIECE = 1 << 20;

// Keys of this process alone; a test runner removes them as well.
removedWithUs(pki.dir);

/** `size` bytes of the key stream of `seed`: no run of it repeats. */
function* seededPieces(seed: number, size: number): Generator<Uint8Array> {
  const key = createHash("sha256").update(`lightferry ferry ${seed}`).digest();
  const cipher = createCipheriv("aes-256-ctr", key, Buffer.alloc(16));
  const zeros = Buffer.alloc(PIECE);
  for (let left = size; left > 0; left -= PIECE) yield cipher.update(zeros.subarray(0, left));
}

function content(seed: number, size: number): LongContent {
  const hash = provider.createSm3(size);
  for (const piece of seededPieces(seed, size)) hash.update(piece);
  return { size, digest: hash.digest(), pieces: () => seededPieces(seed, size) };
}

async function digestOfFile(path: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(path, { highWaterMark: PIECE }), hash);
  return hash.digest("hex");
}

export class Cargo {
  readonly #at: Place;
  readonly #digests = new Map<string, string>();

  /** @param base folder; the outboxes that it is carried from must lie on the same file system */
  constructor(base: string) {
    this.#at = place(base);
    removedWithUs(this.#at.root);
  }

  get folder(): string {
    return this.#at.outboxDir;
  }

  path(bundle: Bundle): string {
    return join(this.folder, bundle.file ?? "");
  }

  async seal(size: number, seed: number, priority = "bulk", lane = LANE): Promise<Bundle> {
    const bundle = await this.#at.seal(content(seed, size), priority, { lane });
    this.#digests.set(bundle.file ?? "", await digestOfFile(this.path(bundle)));
    return bundle;
  }

  /** Byte for byte what was sealed? */
  async isWhole(bundle: Bundle, path: string): Promise<boolean> {
    return (await digestOfFile(path)) === this.#digests.get(bundle.file ?? "");
  }

  /** It is not needed here any more. */
  drop(bundle: Bundle): void {
    rmSync(this.path(bundle), { force: true });
    this.#digests.delete(bundle.file ?? "");
  }

  remove(): void {
    this.#at.remove();
  }
}
