/** A cipher machine takes the place of the folder of keys and of its unlock secret; nothing else does. */
import { expect, test } from "vitest";
import { readAuditConfig } from "../src/config.ts";

const key = { index: 1, passwordFile: "/p" };
const hsm = (kind: "sign" | "encrypt") => ({ library: "/lib.so", keys: { [kind]: [key] } });
const settings = {
  ...{ zone: "extranet", node: "node-extranet", service: "audit", mode: "demo", stateDir: "/s" },
  ...{ tls: { ca: "ca", cert: "cert", key: "key" }, listen: { host: "h", port: 1 } },
  ...{ peers: { policy: "h:2" }, anchorPath: "/a", trustRootPath: "/r", witnessZone: "business" },
  ...{ databaseUrl: "postgres://w", ownerUrl: "postgres://o" },
};

test("keys lie in a folder with its unlock secret, or in a machine", () => {
  expect(readAuditConfig({ ...settings, hsm: hsm("sign") }).auditKeysDir).toBeUndefined();
  const files = { ...settings, auditKeysDir: "/k", unlockPath: "/u" };
  expect(readAuditConfig(files).auditKeysDir).toBe("/k");
  expect(() => readAuditConfig({ ...files, unlockPath: undefined })).toThrow("unlockPath");
  expect(() => readAuditConfig({ ...files, auditKeysDir: undefined })).toThrow("auditKeysDir");
  const wrong = { ...settings, unlockPath: "/u", hsm: hsm("encrypt") };
  expect(() => readAuditConfig(wrong)).toThrow("auditKeysDir");
  expect(() => readAuditConfig({ ...files, hms: hsm("sign") })).toThrow("hms");
});
