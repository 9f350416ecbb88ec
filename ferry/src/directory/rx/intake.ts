/**
 * Guarantee: a file of the folder is opened only when it is a plain file, and taken only when it is whole: its
 * head signed and believed, its length exact, its payload of the signed digest. Nothing in its name counts.
 */
import type { SmProvider } from "@lightferry/proto/sm";
import { PlainFile } from "../../media/files.ts";
import type { LinkVerifier } from "../../signed.ts";
import { type BelievedHead, headLength, PREFIX_BYTES, readHead } from "../head.ts";
import type { ReceivedLog } from "./received.ts";
import type { Shipments } from "./shipments.ts";

/** Of a file as it was found. */
export type Verdict =
  /** It is of no more use: what it brought is durable, or was before. */
  | { readonly verdict: "taken"; readonly duplicate: boolean }
  /** Good, and there is no room for it now. */
  | { readonly verdict: "later" }
  /** Not good as it is. It may still be written. */
  | { readonly verdict: "not-good"; readonly reason: string; readonly foreign: boolean }
  | { readonly verdict: "gone" };

export interface IntakeParts {
  readonly provider: SmProvider;
  readonly verifier: LinkVerifier;
  readonly lane: string;
  readonly received: ReceivedLog;
  readonly shipments: Pick<Shipments, "take">;
  /** @returns why a signed inventory of this epoch counts for nothing */
  readonly inventory: (epoch: number, page: Uint8Array) => string | undefined;
  /** A file whose signature holds came. */
  readonly heard: (believed: BelievedHead) => void;
}

export class Intake {
  readonly #parts: IntakeParts;
  heartbeats = 0;

  constructor(parts: IntakeParts) {
    this.#parts = parts;
  }

  /** @throws a fault of a disk */
  async take(path: string): Promise<Verdict> {
    const file = await PlainFile.open(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return "gone" as const;
      throw error;
    });
    if (file === "gone") return { verdict: "gone" };
    if (file === undefined) return foreign("not-a-file");
    try {
      return await this.#judge(file);
    } finally {
      await file.close();
    }
  }

  async #judge(file: PlainFile): Promise<Verdict> {
    const prefix = await exactly(file, PREFIX_BYTES, 0);
    if (prefix === undefined) return foreign("short");
    const length = headLength(prefix);
    if (length === "magic") return foreign(length);
    if (length === "head-length") return notGood(length);
    const bytes = await exactly(file, length, PREFIX_BYTES);
    if (bytes === undefined) return notGood("short");
    const believed = readHead(this.#parts.verifier, this.#parts.lane, bytes);
    if (typeof believed === "string") return notGood(believed);
    const at = PREFIX_BYTES + length;
    const size = at + (believed.part?.bytes ?? believed.inventory);
    if (file.size !== size) return notGood(file.size < size ? "short" : "long");
    return await this.#whole(believed, file, at);
  }

  async #whole(believed: BelievedHead, file: PlainFile, at: number): Promise<Verdict> {
    const { received, shipments, heard } = this.#parts;
    const { epoch, number, timeMs } = believed.head;
    let duplicate = false;
    if (believed.part === undefined) {
      if (believed.inventory === 0) this.heartbeats += 1;
      else {
        const page = await exactly(file, believed.inventory, at);
        const fault = page === undefined ? "short" : this.#parts.inventory(epoch, page);
        if (fault !== undefined) return notGood(fault);
      }
    } else {
      const fate = await shipments.take(believed.part, file, at);
      if (fate === "no-room") return { verdict: "later" };
      if (fate === "digest" || fate === "conflict") return notGood(fate);
      duplicate = fate === "duplicate";
    }
    await received.file(epoch, number, timeMs);
    heard(believed);
    return { verdict: "taken", duplicate };
  }
}

async function exactly(file: PlainFile, length: number, at: number): Promise<Buffer | undefined> {
  if (file.size < at + length) return undefined;
  const bytes = Buffer.alloc(length);
  for (let done = 0; done < length; ) {
    const count = await file.read(bytes.subarray(done), at + done);
    if (count === 0) return undefined;
    done += count;
  }
  return bytes;
}

function foreign(reason: string): Verdict {
  return { verdict: "not-good", reason, foreign: true };
}

function notGood(reason: string): Verdict {
  return { verdict: "not-good", reason, foreign: false };
}
