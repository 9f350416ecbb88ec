/**
 * Guarantee: remembers how far audit has acknowledged. A position that was lost
 * or torn reads as 0, which costs sending again (audit dedupes) and never data.
 */
import { type FileHandle, open } from "node:fs/promises";
import { crc32 } from "node:zlib";

const BYTES = 12;

export class AcknowledgedPosition {
  readonly #file: FileHandle;
  #value: number;

  private constructor(file: FileHandle, value: number) {
    this.#file = file;
    this.#value = value;
  }

  static async open(path: string): Promise<AcknowledgedPosition> {
    const file = await open(path, "a+", 0o600).then(async (created) => {
      await created.close();
      return open(path, "r+");
    });
    const bytes = Buffer.alloc(BYTES);
    const { bytesRead } = await file.read(bytes, 0, BYTES, 0);
    const intact = bytesRead === BYTES && bytes.readUInt32BE(8) === crc32(bytes.subarray(0, 8));
    return new AcknowledgedPosition(file, intact ? Number(bytes.readBigUInt64BE(0)) : 0);
  }

  /** Every record with a smaller number is known to audit. */
  get value(): number {
    return this.#value;
  }

  /** Written at once, so that it survives the process; {@link sync} makes it survive the machine. */
  async set(value: number): Promise<void> {
    const bytes = Buffer.alloc(BYTES);
    bytes.writeBigUInt64BE(BigInt(value), 0);
    bytes.writeUInt32BE(crc32(bytes.subarray(0, 8)), 8);
    await this.#file.write(bytes, 0, BYTES, 0);
    this.#value = value;
  }

  async sync(): Promise<void> {
    await this.#file.datasync();
  }

  async close(): Promise<void> {
    await this.sync();
    await this.#file.close();
  }
}
