/** Guarantee: an appliance stands in place of the gate where the words of `setup` say so, and never beside it. */
import type { CliInput } from "@lightferry/proto/cli";
import type { ZoneName } from "../src/layout.ts";
import type { FerryDirectory } from "../src/setup/directory-lane.ts";
import {
  applianceEnd,
  applianceOptions,
  misused,
  type Options,
  wanted,
} from "./setup-appliance.ts";

const DIRECTORY = { prefix: "directory", from: "extranet" } as const;

export const DIRECTORY_OPTIONS: Options = {
  "directory-lane": {
    type: "string",
    value: "LANE",
    summary: {
      zh: "由摆渡文件夹的设备代替光闸承运的通道，两侧相同（ferry/DIRECTORY.md）",
      en: "the lane that an appliance which ferries a folder carries in place of the gate, the same on both sides (ferry/DIRECTORY.md)",
    },
  },
  ...applianceOptions(DIRECTORY.prefix, DIRECTORY.from),
};

/** @throws GatewayError `cli.usage` for words that are missing, of the other zone, or of the gate */
export function directoryOf(zone: ZoneName, input: CliInput): FerryDirectory {
  const said = Object.keys(DIRECTORY_OPTIONS).some((name) => input.text(name) !== undefined);
  if (!said) return {};
  const lane = wanted(input, "directory-lane");
  if (input.text("gate-host") !== undefined) misused("gate-host", "--directory-lane");
  if (input.flag("gate-tags")) misused("gate-tags", "--directory-lane");
  return { lane, ...applianceEnd(zone, DIRECTORY, input) };
}
