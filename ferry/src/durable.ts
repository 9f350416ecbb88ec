/**
 * Guarantee: a file written here is, after any crash, either the old one whole
 * or the new one whole; a line appended here is kept once its promise resolved.
 */
import { closeSync, fsync, openSync } from "node:fs";
import { type FileHandle, open, readFile, rename } from "node:fs/promises";
import { dirname } from "node:path";
import { promisify } from "node:util";
import { GatewayError } from "@lightferry/proto/errors";

const synced = promisify(fsync);

/** Makes names created, renamed or removed in a directory durable. Only the sync goes to another thread. */
export async function syncDirectory(path: string): Promise<void> {
  const directory = openSync(path, "r");
  try {
    await synced(directory);
  } finally {
    closeSync(directory);
  }
}

/** Replaces a file: temporary name, fsync, rename, fsync of the directory. */
export async function replaceFile(path: string, content: string | Uint8Array): Promise<void> {
  const temporary = `${path}.new`;
  const handle = await open(temporary, "w", 0o600);
  try {
    await handle.writeFile(content);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(temporary, path);
  await syncDirectory(dirname(path));
}

/**
 * A JSON file that this program wrote, or undefined when there is none.
 * @throws GatewayError `ferry.state-corrupt`
 */
export async function readState(path: string): Promise<unknown> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw new GatewayError("ferry.state-corrupt", { detail: path, cause });
  }
}

/**
 * The lines of an append-only file. A torn last line is what a crash leaves and
 * is dropped; a bad line before it is damage.
 * @throws GatewayError `ferry.state-corrupt`
 */
export async function readLines(path: string): Promise<unknown[]> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
  const lines = text.split("\n");
  // Whole lines end with a newline: what follows the last one was never acknowledged.
  lines.pop();
  return lines.map((line, index) => {
    try {
      return JSON.parse(line) as unknown;
    } catch (cause) {
      throw new GatewayError("ferry.state-corrupt", { detail: `${path} line ${index + 1}`, cause });
    }
  });
}

/** Append-only lines of JSON; callers that wait at one time share one fsync. */
export class LineLog {
  readonly path: string;
  #handle: FileHandle;
  #waiting: { readonly line: string; resolve(): void; reject(error: unknown): void }[] = [];
  #writing: Promise<void> | undefined;
  /** Bytes in the file. */
  size: number;

  private constructor(path: string, handle: FileHandle, size: number) {
    this.path = path;
    this.#handle = handle;
    this.size = size;
  }

  /** Starts anew with `lines`, which replace whatever the file held. */
  static async create(path: string, lines: readonly unknown[]): Promise<LineLog> {
    const text = textOf(lines);
    await replaceFile(path, text);
    return new LineLog(path, await open(path, "a", 0o600), Buffer.byteLength(text));
  }

  /** Resolves when the line is on disk. */
  append(entry: unknown): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ line: `${JSON.stringify(entry)}\n`, resolve, reject });
      this.#writing ??= this.#write();
    });
  }

  /**
   * Replaces the content; lines still waiting come after it.
   * @param lines asked for when no line is being written: none that is acknowledged before is lacking
   */
  async rewrite(lines: () => readonly unknown[]): Promise<void> {
    while (this.#writing !== undefined) await this.#writing;
    const run = this.#replace(lines()).finally(() => {
      this.#writing = undefined;
      if (this.#waiting.length > 0) this.#writing = this.#write();
    });
    this.#writing = run.catch(() => undefined);
    await run;
  }

  async close(): Promise<void> {
    while (this.#writing !== undefined) await this.#writing;
    await this.#handle.close();
  }

  async #replace(lines: readonly unknown[]): Promise<void> {
    const text = textOf(lines);
    await replaceFile(this.path, text);
    await this.#handle.close();
    this.#handle = await open(this.path, "a", 0o600);
    this.size = Buffer.byteLength(text);
  }

  async #write(): Promise<void> {
    // Whoever calls in the same turn of the event loop shares the first write too.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const batch = this.#waiting;
      this.#waiting = [];
      const text = batch.map((entry) => entry.line).join("");
      try {
        await this.#handle.appendFile(text);
        await this.#handle.datasync();
        this.size += Buffer.byteLength(text);
        for (const entry of batch) entry.resolve();
      } catch (error) {
        // A full disk leaves half a line: take it off, or the next one would be damage.
        await this.#handle.truncate(this.size).catch(() => undefined);
        for (const entry of batch) entry.reject(error);
      }
    }
    this.#writing = undefined;
  }
}

function textOf(lines: readonly unknown[]): string {
  return lines.map((line) => `${JSON.stringify(line)}\n`).join("");
}
