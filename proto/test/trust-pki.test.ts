/** Guarantee checked: the test PKI is a real one: its keys, certificates, lists and rings fit each other. */
import { existsSync, readFileSync } from "node:fs";
import { KeyRing } from "@lightferry/proto/keystore";
import { CERTIFICATE_USES, readPkiItems } from "@lightferry/proto/pki";
import { type TestPki, testPki } from "@lightferry/proto/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

describe("test PKI", () => {
  let pki: TestPki;
  beforeAll(async () => {
    pki = await testPki({ zones: { alpha: "gw-a", beta: "gw-b" } });
  });
  afterAll(() => pki.cleanup());

  it("builds a store with nothing rejected", () => {
    expect(pki.store.rejected).toEqual([]);
    expect(pki.store.certificates).toHaveLength(1 + 2 + 2 * CERTIFICATE_USES.length);
    expect(pki.store.revocationLists).toHaveLength(3);
  });

  it.each(CERTIFICATE_USES.filter((use) => use !== "encrypt"))("has a %s key", (use) => {
    const keyId = pki.keyId("gw-a", use);
    const directory = pki.store.keyDirectory();
    const publicKey = directory[`${use}Key`]("gw-a", keyId);
    expect(publicKey).toEqual(pki.key("gw-a", use).publicKey);
    expect(pki.store.chain(keyId)).toHaveLength(2);
    expect(existsSync(`${pki.ringDir("gw-a", use)}/${keyId}.key.json`)).toBe(true);
  });

  it("has an encryption key in a ring", () => {
    const found = pki.store.keyDirectory().encryptKey("gw-b");
    const ring = KeyRing.open({
      dir: pki.ringDir("gw-b", "encrypt"),
      unlock: { file: pki.unlockPath("gw-b", "encrypt") },
      use: "node-encrypt",
      mode: "demo",
    });
    expect(ring.keyIds()).toEqual([found?.keyId]);
    ring.close();
  });

  it("pins its root by file", () => {
    expect(readPkiItems(readFileSync(pki.rootPath))).toEqual([
      { label: "CERTIFICATE", der: pki.root },
    ]);
  });
});
