/** Guarantee: the target of the settings, its secrets read from files that nobody else may read; the libraries of the others stay unloaded. */
import { readFile } from "node:fs/promises";
import { GatewayError } from "@lightferry/proto/errors";
import { readSecretFile } from "@lightferry/proto/keystore";
import { type AccessOptions, checkAccess } from "../access.ts";
import type { Profile } from "../profile.ts";
import type { TargetSettings } from "../settings.ts";
import { FolderTarget } from "./folder-target.ts";
import type { Target } from "./target.ts";

/** A private key of 16,384 bits has some 13 KB. */
const MAX_KEY_BYTES = 32_768;
const MAX_PASSWORD_BYTES = 1_024;

/**
 * Of an FTP or SFTP server nothing is asked before the first file.
 * @throws GatewayError `directory.*`, `config.invalid`, `sm.key-*` for a secret that is not there or not secret
 */
export async function openTarget(
  settings: TargetSettings,
  profile: Profile,
  options: AccessOptions,
): Promise<Target> {
  const { folder, staging } = settings;
  if (settings.kind === "folder") {
    for (const path of staging === undefined ? [folder] : [folder, staging]) {
      await checkAccess(path, options, "directory.target-unavailable");
    }
    return await FolderTarget.open(folder, staging, profile);
  }
  const password = passwordOf(settings.passwordPath);
  if (settings.kind === "sftp") {
    const { keyPath } = settings;
    const privateKey =
      keyPath === undefined ? undefined : readSecretFile(keyPath, MAX_KEY_BYTES, "sm.key-file");
    const { SftpTarget } = await import("./sftp-target.ts");
    return new SftpTarget({ ...settings, password, privateKey });
  }
  if (settings.tls === "none")
    options.warn("FTP without TLS: the password can be read on the line");
  const ca = settings.caPath === undefined ? undefined : await certificates(settings.caPath);
  const { FtpTarget } = await import("./ftp-target.ts");
  return new FtpTarget({ ...settings, password, ca });
}

function passwordOf(path: string | undefined): string | undefined {
  if (path === undefined) return undefined;
  const bytes = readSecretFile(path, MAX_PASSWORD_BYTES, "sm.key-file");
  // Editors end a file with a line end.
  const password = bytes.toString("utf8").replace(/\r?\n$/, "");
  bytes.fill(0);
  return password;
}

async function certificates(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    throw new GatewayError("config.invalid", { detail: `gate.target.caPath: ${path}`, cause });
  }
}
