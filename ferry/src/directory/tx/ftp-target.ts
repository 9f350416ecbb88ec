/**
 * Guarantee: files are put through FTP in binary mode under names that nobody has; with TLS only to a server
 * whose certificate verifies. A connection that broke is made anew with the next file.
 */
import { Readable } from "node:stream";
import { GatewayError } from "@lightferry/proto/errors";
import { Client, FTPError } from "basic-ftp";
import type { FileName } from "../profile.ts";
import { type FileSource, MAX_LISTED, type Target, type Waiting } from "./target.ts";

/** Without a byte for so long a server is away. */
const SILENCE_MS = 30_000;
/** Reply codes of RFC 959 §4.2. */
const REPLY = { notLoggedIn: 530, unavailable: 550 } as const;

export interface FtpSettings {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly tls: "none" | "explicit" | "implicit";
  readonly folder: string;
  readonly staging: string | undefined;
  readonly password: string | undefined;
  /** PEM; without it whom the system trusts. */
  readonly ca: string | undefined;
}

export class FtpTarget implements Target {
  readonly where: string;
  readonly #settings: FtpSettings;
  #client: Client | undefined;
  readonly #made = new Set<string>();

  constructor(settings: FtpSettings) {
    const { user, host, port, folder } = settings;
    this.where = `ftp ${user}@${host}:${port} ${folder}`;
    this.#settings = settings;
  }

  async put(at: FileName, file: FileSource): Promise<"written" | "exists"> {
    return await this.#with(async (client) => {
      const { folder, staging } = this.#settings;
      const into = at.folder === undefined ? folder : `${folder}/${at.folder}`;
      if (at.folder !== undefined) await this.#folder(client, into);
      const path = `${into}/${at.name}`;
      // The protocol overwrites what is there.
      if ((await sizeOf(client, path)) !== undefined) return "exists";
      const first = staging === undefined ? path : `${staging}/${at.name}`;
      await client.uploadFrom(Readable.from(file.pieces(), { objectMode: false }), first);
      // Gone already: the appliance has taken it, and the far side tells whether it was whole.
      const size = (await sizeOf(client, first)) ?? file.size;
      if (size !== file.size) {
        const detail = `${size} of ${file.size} bytes arrived`;
        throw new GatewayError("directory.target-unavailable", { detail });
      }
      if (staging !== undefined) await client.rename(first, path);
      return "written";
    });
  }

  async waiting(): Promise<Waiting> {
    return await this.#with((client) => count(client, this.#settings.folder, true));
  }

  async close(): Promise<void> {
    this.#client?.close();
    this.#client = undefined;
  }

  async #folder(client: Client, path: string): Promise<void> {
    if (this.#made.has(path)) return;
    // 550 also when it is there; a folder that is not shows with the file.
    await client.send(`MKD ${path}`).catch((error: unknown) => {
      if (!isReply(error, REPLY.unavailable)) throw error;
    });
    this.#made.add(path);
  }

  async #with<T>(work: (client: Client) => Promise<T>): Promise<T> {
    try {
      this.#client ??= await connect(this.#settings);
      return await work(this.#client);
    } catch (error) {
      this.#client?.close();
      this.#client = undefined;
      if (error instanceof GatewayError) throw error;
      if (isTlsRefusal(error)) throw tlsRefused(error);
      const { user, host } = this.#settings;
      if (isReply(error, REPLY.notLoggedIn)) {
        throw new GatewayError("directory.login-refused", {
          detail: `${user}@${host}`,
          cause: error,
        });
      }
      const detail = (error instanceof Error ? error.message : "fault").slice(0, 100);
      throw new GatewayError("directory.target-unavailable", { detail, cause: error });
    }
  }
}

/** What the library's own sequence does, with a server that refuses TLS told from one that refuses the login. */
async function connect({ host, port, user, password, tls, ca }: FtpSettings): Promise<Client> {
  const client = new Client(SILENCE_MS);
  // The name that its certificate must have, of the data connections too.
  const secure = { host, ...(ca === undefined ? {} : { ca }) };
  try {
    if (tls === "implicit") await client.connectImplicitTLS(host, port, secure);
    else await client.connect(host, port);
    if (tls === "explicit") {
      await client.useTLS(secure).catch((error: unknown) => {
        throw error instanceof FTPError ? tlsRefused(error) : error;
      });
    }
    // Names may be other than ASCII; a server that does not know the command is none the worse.
    await client.sendIgnoringError("OPTS UTF8 ON");
    await client.login(user, password ?? "");
    await client.useDefaultSettings();
    return client;
  } catch (error) {
    client.close();
    throw error;
  }
}

/** Of a file (RFC 3659 §4); undefined when there is none. */
async function sizeOf(client: Client, path: string): Promise<number | undefined> {
  try {
    return await client.size(path);
  } catch (error) {
    if (isReply(error, REPLY.unavailable)) return undefined;
    throw error;
  }
}

async function count(client: Client, folder: string, below: boolean): Promise<Waiting> {
  let [files, bytes] = [0, 0];
  for (const entry of await client.list(folder)) {
    if (files > MAX_LISTED) break;
    if (entry.isDirectory) {
      if (!below || entry.name === "." || entry.name === "..") continue;
      const inside = await count(client, `${folder}/${entry.name}`, false);
      files += inside.files;
      bytes += inside.bytes;
    } else {
      files += 1;
      bytes += entry.size;
    }
  }
  return { files, bytes };
}

/** A certificate that does not verify, whatever is wrong with it, or a handshake that came to nothing. */
const TLS_REFUSAL =
  /^(ERR_TLS_|ERR_SSL_|CERT_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|HOSTNAME_MISMATCH|EPROTO$)/;

function isTlsRefusal(error: unknown): boolean {
  const { code } = error as { readonly code?: unknown };
  return typeof code === "string" && TLS_REFUSAL.test(code);
}

function tlsRefused(cause: unknown): GatewayError {
  const detail = (cause instanceof Error ? cause.message : "fault").slice(0, 100);
  return new GatewayError("directory.tls-refused", { detail, cause });
}

function isReply(error: unknown, code: number): boolean {
  return error instanceof FTPError && error.code === code;
}
