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

test("coding may be set, within what the code can do, or turned off", () => {
  const files = { ...settings, ferryKeysDir: "/k", unlockPath: "/u" };
  const codeOf = (gate: object) =>
    readTxConfig({ ...files, gate: { ...files.gate, ...gate } }).gate.code;
  expect(codeOf({})).toEqual({ groupShards: 128, parityShards: 16 });
  expect(codeOf({ groupShards: 191, parityShards: 64 })).toEqual({
    groupShards: 191,
    parityShards: 64,
  });
  expect(codeOf({ groupShards: 1, parityShards: 0 })).toEqual({ groupShards: 1, parityShards: 0 });
  expect(() => codeOf({ groupShards: 192, parityShards: 64 })).toThrow("above 255");
  expect(() => codeOf({ groupShards: 0 })).toThrow("gate.groupShards");
  expect(() => codeOf({ groupShards: 225, parityShards: 0 })).toThrow("gate.groupShards");
  expect(() => codeOf({ parityShards: 65 })).toThrow("gate.parityShards");
  expect(() => codeOf({ parityShards: -1 })).toThrow("gate.parityShards");
});
