/**
 * Guarantee: files are put through SFTP to the one server whose host key the settings name; another one gets
 * neither password nor file. A connection that broke is made anew with the next file.
 */
import { createHash } from "node:crypto";
import { GatewayError } from "@lightferry/proto/errors";
import { Client, type SFTPWrapper } from "ssh2";
import type { FileName } from "../profile.ts";
import { type FileSource, MAX_LISTED, type Target, type Waiting } from "./target.ts";

/** A server that does not answer in this time is away. */
const READY_MS = 15_000;
const KEEPALIVE_MS = 10_000;
/** Of a request: as large as every server takes. */
const WRITE_BYTES = 32_768;
/** Status codes of SFTP version 3 (draft-ietf-secsh-filexfer-02 §7). */
const STATUS = { noSuchFile: 2, permissionDenied: 3, failure: 4, unsupported: 8 } as const;
const FOLDER_MODE = 0o770;
const S_IFMT = 0o170000;
const S_IFDIR = 0o040000;

export interface SftpSettings {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly hostKeySha256: string;
  readonly folder: string;
  readonly staging: string | undefined;
  readonly password: string | undefined;
  readonly privateKey: Buffer | undefined;
}

interface Session {
  readonly client: Client;
  readonly sftp: SFTPWrapper;
}

export class SftpTarget implements Target {
  readonly where: string;
  readonly #settings: SftpSettings;
  #session: Promise<Session> | undefined;
  readonly #made = new Set<string>();

  constructor(settings: SftpSettings) {
    const { user, host, port, folder } = settings;
    this.where = `sftp ${user}@${host}:${port} ${folder}`;
    this.#settings = settings;
  }

  async put(at: FileName, file: FileSource): Promise<"written" | "exists"> {
    return await this.#with(async (sftp) => {
      const { folder, staging } = this.#settings;
      const into = at.folder === undefined ? folder : `${folder}/${at.folder}`;
      if (at.folder !== undefined) await this.#folder(sftp, into);
      const path = `${into}/${at.name}`;
      if (await isThere(sftp, path)) return "exists";
      const first = staging === undefined ? path : `${staging}/${at.name}`;
      // What an attempt before this one left half-way.
      if (staging !== undefined)
        await ask((done) => sftp.unlink(first, done)).catch(() => undefined);
      await write(sftp, first, file);
      if (staging !== undefined) await ask((done) => sftp.rename(first, path, done));
      return "written";
    });
  }

  async waiting(): Promise<Waiting> {
    return await this.#with(async (sftp) => await count(sftp, this.#settings.folder, true));
  }

  async close(): Promise<void> {
    const session = await this.#session?.catch(() => undefined);
    this.#session = undefined;
    session?.client.end();
  }

  async #folder(sftp: SFTPWrapper, path: string): Promise<void> {
    if (this.#made.has(path)) return;
    await ask((done) => sftp.mkdir(path, { mode: FOLDER_MODE }, done)).catch(
      async (error: unknown) => {
        // Version 3 has one word for "there already" and for everything else.
        if (!(await isThere(sftp, path))) throw error;
      },
    );
    this.#made.add(path);
  }

  async #with<T>(work: (sftp: SFTPWrapper) => Promise<T>): Promise<T> {
    this.#session ??= connect(this.#settings);
    const session = this.#session;
    let broken: (error: Error) => void = () => undefined;
    const lost = new Promise<never>((_, reject) => {
      broken = reject;
    });
    // Work that ends first leaves it to nobody.
    lost.catch(() => undefined);
    const close = (): void =>
      broken(new GatewayError("directory.target-unavailable", { detail: "closed" }));
    let client: Client | undefined;
    try {
      const opened = await session;
      client = opened.client;
      client.on("close", close);
      client.on("error", close);
      return await Promise.race([work(opened.sftp), lost]);
    } catch (error) {
      if (this.#session === session) this.#session = undefined;
      client?.destroy();
      throw asTargetFault(error);
    } finally {
      client?.off("close", close);
      client?.off("error", close);
    }
  }
}

async function connect(settings: SftpSettings): Promise<Session> {
  const { host, port, user: username, password, privateKey, hostKeySha256 } = settings;
  const client = new Client();
  let wrongKey = false;
  await new Promise<void>((resolve, reject) => {
    client.on("ready", resolve);
    client.on("close", () => reject(fault("closed")));
    client.on("error", (error: Error & { readonly level?: string }) => {
      if (wrongKey) reject(new GatewayError("directory.host-key-mismatch", { detail: host }));
      else if (error.level === "client-authentication") {
        reject(new GatewayError("directory.login-refused", { detail: `${username}@${host}` }));
      } else reject(error);
    });
    client.connect({
      ...{ host, port, username, readyTimeout: READY_MS, keepaliveInterval: KEEPALIVE_MS },
      ...(password === undefined ? {} : { password }),
      ...(privateKey === undefined ? {} : { privateKey }),
      hostVerifier: (key: Buffer): boolean => {
        const found = createHash("sha256").update(key).digest("base64").replace(/=+$/, "");
        wrongKey = found !== hostKeySha256;
        return !wrongKey;
      },
    });
  });
  const sftp = await new Promise<SFTPWrapper>((resolve, reject) => {
    client.sftp((error, wrapper) => (error === undefined ? resolve(wrapper) : reject(error)));
  });
  return { client, sftp };
}

/** A new file; one of this name is a fault of the server's. */
async function write(sftp: SFTPWrapper, path: string, file: FileSource): Promise<void> {
  const handle = await ask<Buffer>((done) => sftp.open(path, "wx", done));
  let at = 0;
  for await (const piece of file.pieces()) {
    const bytes = Buffer.from(piece.buffer, piece.byteOffset, piece.length);
    for (let from = 0; from < bytes.length; from += WRITE_BYTES) {
      const length = Math.min(WRITE_BYTES, bytes.length - from);
      await ask((done) => sftp.write(handle, bytes, from, length, at + from, done));
    }
    at += bytes.length;
  }
  // Not every server can; what it has closed it answers for then.
  await ask((done) => sftp.ext_openssh_fsync(handle, done)).catch(() => undefined);
  await ask((done) => sftp.close(handle, done));
}

async function isThere(sftp: SFTPWrapper, path: string): Promise<boolean> {
  try {
    await ask((done) => sftp.lstat(path, done));
    return true;
  } catch (error) {
    if ((error as { readonly code?: unknown }).code === STATUS.noSuchFile) return false;
    throw error;
  }
}

async function count(sftp: SFTPWrapper, folder: string, below: boolean): Promise<Waiting> {
  type Entry = {
    readonly filename: string;
    readonly attrs: { readonly mode: number; readonly size: number };
  };
  const entries = await ask<readonly Entry[]>((done) => sftp.readdir(folder, done));
  let [files, bytes] = [0, 0];
  for (const { filename, attrs } of entries) {
    if (files > MAX_LISTED) break;
    if ((attrs.mode & S_IFMT) === S_IFDIR) {
      if (!below || filename === "." || filename === "..") continue;
      const inside = await count(sftp, `${folder}/${filename}`, false);
      files += inside.files;
      bytes += inside.bytes;
    } else {
      files += 1;
      bytes += attrs.size;
    }
  }
  return { files, bytes };
}

function ask<T>(
  call: (done: (error: Error | null | undefined, value?: T) => void) => unknown,
): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    call((error, value) =>
      error === null || error === undefined ? resolve(value as T) : reject(error),
    );
  });
}

function fault(detail: string, cause?: unknown): GatewayError {
  return new GatewayError("directory.target-unavailable", { detail, cause });
}

function asTargetFault(error: unknown): GatewayError {
  if (error instanceof GatewayError) return error;
  const { code, message = "" } = error as { readonly code?: unknown; readonly message?: string };
  return fault(`${String(code ?? "")} ${message}`.trim().slice(0, 100), error);
}
