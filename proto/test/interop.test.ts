/**
 * Guarantee checked: our OpenSSL provider, sm-crypto, the openssl command and the published vectors agree
 * pairwise. The providers between themselves and with the vectors are in sm-cross.test.ts and
 * sm-vectors.test.ts; here the command line joins them, a third implementation of its own version.
 * Where there is no such command this file says so as a visible skip with its reason.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DEFAULT_USER_ID, loadProvider } from "@lightferry/proto/sm";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { signatureFromDer, signatureToDer } from "../src/sm/der.ts";
import {
  openssl,
  opensslMissing,
  signing,
  verifies,
  writeKey,
  writePublicKey,
} from "./openssl-command.ts";
import { annexC2, hex, published, repeatedInput } from "./published-vectors.ts";

const reason = opensslMissing();
let folder = "";
const path = (name: string): string => join(folder, name);
const put = (name: string, bytes: Uint8Array): string => {
  writeFileSync(path(name), bytes);
  return path(name);
};

describe.skipIf(reason !== undefined)(`with the openssl command ${reason ?? ""}`, () => {
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "lf-interop-"));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  describe.each(["openssl", "sm-crypto"] as const)("%s and the command", (name) => {
    const provider = loadProvider(name);
    const key = provider.generateSm2();
    const other = provider.generateSm2();
    const messages = [Buffer.of(0), Buffer.from("跨网数据"), Buffer.alloc(100_000, 0xa5)];
    const inkey = (): string[] => ["-inkey", writeKey(path("key.pem"), key, provider)];
    const digest = ["-pkeyopt", "digest:sm3"];

    it("SM3 and HMAC-SM3", () => {
      for (const message of messages) {
        const of = (...options: string[]) =>
          openssl("dgst", "-sm3", "-r", ...options, put("message", message))
            .toString()
            .split(" ")[0];
        expect(of()).toBe(Buffer.from(provider.sm3(message)).toString("hex"));
        const mac = Buffer.from(provider.hmacSm3(hex("00ff10"), message)).toString("hex");
        expect(of("-mac", "HMAC", "-macopt", "hexkey:00ff10")).toBe(mac);
      }
    });

    it.each([DEFAULT_USER_ID, "ALICE123@YAHOO.COM", "科室-01"])(
      "signatures both ways, user id %s",
      (userId) => {
        const publicKey = writePublicKey(path("public.pem"), key.publicKey);
        for (const message of messages) {
          const file = put("message", message);
          const out = ["-in", file, "-out", path("theirs")];
          openssl("pkeyutl", "-sign", ...inkey(), ...out, ...signing(userId));
          const theirs = signatureFromDer(readFileSync(path("theirs")));
          expect(provider.sm2Verify(key.publicKey, message, theirs, userId)).toBe(true);
          expect(provider.sm2Verify(key.publicKey, message, theirs, `${userId}!`)).toBe(false);
          expect(provider.sm2Verify(other.publicKey, message, theirs, userId)).toBe(false);
          const ours = put("ours", signatureToDer(provider.sm2Sign(key, message, userId)));
          expect(verifies(publicKey, file, ours, userId)).toBe(true);
          expect(verifies(publicKey, file, ours, `${userId}!`)).toBe(false);
        }
      },
    );

    it.each([1, 16, 32, 33, 255, 1024])("ciphertexts both ways, %d bytes", (size) => {
      const plaintext = Buffer.alloc(size, size);
      const files = ["-in", put("plain", plaintext), "-out", path("sealed")];
      openssl("pkeyutl", "-encrypt", ...inkey(), ...files, ...digest);
      const sealed = readFileSync(path("sealed"));
      expect(Buffer.from(provider.sm2Decrypt(key, sealed)).equals(plaintext)).toBe(true);
      expect(() => provider.sm2Decrypt(other, sealed)).toThrow(
        expect.objectContaining({ code: "sm.decrypt-failed" }),
      );
      const ours = put("ours", provider.sm2Encrypt(key.publicKey, plaintext));
      const back = openssl("pkeyutl", "-decrypt", ...inkey(), "-in", ours, ...digest);
      expect(back.equals(plaintext)).toBe(true);
    });
  });

  describe("the command and the published vectors", () => {
    it.each(published.sm3)("SM3, $source", (vector) => {
      const text = openssl("dgst", "-sm3", "-r", put("message", Buffer.from(vector.message_utf8)));
      expect(text.toString().split(" ")[0]).toBe(vector.digest);
    });

    it.each(published.sm4_ecb_no_padding)("SM4, $source", (vector) => {
      const input = repeatedInput(vector.plaintext, vector.encrypt_repeatedly ?? 1);
      const options = ["-sm4-cbc", "-K", vector.key, "-iv", "0".repeat(32), "-nopad"];
      const out = openssl("enc", ...options, "-in", put("plain", input));
      expect(out.subarray(-16).toString("hex")).toBe(vector.ciphertext);
    });

    it.each(published.sm2_signature)("SM2 signature, $source", (vector) => {
      const publicKey = writePublicKey(path("public.pem"), hex(vector.public_key_uncompressed));
      const signature = put("signature", signatureToDer(hex(vector.r + vector.s)));
      const message = put("message", Buffer.from(vector.message_utf8));
      expect(verifies(publicKey, message, signature, vector.user_id_ascii)).toBe(true);
      expect(verifies(publicKey, message, signature, "ALICE123@YAHOO.COM")).toBe(false);
      const altered = put("message", Buffer.from(`${vector.message_utf8}.`));
      expect(verifies(publicKey, altered, signature, vector.user_id_ascii)).toBe(false);
    });

    it("SM2 decryption, GB/T 32918.5-2017 annex C.2 as SM2Cipher", () => {
      const file = writeKey(path("published.pem"), loadProvider().importSm2(annexC2.scalar));
      const files = ["-inkey", file, "-in", put("sealed", annexC2.ciphertext)];
      const plain = openssl("pkeyutl", "-decrypt", ...files, "-pkeyopt", "digest:sm3");
      expect(plain.toString()).toBe(annexC2.plaintext);
    });
  });
});
