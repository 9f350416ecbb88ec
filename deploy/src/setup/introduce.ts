/**
 * Guarantee: run as a zone's own user, makes that zone's folders and keys and
 * prints its introduction; nothing private is printed.
 *
 * Usage: node deploy/src/setup/introduce.ts --home DIR --zone NAME [--options JSON]
 */
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { zonePaths } from "../layout.ts";
import { introduceZone } from "./introduction.ts";
import { DEFAULT_OPTIONS, writeZoneOptions, type ZoneOptions, zoneName } from "./zone-options.ts";

const { values } = parseArgs({
  options: {
    home: { type: "string", default: ".lightferry" },
    zone: { type: "string", default: "" },
    options: { type: "string", default: "{}" },
  },
});
const home = resolve(values.home);
const zone = zoneName(values.zone);
const introduction = await introduceZone(home, zone, { demo: true });
const chosen = JSON.parse(values.options) as Partial<ZoneOptions>;
writeZoneOptions(zonePaths(home, zone).root, { ...DEFAULT_OPTIONS, ...chosen });
process.stdout.write(`${JSON.stringify(introduction)}\n`);
