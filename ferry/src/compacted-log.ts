/**
 * Guarantee: lines that were written are there after any crash, and a log of them stays as long as what they have made:
 * when it has grown by so much it is written anew from that. A disk that does not take it then is asked again, after as
 * much once more.
 */
import { LineLog } from "./durable.ts";

export class CompactedLog {
  readonly #log: LineLog;
  readonly #growBytes: number;
  readonly #snapshot: () => readonly unknown[];
  #renewAt: number;

  private constructor(log: LineLog, growBytes: number, snapshot: () => readonly unknown[]) {
    this.#log = log;
    this.#growBytes = growBytes;
    this.#snapshot = snapshot;
    this.#renewAt = log.size + growBytes;
  }

  /**
   * Starts anew with a snapshot, which replaces whatever the file held.
   * @param snapshot lines that make what all lines so far have made; to read some of these again after it changes nothing
   */
  static async create(
    path: string,
    growBytes: number,
    snapshot: () => readonly unknown[],
  ): Promise<CompactedLog> {
    return new CompactedLog(await LineLog.create(path, snapshot()), growBytes, snapshot);
  }

  /** What the line says must be in the snapshot from now on. Resolves when it is on disk. */
  async append(line: unknown): Promise<void> {
    if (this.#log.size < this.#renewAt) return await this.#log.append(line);
    // Others go on with lines of their own meanwhile.
    this.#renewAt = Number.POSITIVE_INFINITY;
    try {
      await this.#log.rewrite(this.#snapshot);
    } finally {
      this.#renewAt = this.#log.size + this.#growBytes;
    }
  }

  async close(): Promise<void> {
    await this.#log.close();
  }
}
