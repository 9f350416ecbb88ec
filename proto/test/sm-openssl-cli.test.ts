/**
 * Guarantee checked: the openssl command reads our signatures and ciphertexts
 * and we read its. Where no such command is installed (or one without SM2) the
 * same exchange runs against node:crypto in sm-cross.test.ts, and this file says
 * so as a visible skip with its reason.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DEFAULT_USER_ID, loadProvider } from "@lightferry/proto/sm";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { signatureFromDer, signatureToDer } from "../src/sm/der.ts";

function reasonToSkip(): string | undefined {
  const curves = spawnSync("openssl", ["ecparam", "-list_curves"], { encoding: "utf8" });
  if (curves.error !== undefined) return "no openssl command on this machine";
  return /SM2/.test(curves.stdout) ? undefined : "this openssl command has no SM2";
}

const reason = reasonToSkip();

describe.skipIf(reason !== undefined)(`interop with the openssl command ${reason ?? ""}`, () => {
  const provider = loadProvider();
  const key = provider.generateSm2();
  const message = Buffer.from("a message for the command line");
  let folder = "";
  const path = (name: string): string => join(folder, name);
  const openssl = (...args: string[]): Buffer => execFileSync("openssl", args, { stdio: "pipe" });
  const identity = ["-rawin", "-digest", "sm3", "-pkeyopt", `distid:${DEFAULT_USER_ID}`];

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "lf-sm-"));
    const der = Buffer.concat([
      Buffer.from("30770201010420", "hex"),
      provider.exportSm2(key),
      Buffer.from("a00a06082a811ccf5501822da144034200", "hex"),
      key.publicKey,
    ]);
    const body = der.toString("base64").replace(/.{64}/g, "$&\n");
    writeFileSync(
      path("key.pem"),
      `-----BEGIN EC PRIVATE KEY-----\n${body}\n-----END EC PRIVATE KEY-----\n`,
      { mode: 0o600 },
    );
    writeFileSync(path("message"), message);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it("SM3", () => {
    const text = openssl("dgst", "-sm3", "-r", path("message")).toString();
    expect(text.split(" ")[0]).toBe(Buffer.from(provider.sm3(message)).toString("hex"));
  });

  it("verifies what it signed", () => {
    const files = ["-inkey", path("key.pem"), "-in", path("message"), "-out", path("theirs")];
    openssl("pkeyutl", "-sign", ...files, ...identity);
    const signature = signatureFromDer(readFileSync(path("theirs")));
    expect(provider.sm2Verify(key.publicKey, message, signature)).toBe(true);
  });

  it("signs what it verifies", () => {
    writeFileSync(path("ours"), signatureToDer(provider.sm2Sign(key, message)));
    const files = ["-inkey", path("key.pem"), "-in", path("message"), "-sigfile", path("ours")];
    expect(openssl("pkeyutl", "-verify", ...files, ...identity).toString()).toMatch(/Success/);
  });

  it("decrypts what it encrypted, and the other way", () => {
    const files = ["-inkey", path("key.pem"), "-in", path("message"), "-out", path("sealed")];
    openssl("pkeyutl", "-encrypt", ...files, "-pkeyopt", "digest:sm3");
    expect(Buffer.from(provider.sm2Decrypt(key, readFileSync(path("sealed"))))).toEqual(message);
    writeFileSync(path("mine"), provider.sm2Encrypt(key.publicKey, message));
    const back = ["-inkey", path("key.pem"), "-in", path("mine"), "-pkeyopt", "digest:sm3"];
    expect(openssl("pkeyutl", "-decrypt", ...back)).toEqual(message);
  });
});
