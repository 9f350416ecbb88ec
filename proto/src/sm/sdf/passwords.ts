/**
 * Guarantee: a password that a device has refused is not offered to it again, not
 * even by a restarted service, until its file has changed: a device locks a key
 * after a few wrong ones. Passwords are read when they are needed and wiped.
 */
import { closeSync, fstatSync, openSync, readFileSync, readSync, writeFileSync } from "node:fs";
import { GatewayError } from "../../errors/index.ts";

/** Devices take 8 to some dozens of bytes. */
const MAX_PASSWORD_BYTES = 256;
/** One line for each key index of a device; a device has at most some thousands. */
const MAX_NOTE_BYTES = 256 * 1024;
const OTHERS = 0o077;
const OWNER_ONLY = 0o600;
const NEWLINE = 0x0a;
const RETURN = 0x0d;

export class Passwords {
  /** `path inode mtime size` of the files that were refused. */
  readonly #refused = new Set<string>();
  readonly #notePath: string | undefined;

  /** @param notePath file that remembers refused passwords over restarts; it holds none of them */
  constructor(notePath: string | undefined) {
    this.#notePath = notePath;
    if (notePath === undefined) return;
    let note = "";
    try {
      note = readFileSync(notePath, "utf8").slice(0, MAX_NOTE_BYTES);
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== "ENOENT") {
        throw new GatewayError("sm.hsm-password", { detail: `${notePath} cannot be read`, cause });
      }
    }
    for (const line of note.split("\n")) if (line !== "") this.#refused.add(line);
  }

  /**
   * Hands the password to `offer` and wipes it.
   * @param offer says whether the device took it; what it throws goes on
   * @throws GatewayError `sm.hsm-password` when refused, now or before; `sm.key-exposed` when others
   * may read the file
   */
  use(path: string, offer: (password: Uint8Array) => boolean): void {
    let file: number;
    try {
      file = openSync(path, "r");
    } catch (cause) {
      throw new GatewayError("sm.hsm-password", { detail: `${path} cannot be read`, cause });
    }
    const buffer = Buffer.allocUnsafeSlow(MAX_PASSWORD_BYTES + 2);
    try {
      const { mode, ino, mtimeMs, size } = fstatSync(file);
      if ((mode & OTHERS) !== 0) throw new GatewayError("sm.key-exposed", { detail: path });
      const mark = JSON.stringify([path, ino, mtimeMs, size]);
      if (this.#refused.has(mark)) {
        throw new GatewayError("sm.hsm-password", {
          detail: `${path}: unchanged since the device refused it`,
        });
      }
      let length = readSync(file, buffer, 0, buffer.length, 0);
      if (buffer[length - 1] === NEWLINE) length -= 1;
      if (buffer[length - 1] === RETURN) length -= 1;
      if (length < 1 || length > MAX_PASSWORD_BYTES) {
        throw new GatewayError("sm.hsm-password", {
          detail: `${path}: 1..${MAX_PASSWORD_BYTES} bytes are expected`,
        });
      }
      if (!offer(buffer.subarray(0, length))) this.#remember(mark, path);
    } finally {
      buffer.fill(0);
      closeSync(file);
    }
  }

  #remember(mark: string, path: string): never {
    this.#refused.add(mark);
    if (this.#notePath !== undefined) {
      writeFileSync(this.#notePath, `${[...this.#refused].join("\n")}\n`, { mode: OWNER_ONLY });
    }
    throw new GatewayError("sm.hsm-password", { detail: `${path}: the device refused it` });
  }
}
