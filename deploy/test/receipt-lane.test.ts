/** `lightferry setup --receipt-lane`: the other ferry program of each zone, by a way of its own; the doctor knows what the registry lacks. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { RegistryDocument } from "@lightferry/proto/registry";
import { runCaptured } from "@lightferry/proto/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  readDirectoryRxConfig,
  readDirectoryTxConfig,
} from "../../ferry/src/directory/settings.ts";
import { readRxConfig } from "../../ferry/src/rx/config.ts";
import { readTxConfig } from "../../ferry/src/tx/config.ts";
import { noun } from "../cli/setup.ts";
import { receiptLane } from "../src/doctor/receipts.ts";
import { nodeIdOf, ZONES, type ZoneName, zonePaths, zonePorts } from "../src/layout.ts";
import { demoRegistry } from "../src/setup/demo-registry.ts";
import type { ReceiptLane } from "../src/setup/receipt-lane.ts";
import {
  DEFAULT_OPTIONS,
  DEMO_RECEIPT_LANE,
  readZoneOptions,
  writeZoneOptions,
  type ZoneOptions,
} from "../src/setup/zone-options.ts";
import { machine, NOW } from "./doctor-machine.ts";
import { readUnit } from "./systemd-unit.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "lf-receipt-lane-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const LANE = ["--receipt-lane", "return"];
const GATES = ["--gate-host", "192.0.2.10", ...LANE, "--receipt-gate", "198.51.100.10"];
const setup = (home: string, zone: ZoneName, words: readonly string[]) =>
  runCaptured(noun, ["--home", join(folder, home), "--zone", zone, ...words]);
const configOf = (home: string, zone: ZoneName, name: string): unknown =>
  JSON.parse(
    readFileSync(join(zonePaths(join(folder, home), zone).config, `${name}.json`), "utf8"),
  );

describe("a lane of receipts", () => {
  it("by a gate of its own: sent by the business zone, received by the extranet, beside what was there", async () => {
    for (const zone of ZONES) expect(await setup("gate", zone, GATES)).toMatchObject({ code: 0 });
    const port = zonePorts("extranet", DEFAULT_OPTIONS.portBase).receiptGate;
    const back = { lanes: [{ name: "return" }], links: [{ host: "198.51.100.10", port }] };
    expect(readTxConfig(configOf("gate", "business", "ferry-tx"))).toMatchObject(back);
    expect(readRxConfig(configOf("gate", "extranet", "ferry-rx"))).toMatchObject({
      ...back,
      lanes: [{ name: "return", expectedSender: "node-business" }],
    });
    const inward = { lanes: [{ name: "inbound" }], links: [{ host: "192.0.2.10" }] };
    expect(readTxConfig(configOf("gate", "extranet", "ferry-tx"))).toMatchObject(inward);
    expect(readRxConfig(configOf("gate", "business", "ferry-rx"))).toMatchObject(inward);
  });

  it("by an appliance of its own, beside the one of the lane it answers", async () => {
    const inward = ["--directory-lane", "inbound"];
    const words = {
      extranet: [
        ...inward,
        "--directory-drop",
        "/srv/in",
        ...LANE,
        "--receipt-pick-up",
        "/srv/back",
      ],
      business: [
        ...inward,
        "--directory-pick-up",
        "/srv/out",
        ...LANE,
        "--receipt-drop",
        "/srv/rcpt",
      ],
    };
    const units = join(folder, "units");
    for (const zone of ZONES) {
      const where = ["--systemd", units, "--unlock-dir", join(folder, "unlock", zone)];
      expect(await setup("appliance", zone, [...words[zone], ...where])).toMatchObject({ code: 0 });
    }
    expect(readDirectoryTxConfig(configOf("appliance", "business", "ferry-tx"))).toMatchObject({
      ...{ lane: "return", gate: { target: { folder: "/srv/rcpt" } } },
    });
    expect(readDirectoryRxConfig(configOf("appliance", "extranet", "ferry-rx"))).toMatchObject({
      ...{ lane: "return", expectedSender: "node-business", gate: { path: "/srv/back" } },
    });
    // What front-proxy has looked at and made its own, seal cannot replace.
    const rights = readFileSync(join(units, "lightferry-business.tmpfiles.conf"), "utf8");
    expect(rights).toMatch(/^z \S+\/outbox 1770 lf-business-front-proxy lf-business-road$/m);
    // Each unit the folders of its own lane.
    const written = (zone: ZoneName, service: string) =>
      readUnit(readFileSync(join(units, `lightferry-${zone}-${service}.service`), "utf8"))
        .get("ReadWritePaths")?.[0]
        ?.split(" ")
        .filter((path) => path.startsWith("/srv"));
    expect(written("extranet", "ferry-tx")).toEqual(["/srv/in"]);
    expect(written("extranet", "ferry-rx")).toEqual(["/srv/back"]);
    expect(written("business", "ferry-tx")).toEqual(["/srv/rcpt"]);
    expect(written("business", "ferry-rx")).toEqual(["/srv/out"]);
  });

  it("by medium: a station at each end, and no further program", async () => {
    const words = [...LANE, "--receipt-medium", "--media-lane", "by-usb:extranet"];
    for (const zone of ZONES) expect(await setup("medium", zone, words)).toMatchObject({ code: 0 });
    const there = (zone: ZoneName, name: string) =>
      existsSync(join(zonePaths(join(folder, "medium"), zone).config, `${name}.json`));
    expect(configOf("medium", "extranet", "media-rx")).toMatchObject({
      ...{ lane: "return", expectedSender: "node-business" },
    });
    expect(configOf("medium", "business", "media-rx")).toMatchObject({ lane: "by-usb" });
    for (const zone of ZONES) expect(there(zone, "media-tx"), zone).toBe(true);
    expect([there("extranet", "ferry-rx"), there("business", "ferry-tx")]).toEqual([false, false]);
  });

  it.each([
    ["no lane", "extranet", ["--receipt-gate", "198.51.100.10"], "cli.usage"],
    ["no way", "extranet", LANE, "cli.usage"],
    [
      "two ways",
      "extranet",
      [...LANE, "--receipt-gate", "198.51.100.10", "--receipt-medium"],
      "cli.usage",
    ],
    ["the other zone's end", "business", [...LANE, "--receipt-pick-up", "/in"], "cli.usage"],
    [
      "a name that is none",
      "business",
      ["--receipt-lane", "../x", "--receipt-medium"],
      "config.invalid",
    ],
    [
      "the gate of the other direction",
      "business",
      ["--gate-host", "192.0.2.10", ...LANE, "--receipt-gate", "192.0.2.10"],
      "setup.receipt-lane-shared",
    ],
    [
      "a folder in that of the other direction",
      "extranet",
      [
        ...["--directory-lane", "inbound", "--directory-drop", "/srv/in"],
        ...[...LANE, "--receipt-pick-up", "/srv/in/back"],
      ],
      "setup.receipt-lane-shared",
    ],
    [
      "the lane of the other direction's media",
      "business",
      [...LANE, "--receipt-medium", "--media-lane", "return:extranet"],
      "config.invalid",
    ],
  ] as const)("is refused with %s, before anything is made", async (_, zone, words, code) => {
    const { code: exit, text } = await setup("fresh", zone, words);
    expect(exit).not.toBe(0);
    expect(text).toContain(code);
    expect(existsSync(join(folder, "fresh"))).toBe(false);
  });

  it.each<[string, Partial<ZoneOptions>, string]>([
    [
      "another setting",
      { receiptLane: { lane: "return", host: "x" } as ReceiptLane },
      "receiptLane.host",
    ],
    [
      "nothing where its settings stand",
      { receiptLane: null as unknown as ReceiptLane },
      "zone.json: receiptLane",
    ],
    ["a gate and no lane", { receiptLane: { gate: { host: "x" } } }, "receiptLane.lane"],
    [
      "a link of the other direction",
      {
        ...{ mode: "production", ferryLinks: [{ link: 0, host: "198.51.100.10", port: 7740 }] },
        receiptLane: { lane: "return", gate: { host: "198.51.100.10" } },
      },
      "setup.receipt-lane-shared",
    ],
  ])("in zone.json is refused at every start with %s", (_, change, text) => {
    const root = mkdtempSync(join(folder, "zone-"));
    writeZoneOptions(root, { ...DEFAULT_OPTIONS, ...change });
    expect(() => readZoneOptions(root)).toThrow(text);
  });
});

describe("the doctor", () => {
  const paths = () => zonePaths(join(folder, "doctor"), "business");
  const introductions = ZONES.map((zone) => ({
    ...{ zone, node: nodeIdOf(zone), demo: true, requests: [] },
    callerCertificateSha256: "0".repeat(64),
  }));
  const registry = (): RegistryDocument => ({
    ...demoRegistry(introductions, undefined, DEMO_RECEIPT_LANE),
    issuedMs: NOW,
  });
  const look = (document: object) => {
    mkdirSync(paths().registry, { recursive: true });
    writeFileSync(join(paths().registry, "registry.json"), JSON.stringify(document));
    const found = receiptLane(machine(), "business", paths(), DEMO_RECEIPT_LANE);
    return found.map(({ state, found: said }) => `${state} ${said}`);
  };
  const withLane = (change: object) => {
    const { lanes, ...rest } = registry();
    return {
      ...rest,
      lanes: lanes.map((lane) => (lane.id === "return" ? { ...lane, ...change } : lane)),
    };
  };
  const inForce = () => ({
    ...registry(),
    grants: registry().grants.map((grant) => ({ ...grant, notBeforeMs: 0, notAfterMs: NOW + 1 })),
  });

  it("is content with what is registered in full, and has nothing to say where there is none", () => {
    expect(look(inForce())).toEqual(["ok return udp 127.0.0.1"]);
    expect(receiptLane(machine(), "business", paths(), {})).toEqual([]);
  });

  it.each<[string, () => object]>([
    ["lanes: return", () => ({ ...demoRegistry(introductions, undefined), issuedMs: NOW })],
    ["state: closed", () => withLane({ state: "closed" })],
    ["driver: directory", () => withLane({ driver: "directory" })],
    ["kinds: request", () => withLane({ kinds: ["request"] })],
    ["extranet → business", () => withLane({ from: "extranet", to: "business" })],
    ["receipts alone", () => withLane({ kinds: ["receipt", "request"] })],
    ["callers: node-business", () => ({ ...registry(), callers: [], grants: [] })],
    ["grants: node-business receipts return", () => ({ ...registry(), grants: [] })],
  ])("names what is amiss: %s", (text, document) => {
    const [said = ""] = look(document());
    expect(said).toMatch(/^fail /);
    expect(said).toContain(text);
  });
});
