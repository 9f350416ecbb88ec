/** Guarantee: `lightferry ferry profile` judges a profile of an appliance exactly as ferry-tx does at its start; it reads that file alone and changes nothing. */
import { type CliVerb, EXIT, readUpTo } from "@lightferry/proto/cli";
import { GatewayError } from "@lightferry/proto/errors";
import { capacityOf } from "../src/directory/capacity.ts";
import { partBytesOf, readProfile } from "../src/directory/profile.ts";

/** A profile has thirteen settings. */
const MAX_PROFILE_BYTES = 65_536;
const DAY_SECONDS = 86_400;

function parsed(path: string): unknown {
  const bytes = readUpTo(path, MAX_PROFILE_BYTES);
  try {
    return JSON.parse(Buffer.from(bytes).toString("utf8"));
  } catch (cause) {
    throw new GatewayError("config.invalid", { detail: `${path}: JSON`, cause });
  }
}

export const profileVerb: CliVerb = {
  name: "profile",
  summary: {
    zh: "检查文件夹摆渡设备的限制文件，并计算该通道能传多少",
    en: "judge a profile of an appliance that ferries a folder, and reckon what its lane can carry",
  },
  usage: "FILE",
  args: [
    {
      name: "FILE",
      summary: {
        zh: "JSON，各项见 ferry/DIRECTORY.md §1",
        en: "JSON with the settings of ferry/DIRECTORY.md §1",
      },
    },
  ],
  examples: [
    {
      command: "ferry profile appliance.json",
      summary: { zh: "写入配置之前先检查", en: "before it goes into the settings" },
    },
  ],
  async run(context, input) {
    const [path = ""] = input.positionals;
    const profile = readProfile({ profile: parsed(path) }, "profile");
    const capacity = capacityOf(profile);
    context.emitJson({ profile, partBytes: partBytesOf(profile), ...capacity });
    const rows = Object.entries(profile).map(([name, value]) => ({ name, value: String(value) }));
    context.table(rows, [
      { title: { zh: "设置", en: "setting" }, value: "name" },
      { title: { zh: "值", en: "value" }, value: "value" },
    ]);
    const { bytesPerSecond } = capacity;
    const daily = ((bytesPerSecond ?? 0) * DAY_SECONDS) / 1e9;
    context.out(
      context.say(
        bytesPerSecond === undefined
          ? {
              zh: "未设速率上限：能传多少取决于投递处与设备",
              en: "no cap: what the lane carries is for target and appliance to decide",
            }
          : {
              zh: `数据包每秒 ${bytesPerSecond} 字节，每日 ${daily.toFixed(1)} GB`,
              en: `${bytesPerSecond} bytes of bundles a second, ${daily.toFixed(1)} GB a day`,
            },
      ),
    );
    return EXIT.done;
  },
};
