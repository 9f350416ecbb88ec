/** A service whose keys lie in a cipher machine: settings, start, counts, refusals. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readBaseConfig } from "../src/service/index.ts";
import { buildDevice, noCompiler, type TestDevice } from "./sdf-device.ts";
import { runProgram, serviceProgram, serviceSettings } from "./service-program.ts";

if (noCompiler !== undefined) console.warn(`skipped: ${noCompiler}`);

const PROGRAM = serviceProgram(`
  const keys = shell.hsm?.signKeys;
  const [keyId] = keys.keyIds();
  const key = keys.privateKey(keyId);
  for (let i = 0; i < 5; i += 1) shell.provider.sm2Sign(key, Buffer.from("m"));
  shell.ready({ keyId });
  setInterval(() => undefined, 1000);
`);

let dir: string;
let device: TestDevice | undefined;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "lf-hsm-"));
  if (noCompiler === undefined) device = buildDevice();
});
afterAll(async () => {
  device?.remove();
  await rm(dir, { recursive: true, force: true });
});

/** Runs the service until it is ready or ends by itself; then asks it to end. */
const run = (hsm: unknown) =>
  runProgram(dir, PROGRAM, serviceSettings(dir, { hsm }), {
    until: /"event":"ready"/,
    signal: "SIGTERM",
  });

describe("settings of a cipher machine", () => {
  it("are read whole, or the wrong one is named", () => {
    const key = { index: 1, passwordFile: "/p" };
    const good = { library: "/lib.so", decrypt: "internal", keys: { sign: [key], encrypt: [key] } };
    expect(readBaseConfig(serviceSettings(dir, { hsm: good })).hsm).toEqual(good);
    const wrong: [unknown, string][] = [
      [{ ...good, library: "" }, "hsm.library"],
      [{ ...good, decrypt: "somehow" }, "hsm.decrypt"],
      [{ ...good, pin: "1" }, "hsm.pin"],
      [{ ...good, keys: {} }, "hsm.keys"],
      [{ ...good, keys: { sign: [] } }, "hsm.keys.sign"],
      [{ ...good, keys: { audit: [key] } }, "hsm.keys.audit"],
      [{ ...good, keys: { sign: [{ ...key, index: 0 }] } }, "hsm.keys.sign.0.index"],
      [{ ...good, keys: { sign: [key, { index: 2 }] } }, "hsm.keys.sign.1.passwordFile"],
      [{ ...good, keys: { sign: [{ ...key, password: "x" }] } }, "hsm.keys.sign.0.password"],
    ];
    for (const [hsm, field] of wrong) {
      expect(() => readBaseConfig(serviceSettings(dir, { hsm })), field).toThrow(`(${field}:`);
    }
  });
});

describe.skipIf(noCompiler !== undefined)("a service with a cipher machine", () => {
  it("signs with the machine's key, and every use is counted, the self-test's too", async () => {
    const passwordFile = device?.passwordFile(1);
    const hsm = { library: device?.library, keys: { sign: [{ index: 1, passwordFile }] } };
    const { code, said } = await run(hsm);
    expect(code).toBe(0);
    expect(said).toContain('"model":"software device"');
    expect(said).not.toContain("password-1\n");
    const keyId = /"keyId":"([0-9a-f]{32})"/.exec(said)?.[1];
    const { keys } = JSON.parse(await readFile(join(dir, "state", "key-uses.json"), "utf8"));
    const row = keys.find((one: { keyId: string }) => one.keyId === keyId);
    expect(row).toEqual({ keyId, operation: "sign", reserved: 6, used: 6, reported: 6 });
  });

  it("does not start with a wrong password, and its log says who must act", async () => {
    const passwordFile = device?.passwordFile(1, "password-9");
    const hsm = { library: device?.library, keys: { sign: [{ index: 1, passwordFile }] } };
    const first = await run(hsm);
    expect(first.code).toBe(1);
    expect(first.said).toContain('"code":"sm.hsm-password"');
    expect(first.said).not.toContain("password-9");
    const again = await run(hsm);
    expect(again.said).toContain("unchanged since the device refused it");
  });

  it("does not start without its library", async () => {
    const hsm = {
      library: join(dir, "absent.so"),
      keys: { sign: [{ index: 1, passwordFile: "/p" }] },
    };
    const { code, said } = await run(hsm);
    expect(code).toBe(1);
    expect(said).toContain('"code":"sm.hsm-unavailable"');
  });
});
