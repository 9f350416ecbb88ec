/** Guarantee: commands find the zone they speak to, or say which zones there are. */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { GatewayError } from "../errors/index.ts";
import {
  readAddress,
  readConfigFile,
  readField,
  readObject,
  readOptionalString,
  readString,
  readTlsFiles,
} from "../service/index.ts";
import type { CliZoneConfig } from "./types.ts";

/** @throws GatewayError `cli.usage`, `config.invalid` */
export function readZoneConfig(home: string, wanted: string | undefined): CliZoneConfig {
  if (wanted !== undefined && !installedZones(home).includes(wanted))
    throw unknownZone(home, wanted);
  const raw = readConfigFile(configPath(home, wanted ?? onlyZone(home)));
  const peer = (name: string): Record<string, string> =>
    readField(raw, `peers.${name}`) === undefined
      ? {}
      : { [name]: readAddress(raw, `peers.${name}`) };
  const api = readOptionalString(raw, "api");
  const trustRootPath = readOptionalString(raw, "trustRootPath");
  const unlockDir = readOptionalString(raw, "unlockDir");
  const apiCa = readOptionalString(raw, "apiCa");
  const urls = readField(raw, "databaseUrls") === undefined ? {} : readObject(raw, "databaseUrls");
  return {
    zone: readString(raw, "zone"),
    node: readString(raw, "node"),
    tls: readTlsFiles(raw, "tls"),
    peers: { ...peer("policy"), ...peer("audit"), ...peer("frontProxy") },
    ...(api === undefined ? {} : { api }),
    ...(apiCa === undefined ? {} : { apiCa }),
    databaseUrls: Object.fromEntries(
      Object.keys(urls).map((name) => [name, readString(raw, `databaseUrls.${name}`)]),
    ),
    anchorPath: readString(raw, "anchorPath"),
    ...(trustRootPath === undefined ? {} : { trustRootPath }),
    ...(unlockDir === undefined ? {} : { unlockDir }),
  };
}

/** Zones installed in a home. */
export function installedZones(home: string): string[] {
  if (!existsSync(home)) return [];
  return readdirSync(home)
    .filter((name) => existsSync(configPath(home, name)))
    .sort();
}

function unknownZone(home: string, wanted: string): GatewayError {
  const zones = installedZones(home);
  const there =
    zones.length === 0
      ? `no zone is set up in ${home}; npm start, or lightferry setup`
      : zones.join(" | ");
  return new GatewayError("cli.usage", { detail: `--zone ${wanted}: ${there}` });
}

function onlyZone(home: string): string {
  const zones = installedZones(home);
  const [only] = zones;
  if (only === undefined) {
    throw new GatewayError("cli.usage", {
      detail: `no zone is set up in ${home}; npm start, or lightferry setup`,
    });
  }
  if (zones.length > 1) {
    throw new GatewayError("cli.usage", { detail: `--zone ${zones.join(" | ")}` });
  }
  return only;
}

function configPath(home: string, zone: string): string {
  return join(home, zone, "config", "cli.json");
}
