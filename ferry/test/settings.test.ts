/** A cipher machine takes the place of the sender's folder of keys and of its unlock secret. */
import { expect, test } from "vitest";
import { readTxConfig } from "../src/tx/config.ts";

const key = { index: 1, passwordFile: "/p" };
const hsm = (kind: "sign" | "encrypt") => ({ library: "/lib.so", keys: { [kind]: [key] } });
const settings = {
  ...{ zone: "extranet", node: "node-extranet", service: "ferry-tx", mode: "demo" },
  ...{ stateDir: "/s", tls: { ca: "ca", cert: "cert", key: "key" }, peers: {} },
  ...{ anchorPath: "/a", trustRootPath: "/r", lane: "inbound", outboxDir: "/outbox" },
  gate: {
    driver: "udp",
    host: "127.0.0.1",
    port: 7,
    rateBytesPerSecond: 1e6,
    secondPassSeconds: 1,
  },
};

test("ferry keys lie in a folder with its unlock secret, or in a machine", () => {
  expect(readTxConfig({ ...settings, hsm: hsm("sign") }).ferryKeysDir).toBeUndefined();
  const files = { ...settings, ferryKeysDir: "/k", unlockPath: "/u" };
  expect(readTxConfig(files).ferryKeysDir).toBe("/k");
  expect(() => readTxConfig({ ...files, unlockPath: undefined })).toThrow("unlockPath");
  expect(() => readTxConfig({ ...settings, unlockPath: "/u" })).toThrow("ferryKeysDir");
  const wrong = { ...settings, unlockPath: "/u", hsm: hsm("encrypt") };
  expect(() => readTxConfig(wrong)).toThrow("ferryKeysDir");
});
