/** Guarantee: tests reach the openssl command one way, with keys and certificates it made or read itself. */
import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  DEFAULT_USER_ID,
  loadProvider,
  type Sm2PrivateKey,
  type SmProvider,
} from "../src/sm/index.ts";

/** Why the command cannot be used here, or undefined. */
export function opensslMissing(): string | undefined {
  const curves = spawnSync("openssl", ["ecparam", "-list_curves"], { encoding: "utf8" });
  if (curves.error !== undefined) return "no openssl command on this machine";
  return /SM2/.test(curves.stdout) ? undefined : "this openssl command has no SM2";
}

export function openssl(...args: readonly string[]): Buffer {
  return execFileSync("openssl", args, { stdio: "pipe", maxBuffer: 64 * 1024 * 1024 });
}

/** Options of `pkeyutl` for SM2-with-SM3 over a whole message. */
export function signing(userId: string = DEFAULT_USER_ID): string[] {
  return ["-rawin", "-digest", "sm3", "-pkeyopt", `distid:${userId}`];
}

/** Writes the key where the command can read it: SEC 1 in PEM. @param provider whose key it is. */
export function writeKey(
  path: string,
  key: Sm2PrivateKey,
  provider: SmProvider = loadProvider(),
): string {
  const scalar = provider.exportSm2(key);
  const der = Buffer.concat([
    Buffer.from("30770201010420", "hex"),
    scalar,
    Buffer.from("a00a06082a811ccf5501822da144034200", "hex"),
    key.publicKey,
  ]);
  const body = der.toString("base64").replace(/.{64}/g, "$&\n");
  const label = "EC PRIVATE KEY";
  writeFileSync(path, `-----BEGIN ${label}-----\n${body}\n-----END ${label}-----\n`, {
    mode: 0o600,
  });
  return path;
}

/** Writes a public key as SubjectPublicKeyInfo in PEM. */
export function writePublicKey(path: string, publicKey: Uint8Array): string {
  const head = Buffer.from("3059301306072a8648ce3d020106082a811ccf5501822d034200", "hex");
  const body = Buffer.concat([head, publicKey]).toString("base64").replace(/.{64}/g, "$&\n");
  writeFileSync(path, `-----BEGIN PUBLIC KEY-----\n${body}\n-----END PUBLIC KEY-----\n`);
  return path;
}

/** A certificate that the command itself makes and signs. @returns DER. */
export function certify(folder: string, name: string, keyPath: string, extension: string): Buffer {
  const path = join(folder, `${name}.der`);
  openssl(
    ...["req", "-new", "-x509", "-key", keyPath, "-sm3", "-days", "30"],
    ...["-sigopt", `distid:${DEFAULT_USER_ID}`, "-subj", `/C=CN/O=演示/CN=${name}`, "-utf8"],
    ...["-addext", extension, "-outform", "DER", "-out", path],
  );
  return readFileSync(path);
}

export function verifies(
  publicKeyPath: string,
  messagePath: string,
  signaturePath: string,
  userId?: string,
): boolean {
  const files = ["-in", messagePath, "-sigfile", signaturePath, "-pubin", "-inkey", publicKeyPath];
  const run = spawnSync("openssl", ["pkeyutl", "-verify", ...files, ...signing(userId)]);
  return run.status === 0 && /Success/.test(run.stdout.toString());
}

/** One line of `openssl asn1parse`. */
export interface Parsed {
  readonly offset: number;
  readonly depth: number;
  readonly header: number;
  readonly length: number;
  readonly tag: string;
  readonly value: string;
}

/** What `openssl asn1parse` says of a DER file: the structure as another program sees it. */
export function asn1parse(path: string): Parsed[] {
  const line =
    /^\s*(\d+):d=(\d+)\s+hl=(\d+)\s+l=\s*(\d+)\s+(?:prim|cons):\s+(.+?)(?:\s*\[HEX DUMP\])?(?:\s*:(.*))?$/;
  return openssl("asn1parse", "-inform", "DER", "-in", path)
    .toString("utf8")
    .split("\n")
    .filter((text) => text !== "")
    .map((text) => {
      const [, offset, depth, header, length, tag = "", value = ""] = line.exec(text) ?? [];
      return {
        offset: Number(offset),
        depth: Number(depth),
        header: Number(header),
        length: Number(length),
        tag: tag.trim(),
        value,
      };
    });
}

/** Content octets of an element, by the offsets that the command printed. */
export function body(file: Uint8Array, { offset, header, length }: Parsed): Uint8Array {
  return file.subarray(offset + header, offset + header + length);
}

/** The element with its tag and length. */
export function whole(file: Uint8Array, { offset, header, length }: Parsed): Uint8Array {
  return file.subarray(offset, offset + header + length);
}
