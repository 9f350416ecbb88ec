/** Guarantee tested: `lightferry setup --gate-tags` reaches both ferry programs and stays until it is taken off; the doctor says which end lacks its key. */
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseCertificate } from "@lightferry/proto/pki";
import { loadProvider } from "@lightferry/proto/sm";
import { runCaptured, type TestPki, testPki } from "@lightferry/proto/testing";
import { writeTrustItems } from "@lightferry/proto/trust";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readRxConfig } from "../../ferry/src/rx/config.ts";
import { readTxConfig } from "../../ferry/src/tx/config.ts";
import { noun } from "../cli/setup.ts";
import { gateTags } from "../src/doctor/tags.ts";
import { otherZone, ZONES, type ZoneName, zonePaths } from "../src/layout.ts";
import { writeConfigs } from "../src/setup/configs.ts";
import { zonePasswords } from "../src/setup/databases.ts";
import type { FerryProgram } from "../src/setup/receipt-lane.ts";
import { DEFAULT_OPTIONS, readZoneOptions, writeZoneOptions } from "../src/setup/zone-options.ts";
import { machine, states } from "./doctor-machine.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "lf-gate-tags-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const GATE = ["--gate-host", "192.0.2.10"];
const PROGRAM = { extranet: "ferry-tx", business: "ferry-rx" } as const;
const setup = (home: string, zone: ZoneName, words: readonly string[]) =>
  runCaptured(noun, ["--home", join(folder, home), "--zone", zone, ...words]);
/** As the program reads it. */
function hasTags(home: string, zone: ZoneName, program: FerryProgram): boolean {
  const path = join(zonePaths(join(folder, home), zone).config, `${program}.json`);
  const settings: unknown = JSON.parse(readFileSync(path, "utf8"));
  return (program === "ferry-tx" ? readTxConfig : readRxConfig)(settings).gate.tags;
}

/** As each start of the supervisor does. */
function startAgain(home: string, zone: ZoneName): void {
  const paths = zonePaths(join(folder, home), zone);
  writeConfigs(join(folder, home), zone, readZoneOptions(paths.root), zonePasswords(paths));
}

describe("setup", () => {
  it.each(ZONES)(
    "%s: on where it is asked for, kept by later starts, off again by zone.json",
    async (zone) => {
      expect(await setup("on", zone, [...GATE, "--gate-tags"])).toMatchObject({ code: 0 });
      expect(hasTags("on", zone, PROGRAM[zone])).toBe(true);
      startAgain("on", zone);
      expect(hasTags("on", zone, PROGRAM[zone])).toBe(true);
      const { root } = zonePaths(join(folder, "on"), zone);
      writeZoneOptions(root, { ...readZoneOptions(root), gateTags: false });
      startAgain("on", zone);
      expect(hasTags("on", zone, PROGRAM[zone])).toBe(false);
    },
  );

  it("leaves them off unless it is asked, and never puts them on a lane of receipts", async () => {
    const receipts = ["--receipt-lane", "return", "--receipt-gate", "198.51.100.10"];
    for (const zone of ZONES) {
      expect(await setup("off", zone, GATE)).toMatchObject({ code: 0 });
      expect(hasTags("off", zone, PROGRAM[zone])).toBe(false);
      const words = [...GATE, ...receipts, "--gate-tags"];
      expect(await setup("receipts", zone, words)).toMatchObject({ code: 0 });
      expect(hasTags("receipts", zone, PROGRAM[zone])).toBe(true);
      expect(hasTags("receipts", zone, PROGRAM[otherZone(zone)])).toBe(false);
    }
  });

  it("is refused beside an appliance, which has no gate, before anything is made", async () => {
    const appliance = ["--directory-lane", "inbound", "--directory-pick-up", "/srv/out"];
    const { code, text } = await setup("fresh", "business", [...appliance, "--gate-tags"]);
    expect([code, existsSync(join(folder, "fresh"))]).toEqual([2, false]);
    expect(text).toContain("--gate-tags");
    const root = mkdtempSync(join(folder, "zone-"));
    const ferryDirectory = { lane: "inbound", path: "/srv/out" };
    writeZoneOptions(root, { ...DEFAULT_OPTIONS, ferryDirectory, gateTags: true });
    expect(() => readZoneOptions(root)).toThrow("zone.json: gateTags");
  });
});

describe("the doctor", () => {
  const NOW = Math.floor(Date.now() / 1_000) * 1_000;
  const DAY_MS = 86_400_000;
  let pki: TestPki;
  beforeAll(async () => {
    pki = await testPki({
      zones: { extranet: "node-extranet", business: "node-business" },
      notBeforeMs: NOW - DAY_MS,
      notAfterMs: NOW + 30 * DAY_MS,
    });
  });
  afterAll(() => pki.cleanup());

  /** A zone with the certificates and lists that `known` lets in, and its keys. */
  async function zoneWith(
    zone: ZoneName,
    known: (der: Uint8Array) => boolean = () => true,
  ): Promise<ReturnType<typeof zonePaths>> {
    const home = mkdtempSync(join(folder, "home-"));
    cpSync(pki.dir, home, { recursive: true });
    const paths = zonePaths(home, zone);
    mkdirSync(paths.registry, { recursive: true });
    cpSync(pki.rootPath, join(paths.registry, "root.pem"));
    const { certificates, revocationLists } = pki.set;
    await writeTrustItems(loadProvider(), paths.trust, [
      ...(certificates ?? []).filter(known).map((der) => ({ kind: "certificate", der }) as const),
      ...(revocationLists ?? []).map((der) => ({ kind: "revocation-list", der }) as const),
    ]);
    return paths;
  }
  const look = (zone: ZoneName, paths: ReturnType<typeof zonePaths>, now = NOW) =>
    gateTags(machine({ now }), zone, paths, { gateTags: true });

  it("has nothing to say where there are none", () => {
    expect(gateTags(machine(), "extranet", zonePaths(folder, "extranet"), DEFAULT_OPTIONS)).toEqual(
      [],
    );
  });

  it.each(ZONES)(
    "%s: content with the receiving node's encryption key in force, and names it",
    async (zone) => {
      const paths = await zoneWith(zone);
      const [finding] = look(zone, paths);
      expect(finding).toMatchObject({ check: `gate.tags:${zone}`, state: "ok" });
      expect(finding?.found).toContain(`node-business ${pki.keyId("node-business", "encrypt")}`);
      expect(states(look(zone, paths, NOW + 31 * DAY_MS))).toEqual({
        [`gate.tags:${zone}`]: "warn",
      });
    },
  );

  it("the sender lacks a certificate that was never brought over, and needs no key of it", async () => {
    const theirs = pki.keyId("node-business", "encrypt");
    const paths = await zoneWith("extranet", (der) => parseCertificate(der).keyId !== theirs);
    expect(states(look("extranet", paths))).toEqual({ "gate.tags:extranet": "warn" });
  });

  it("the receiver lacks a private key, unless it lies in a cipher machine", async () => {
    const paths = await zoneWith("business");
    rmSync(join(paths.keys, "encrypt"), { recursive: true });
    mkdirSync(join(paths.keys, "encrypt"));
    const [finding] = look("business", paths);
    expect([finding?.state, finding?.advice.en]).toEqual([
      "warn",
      expect.stringContaining("--use encrypt"),
    ]);
    const inMachine = new Set([pki.keyId("node-business", "encrypt")]);
    const options = { gateTags: true };
    expect(states(gateTags(machine({ now: NOW }), "business", paths, options, inMachine))).toEqual({
      "gate.tags:business": "ok",
    });
  });

  it("a zone without a root has no key yet", () => {
    const paths = zonePaths(mkdtempSync(join(folder, "bare-")), "business");
    expect(states(look("business", paths))).toEqual({ "gate.tags:business": "warn" });
  });
});
