/** Guarantee: what systemd needs for a zone is written into one folder, with the zone's real paths, over nothing that is there. */
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { GatewayError } from "@lightferry/proto/errors";
import {
  applianceFolders,
  applianceSecrets,
  sysctl,
  sysusers,
  tmpfiles,
  unitServices,
} from "./access.ts";
import { targetName, targetText, type UnitPlaces, unitName, unitText } from "./units.ts";

/** Spaces, quotes, % and $ have meanings of their own in a unit. */
const PLAIN = /^\/[A-Za-z0-9/._@+-]*$/;

export interface SystemdFile {
  readonly name: string;
  readonly text: string;
}

/** @throws GatewayError `cli.usage` for a path that a unit cannot name plainly */
export function systemdFiles(places: UnitPlaces): SystemdFile[] {
  const { zone, home, paths, unlockDir, node, program, credentials, lanes } = places;
  const services = unitServices(zone, lanes);
  const appliance = services.flatMap((service) => [
    ...applianceFolders(zone, lanes, service),
    ...applianceSecrets(zone, lanes, service),
  ]);
  for (const path of [home, paths.root, unlockDir, node, program, credentials, ...appliance]) {
    if (!PLAIN.test(path)) {
      throw new GatewayError("cli.usage", {
        detail: `--systemd: ${path}: letters, digits, /._@+-`,
      });
    }
  }
  return [
    ...services.map((service) => ({
      name: unitName(zone, service),
      text: unitText(places, service),
    })),
    { name: targetName(zone), text: targetText(zone, lanes) },
    { name: `lightferry-${zone}.sysusers.conf`, text: sysusers(zone, lanes) },
    {
      name: `lightferry-${zone}.tmpfiles.conf`,
      text: tmpfiles(zone, home, paths, unlockDir, lanes),
    },
    { name: `lightferry-${zone}.sysctl.conf`, text: sysctl(zone, lanes) },
  ].filter(({ text }) => text !== "");
}

/** @throws GatewayError `cli.usage` when one of them exists: nothing is written then */
export function writeSystemd(dir: string, files: readonly SystemdFile[]): string[] {
  const found = files.map(({ name }) => join(dir, name));
  const there = found.find((path) => existsSync(path));
  if (there !== undefined) throw new GatewayError("cli.usage", { detail: `${there} exists` });
  mkdirSync(dir, { recursive: true });
  for (const { name, text } of files) {
    writeFileSync(join(dir, name), text, { flag: "wx", mode: 0o644 });
  }
  return found;
}
