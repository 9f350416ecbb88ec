/** Which settings a cipher machine takes the place of, and which it does not. */
import { expect, test } from "vitest";
import { parseFrontProxyConfig } from "../src/config-parse.ts";
import { parseSealConfig } from "../src/seal/config.ts";

const key = { index: 1, passwordFile: "/p" };
const hsm = (kind: "sign" | "encrypt") => ({ library: "/lib.so", keys: { [kind]: [key] } });
const tls = { ca: "ca", cert: "cert", key: "key" };
const base = {
  ...{ zone: "extranet", node: "node-extranet", mode: "demo", stateDir: "/s", tls },
  ...{ peers: { policy: "h:1", frontProxy: "h:2" }, anchorPath: "/a", trustRootPath: "/r" },
  ...{ unlockPath: "/u", vaultPath: "/v", spoolDir: "/spool", outboxDir: "/outbox" },
};
const seal = { ...base, service: "seal" };
const frontProxy = {
  ...{ ...base, service: "front-proxy", listen: { host: "h", port: 1 } },
  ...{ api: { host: "h", port: 2, tls }, databaseUrl: "postgres://x" },
  ...{ arrivalsDir: "/arrivals", inboxDir: "/inbox" },
};

test("seal needs no folder of keys with signing keys of a machine; its vault needs the unlock secret", () => {
  expect(parseSealConfig({ ...seal, hsm: hsm("sign") }).signKeysDir).toBeUndefined();
  const both = { ...seal, hsm: hsm("sign"), signKeysDir: "/k" };
  expect(parseSealConfig(both).signKeysDir).toBe("/k");
  for (const wrong of [seal, { ...seal, hsm: hsm("encrypt") }]) {
    expect(() => parseSealConfig(wrong)).toThrow("signKeysDir");
  }
  const locked = { ...seal, hsm: hsm("sign"), unlockPath: undefined };
  expect(() => parseSealConfig(locked)).toThrow("unlockPath");
});

test("the front-proxy may keep its files beside a machine, or have none", () => {
  expect(
    parseFrontProxyConfig({ ...frontProxy, hsm: hsm("encrypt") }).encryptKeysDir,
  ).toBeUndefined();
  const both = { ...frontProxy, hsm: hsm("encrypt"), encryptKeysDir: "/k" };
  expect(parseFrontProxyConfig(both).encryptKeysDir).toBe("/k");
  for (const wrong of [frontProxy, { ...frontProxy, hsm: hsm("sign") }]) {
    expect(() => parseFrontProxyConfig(wrong)).toThrow("encryptKeysDir");
  }
});
