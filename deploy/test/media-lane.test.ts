/** The lane of removable media, as `lightferry setup --media-lane` makes it: one station at each end, none out of the business network. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ZONES, type ZoneName, zonePaths } from "../src/layout.ts";
import { writeConfigs } from "../src/setup/configs.ts";
import type { Passwords } from "../src/setup/databases.ts";
import { DEFAULT_OPTIONS, mediaLaneOf, type ZoneOptions } from "../src/setup/zone-options.ts";

const PASSWORDS = new Proxy({}, { get: () => "secret" }) as Passwords;

let home: string;
beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), "lf-media-lane-"));
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

function configs(zone: ZoneName, options: Partial<ZoneOptions>): Record<string, unknown> {
  const { config } = zonePaths(home, zone);
  rmSync(config, { recursive: true, force: true });
  mkdirSync(config, { recursive: true });
  writeConfigs(home, zone, { ...DEFAULT_OPTIONS, ...options }, PASSWORDS);
  return Object.fromEntries(
    readdirSync(config)
      .filter((name) => name.startsWith("media"))
      .map((name) => [name, JSON.parse(readFileSync(join(config, name), "utf8"))]),
  );
}

describe("the lane of removable media", () => {
  const mediaLane = "by-usb:extranet";

  it("has its sending station where it begins, with the ferry's key", () => {
    const paths = zonePaths(home, "extranet");
    expect(configs("extranet", { mediaLane })).toEqual({
      "media-tx.json": expect.objectContaining({
        ...{ zone: "extranet", node: "node-extranet", service: "media-tx" },
        ...{ stateDir: join(paths.state, "media-tx"), outboxDir: paths.outbox },
        ferryKeysDir: join(paths.keys, "ferry"),
        unlockPath: join(paths.keys, "ferry.unlock"),
        tls: expect.objectContaining({ cert: join(paths.tls, "media-tx.pem") }),
      }),
    });
  });

  it("has its receiving station at the other end, with no key at all", () => {
    const made = configs("business", { mediaLane });
    expect(made).toEqual({
      "media-rx.json": expect.objectContaining({
        ...{ zone: "business", service: "media-rx", lane: "by-usb" },
        expectedSender: "node-extranet",
      }),
    });
    expect(JSON.stringify(made)).not.toMatch(/unlock|KeysDir/);
  });

  it("is not there without a wish", () => {
    for (const zone of ZONES) expect(configs(zone, { mediaLane: "" })).toEqual({});
  });

  it.each([
    ["lane", "config.invalid"],
    ["Lane:extranet", "config.invalid"],
    ["../x:extranet", "config.invalid"],
    ["lane:elsewhere", "config.invalid"],
    ["lane:business", "setup.media-lane-outbound"],
  ])("refuses %s: %s", (text, code) => {
    expect(() => mediaLaneOf(text)).toThrow(code);
  });
});
