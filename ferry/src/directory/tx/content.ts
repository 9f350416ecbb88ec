/**
 * Guarantee: the content of a shipment (its bundles one after another, then the manifest) is read at any place
 * as one row of bytes, with a bounded number of open files; what lies behind its end reads as zeros.
 */
import { BundleFile } from "../../tx/bundle-file.ts";
import { outboxPath } from "../../tx/check.ts";
import { writeManifest } from "../manifest.ts";
import type { Shipment } from "./journal.ts";

/** Parts of a group are read side by side: rarely from more bundles than this at a time. */
const OPEN_FILES = 16;

export class Content {
  readonly #outboxDir: string;
  readonly #shipment: Shipment;
  /** Where each bundle begins; one more for the manifest. */
  readonly #starts: readonly number[];
  readonly #manifest: Uint8Array;
  /** By the number of the bundle; the one used last is last. */
  readonly #open = new Map<number, BundleFile>();

  constructor(outboxDir: string, shipment: Shipment) {
    this.#outboxDir = outboxDir;
    this.#shipment = shipment;
    const starts = [0];
    for (const { size } of shipment.bundles) starts.push((starts.at(-1) ?? 0) + size);
    this.#starts = starts;
    const digests = shipment.bundles.map(({ digest }) => Buffer.from(digest, "hex"));
    this.#manifest = writeManifest(shipment.bundles, digests);
  }

  /** One reader at a time. @throws GatewayError `ferry.file-invalid` */
  async read(into: Uint8Array, at: number): Promise<void> {
    let done = 0;
    while (done < into.length) {
      const from = at + done;
      const index = this.#at(from);
      const bundle = this.#shipment.bundles[index];
      if (bundle === undefined) {
        const rest = into.subarray(done);
        const piece = this.#manifest.subarray(from - (this.#starts.at(-1) ?? 0));
        rest.fill(0);
        rest.set(piece.subarray(0, rest.length));
        return;
      }
      const offset = from - (this.#starts[index] ?? 0);
      const view = into.subarray(done, done + Math.min(into.length - done, bundle.size - offset));
      await (await this.#file(index)).fill([view], offset);
      done += view.length;
    }
  }

  async close(): Promise<void> {
    for (const file of this.#open.values()) await file.close();
    this.#open.clear();
  }

  /** Which bundle a byte belongs to; their number: the manifest. */
  #at(byte: number): number {
    let low = 0;
    let high = this.#starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#starts[middle] ?? 0) <= byte) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  async #file(index: number): Promise<BundleFile> {
    const known = this.#open.get(index);
    const name = this.#shipment.bundles[index]?.file ?? "";
    const file = known ?? (await BundleFile.open(outboxPath(this.#outboxDir, name)));
    this.#open.delete(index);
    this.#open.set(index, file);
    const [oldest] = this.#open;
    if (this.#open.size > OPEN_FILES && oldest !== undefined) {
      this.#open.delete(oldest[0]);
      await oldest[1].close();
    }
    return file;
  }
}
