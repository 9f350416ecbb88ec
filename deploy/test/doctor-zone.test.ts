/**
 * Guarantee checked: the doctor sees rights of key files, the place of unlock
 * secrets, and the life of certificates and revocation lists as the services
 * do, and its exit code is 3 exactly when a point fails.
 */
import {
  chmodSync,
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { CliContext } from "@lightferry/proto/cli";
import { loadProvider } from "@lightferry/proto/sm";
import { type TestPki, testPki } from "@lightferry/proto/testing";
import { writeTrustItems } from "@lightferry/proto/trust";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { buildDevice, noCompiler } from "../../proto/test/sdf-device.ts";
import { noun } from "../cli/doctor.ts";
import { examine } from "../src/doctor/examine.ts";
import type { Finding } from "../src/doctor/finding.ts";
import { machinesOf } from "../src/doctor/hsm.ts";
import { authorityKeys, zoneKeys } from "../src/doctor/keys.ts";
import type { Machine } from "../src/doctor/machine.ts";
import { services } from "../src/doctor/services.ts";
import { trust } from "../src/doctor/trust.ts";
import { nodeIdOf, zonePaths } from "../src/layout.ts";
import { demoRegistry } from "../src/setup/demo-registry.ts";
import { unlockFile } from "../src/setup/introduction.ts";
import { takeLock } from "../src/zone/lock.ts";
import { machine, states } from "./doctor-machine.ts";

const DAY_MS = 86_400_000;
const USES = ["sign", "encrypt", "policy", "audit", "ferry"] as const;
/** Certificates hold whole seconds. */
const NOW = Math.floor(Date.now() / 1_000) * 1_000;
const here = (faults: Partial<Machine> = {}): Machine =>
  machine({ now: NOW, uid: process.getuid?.(), ...faults });

/** Made once and left as it is; every test has a copy of its folder. */
let pki: TestPki;
let home: string;
const paths = () => zonePaths(home, "business");
const of = (findings: readonly Finding[], check: string) =>
  findings.find((finding) => finding.check === check);

/** Adds trust folder, registry and root to a folder of `testPki`, as a set-up leaves them. */
async function install(made: TestPki): Promise<void> {
  const { registry, trust: folder } = zonePaths(made.dir, "business");
  mkdirSync(registry, { recursive: true });
  copyFileSync(made.rootPath, join(registry, "root.pem"));
  const introductions = (["extranet", "business"] as const).map((zone) => ({
    node: nodeIdOf(zone),
    zone,
    demo: true,
    requests: [],
    callerCertificateSha256: (zone === "business" ? "b" : "e").repeat(64),
  }));
  const document = { ...demoRegistry(introductions, undefined), number: 1 };
  writeFileSync(join(registry, "registry.json"), JSON.stringify(document));
  const { certificates, revocationLists } = made.set;
  await writeTrustItems(loadProvider(), folder, [
    ...(certificates ?? []).map((der) => ({ kind: "certificate", der }) as const),
    ...(revocationLists ?? []).map((der) => ({ kind: "revocation-list", der }) as const),
  ]);
}

beforeAll(async () => {
  pki = await testPki({
    zones: { extranet: "node-extranet", business: "node-business" },
    notBeforeMs: NOW - DAY_MS,
    notAfterMs: NOW + 300 * DAY_MS,
  });
  await install(pki);
});
afterAll(() => pki.cleanup());
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "lf-doctor-"));
  cpSync(pki.dir, home, { recursive: true });
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

describe.skipIf(noCompiler !== undefined)("a cipher machine", () => {
  const configure = (library: string) => {
    mkdirSync(paths().config, { recursive: true });
    const key = { index: 2, passwordFile: "/never/read" };
    const settings = { service: "front-proxy", hsm: { library, keys: { encrypt: [key] } } };
    writeFileSync(join(paths().config, "front-proxy.json"), JSON.stringify(settings));
    writeFileSync(join(paths().config, "policy.json"), JSON.stringify({ service: "policy" }));
    return machinesOf("business", paths());
  };

  it("is named with its keys, without a password; one that is not there is a fault", () => {
    const device = buildDevice();
    try {
      const { findings, keyIds } = configure(device.library);
      expect(findings).toMatchObject([{ check: "hsm:business/front-proxy", state: "ok" }]);
      expect(findings[0]?.found).toContain("software device 2026010100100001: encrypt 2 ");
      expect([...keyIds].every((keyId) => findings[0]?.found.includes(keyId))).toBe(true);
      expect([keyIds.size, device.openSessions(), device.wrongPasswords()]).toEqual([1, 0, 0]);
      device.failWith(0x0100_0003);
      expect(states(configure(device.library).findings)).toEqual({
        "hsm:business/front-proxy": "fail",
      });
      device.failWith(0);
    } finally {
      device.remove();
    }
    expect(configure("/no/such/libsdf.so")).toMatchObject({ findings: [{ state: "fail" }] });
  });
});

describe("certificates and lists", () => {
  it("are ok while they last", () => {
    const findings = trust(here(), "business", paths());
    expect(new Set(Object.values(states(findings)))).toEqual(new Set(["ok"]));
    expect(findings.map(({ check }) => check)).toEqual([
      "trust:business",
      ...USES.map((use) => `certificate:business/${use}`),
      "revocation-list:business/extranet",
      "revocation-list:business/business",
    ]);
    expect(of(findings, "certificate:business/sign")?.found).toContain(
      pki.keyId("node-business", "sign"),
    );
  });

  it.each([
    [285, "ok", "warn"],
    [290, "warn", "warn"],
    [301, "fail", "fail"],
  ])("after %i days a certificate is %s and its CA %s", (days, leaf, ca) => {
    const found = states(trust(here({ now: NOW + days * DAY_MS }), "business", paths()));
    expect(found["certificate:business/encrypt"]).toBe(leaf);
    const authorities = Object.entries(found).filter(([check]) => /^certificate-auth/.test(check));
    expect(authorities).toHaveLength(3);
    expect(new Set(authorities.map(([, state]) => state))).toEqual(new Set([ca]));
  });

  it.each([
    [5, "ok"],
    [6, "warn"],
    [8, "fail"],
  ])("after %i days a list of a lane with a limit of seven is %s", (days, state) => {
    const found = states(trust(here({ now: NOW + days * DAY_MS }), "business", paths()));
    expect(found["revocation-list:business/extranet"]).toBe(state);
  });

  it("see a revoked key, and a certificate without its private key", async () => {
    const other = await testPki({
      zones: { extranet: "node-extranet", business: "node-business" },
    });
    try {
      other.revoke(other.keyId("node-business", "sign"), "keyCompromise");
      await install(other);
      rmSync(home, { recursive: true });
      cpSync(other.dir, home, { recursive: true });
    } finally {
      await other.cleanup();
    }
    rmSync(join(paths().keys, "audit"), { recursive: true });
    mkdirSync(join(paths().keys, "audit"));
    expect(states(trust(here(), "business", paths()))).toMatchObject({
      "certificate:business/sign": "fail",
      "certificate:business/audit": "fail",
      "certificate:business/encrypt": "ok",
    });
  });

  it("of another root are not believed, and a damaged store is a finding", async () => {
    const other = await testPki({ zones: { business: "node-business" } });
    try {
      await writeTrustItems(loadProvider(), paths().trust, [
        { kind: "revocation-list", der: other.list("business") },
      ]);
      expect(of(trust(here(), "business", paths()), "trust:business")?.state).toBe("warn");
    } finally {
      await other.cleanup();
    }
    writeFileSync(join(paths().trust, "state.json"), "{");
    expect(states(trust(here(), "business", paths()))).toEqual({ "trust:business": "fail" });
    rmSync(join(paths().registry, "root.pem"));
    expect(trust(here(), "business", paths())).toEqual([]);
  });

  it("for demonstration do not count in production", () => {
    const found = states(trust(here({ mode: "production" }), "business", paths()));
    expect(found).toEqual({ "trust:business": "fail" });
  });
});

describe("key files", () => {
  it("are ok when only their owner can reach them", () => {
    expect(states(zoneKeys(here(), "business", paths()))["keys.rights:business"]).toBe("ok");
  });

  it.each([
    ["a key file that the group may read", "keys/sign", 0o640],
    ["a key file that all may read", "keys/sign", 0o604],
  ])("find %s", (_, folder, mode) => {
    const keyId = pki.keyId("node-business", "sign");
    const path = join(paths().root, folder, `${keyId}.key.json`);
    chmodSync(path, mode);
    const finding = of(zoneKeys(here(), "business", paths()), "keys.rights:business");
    expect(finding?.state).toBe("fail");
    expect(finding?.found).toContain(path);
    expect(finding?.advice.zh).toContain(path);
  });

  it("find passwords and TLS keys, but no certificate", () => {
    mkdirSync(paths().config);
    mkdirSync(paths().tls);
    writeFileSync(join(paths().tls, "policy.pem"), "public", { mode: 0o644 });
    writeFileSync(join(paths().tls, "policy.key.pem"), "secret", { mode: 0o600 });
    writeFileSync(join(paths().config, "audit.json"), "{}", { mode: 0o600 });
    const check = () => states(zoneKeys(here(), "business", paths()))["keys.rights:business"];
    expect(check()).toBe("ok");
    chmodSync(join(paths().tls, "policy.key.pem"), 0o644);
    expect(check()).toBe("fail");
    chmodSync(join(paths().tls, "policy.key.pem"), 0o600);
    chmodSync(join(paths().config, "audit.json"), 0o644);
    expect(check()).toBe("fail");
  });

  it("find a folder in which others may replace a key, and another owner", () => {
    chmodSync(join(paths().keys, "sign"), 0o770);
    expect(states(zoneKeys(here(), "business", paths()))["keys.rights:business"]).toBe("fail");
    chmodSync(join(paths().keys, "sign"), 0o700);
    const stranger = here({ uid: 4_711 });
    expect(states(zoneKeys(stranger, "business", paths()))["keys.rights:business"]).toBe("warn");
  });

  it("of an authority are looked at where it lies here", () => {
    const folder = join(home, "authority");
    expect(authorityKeys(here(), folder)).toEqual([]);
    mkdirSync(join(folder, "ca", "root"), { recursive: true });
    writeFileSync(join(folder, "ca", "root", "a.key.json"), "{}", { mode: 0o644 });
    expect(states(authorityKeys(here(), folder))).toEqual({ "keys.rights:authority": "fail" });
  });

  it("lie on another disk than their unlock files, or it is said", () => {
    const place = (mode: "demo" | "production") =>
      states(zoneKeys(here({ mode }), "business", paths()))["keys.unlock:business"];
    for (const use of USES) rmSync(join(paths().keys, unlockFile(use)), { force: true });
    expect(place("production")).toBe("ok");
    writeFileSync(join(paths().keys, unlockFile("sign")), "x", { mode: 0o600 });
    expect([place("demo"), place("production")]).toEqual(["warn", "fail"]);
  });
});

describe("running services", () => {
  const proc = `/proc/${process.pid}`;
  const running = (files: Record<string, string>, mode: "demo" | "production" = "demo") =>
    services(
      machine({
        mode,
        files: {
          [`${proc}/status`]: "TracerPid:\t0\nUid:\t1000\t1000\t1000\t1000",
          [`${proc}/limits`]: "Max core file size  0  0  bytes",
          [`${proc}/cmdline`]: "node\0policy/src/main.ts",
          ...files,
        },
      }),
      "business",
      paths(),
    );

  it("are looked at while their supervisor runs, and not told of otherwise", () => {
    mkdirSync(paths().state, { recursive: true });
    const file = { pid: process.pid, services: { policy: { pid: process.pid }, seal: {} } };
    writeFileSync(join(paths().state, "supervisor.json"), JSON.stringify(file));
    expect(running({})).toEqual([]);
    const release = takeLock(join(paths().state, "zone.lock"), 7_100);
    try {
      const check = "service.exposure:business/policy";
      expect(states(running({}))).toEqual({ [check]: "ok" });
      const open = { [`${proc}/cmdline`]: "node\0--inspect\0policy/src/main.ts" };
      expect(states(running(open))).toEqual({ [check]: "warn" });
      expect(states(running(open, "production"))).toEqual({ [check]: "fail" });
      expect(running(open)[0]?.found).toBe(`business/policy ${process.pid}: --inspect`);
      writeFileSync(join(paths().state, "supervisor.json"), "{");
      expect(running({})).toEqual([]);
    } finally {
      release();
    }
  });
});

describe("lightferry doctor", () => {
  const printed: string[] = [];
  let json: unknown;
  const context = {
    locale: "zh",
    json: false,
    zone: undefined,
    say: ({ zh }) => zh,
    out: (text) => printed.push(text),
    table: (rows) => printed.push(`${rows.length} rows`),
    emitJson: (value) => {
      json = value;
    },
  } satisfies Partial<CliContext>;
  const run = () => noun.verbs[0]?.run({ ...context, home } as unknown as CliContext, {} as never);

  it("prints every finding and its advice, and ends with 3 when a point fails", async () => {
    const code = await run();
    const findings = json as Finding[];
    expect(printed[0]).toBe(`${findings.length} rows`);
    for (const { state, means, advice } of findings.filter((finding) => finding.state !== "ok")) {
      expect(printed, state).toEqual(
        expect.arrayContaining([`    ${means.zh}`, `    → ${advice.zh}`]),
      );
    }
    expect(code).toBe(findings.some(({ state }) => state === "fail") ? 3 : 0);
    chmodSync(join(paths().keys, "sign"), 0o777);
    expect(await run()).toBe(3);
  });

  it("refuses a zone that is none", () => {
    expect(() =>
      noun.verbs[0]?.run({ ...context, home, zone: "moon" } as unknown as CliContext, {} as never),
    ).toThrow(expect.objectContaining({ code: "cli.usage" }));
  });

  it("asks every area, and of one zone when it is named", () => {
    const areas = (zone?: string) =>
      new Set(examine(home, zone, () => here()).map(({ check }) => check.replace(/[.:].*$/, "")));
    for (const area of [
      "node",
      "sm-provider",
      "sm4-bulk",
      "sm3-lanes",
      "cpu",
      "clock",
      "disk",
      "net",
      "nofile",
      "core",
      "ptrace-scope",
      "swap",
      "keys",
      "trust",
      "certificate",
      "revocation-list",
    ]) {
      expect(areas()).toContain(area);
    }
    const zoned = examine(home, "extranet", () => here());
    expect(zoned.filter(({ check }) => check.includes("business"))).toEqual([]);
  });

  it("is as strict as the strictest zone", () => {
    writeFileSync(join(paths().root, "zone.json"), JSON.stringify({ mode: "production" }));
    const modes: string[] = [];
    examine(home, undefined, (mode) => {
      modes.push(mode);
      return here({ mode });
    });
    expect(modes).toEqual(["production"]);
  });
});
