/**
 * Guarantee: prepares one zone of a production installation: folders, settings,
 * vaults and the CA of its services' connections. It makes no key that is
 * certified, signs nothing, and touches nothing that is there.
 */
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import {
  type CliContext,
  type CliInput,
  type CliNoun,
  EXIT,
  type ExitCode,
} from "@lightferry/proto/cli";
import { GatewayError } from "@lightferry/proto/errors";
import { createSecretFile } from "@lightferry/proto/keystore";
import {
  DEFAULT_PORT_BASE,
  nodeIdOf,
  PORT_SPAN,
  ZONES,
  type ZoneName,
  zonePaths,
} from "../src/layout.ts";
import { REPOSITORY } from "../src/repository.ts";
import { SEAL_VAULT, writeConfigs } from "../src/setup/configs.ts";
import { zonePasswords } from "../src/setup/databases.ts";
import { prepareZone } from "../src/setup/introduction.ts";
import { checkReceiptLane } from "../src/setup/receipt-lane.ts";
import { type SystemdFile, systemdFiles, writeSystemd } from "../src/setup/systemd/write.ts";
import {
  DEFAULT_OPTIONS,
  mediaLaneOf,
  unlockDirOf,
  writeZoneOptions,
  type ZoneOptions,
} from "../src/setup/zone-options.ts";
import { DIRECTORY_OPTIONS, directoryOf } from "./setup-directory.ts";
import { RECEIPT_OPTIONS, receiptLaneOf } from "./setup-receipts.ts";

const FIRST_PORT = 1024;
const LAST_PORT = 65_535;
/** Where systemd itself looks for encrypted credentials. */
const CREDENTIALS = "/etc/credstore.encrypted";

async function setup(context: CliContext, input: CliInput): Promise<ExitCode> {
  const zone = ZONES.find((name) => name === context.zone);
  if (zone === undefined)
    throw new GatewayError("cli.usage", { detail: `--zone ${ZONES.join(" | ")}` });
  const paths = zonePaths(context.home, zone);
  const settings = join(paths.root, "zone.json");
  if (existsSync(settings)) throw new GatewayError("cli.usage", { detail: `${settings} exists` });
  const unlockDir = input.text("unlock-dir");
  const systemd = input.text("systemd");
  const limits = { min: FIRST_PORT, max: LAST_PORT - PORT_SPAN };
  const options: ZoneOptions = {
    ...DEFAULT_OPTIONS,
    mode: "production",
    portBase: input.integer("port-base", limits) ?? DEFAULT_PORT_BASE,
    gateHost: input.text("gate-host") ?? DEFAULT_OPTIONS.gateHost,
    gateTags: input.flag("gate-tags"),
    unlockDir: unlockDir === undefined ? "" : resolve(unlockDir),
    unlockByCredential: systemd !== undefined,
    mediaLane: input.text("media-lane") ?? "",
    ferryDirectory: directoryOf(zone, input),
    receiptLane: receiptLaneOf(zone, input),
  };
  // Before anything is made.
  mediaLaneOf(options.mediaLane);
  checkReceiptLane(options);
  const units = systemd === undefined ? [] : unitsOf(context, zone, options);
  const hosts = input.text("host");
  await prepareZone(zone, paths, unlockDirOf(paths, options), hosts === undefined ? [] : [hosts]);
  writeConfigs(context.home, zone, options, zonePasswords(paths));
  if (systemd !== undefined) {
    separateSealVault(unlockDirOf(paths, options));
    writeSystemd(resolve(systemd), units);
  }
  // Last: a set-up that was cut off is not taken for a whole one.
  writeZoneOptions(paths.root, options);
  context.emitJson({ zone, node: nodeIdOf(zone), folder: paths.root, settings });
  context.out(
    context.say({
      zh: `${zone} 已准备于 ${paths.root}（生产模式，节点 ${nodeIdOf(zone)}）。`,
      en: `${zone} is prepared in ${paths.root} (production mode, node ${nodeIdOf(zone)}).`,
    }),
  );
  context.out(
    context.say({
      zh: `下一步：keys init --role node；把 registry.json、registry.sig、pack.yaml、pack.sig、anchor.json 放入 ${paths.registry}；启动；keys import（见 deploy/README.md）`,
      en: `Next: keys init --role node; put registry.json, registry.sig, pack.yaml, pack.sig, anchor.json into ${paths.registry}; start; keys import (see deploy/README.md)`,
    }),
  );
  if (systemd !== undefined) {
    context.out(
      context.say({
        zh: `systemd 单元写入 ${resolve(systemd)}，安装步骤见 deploy/systemd/README.md`,
        en: `systemd units are in ${resolve(systemd)}; how to install them: deploy/systemd/README.md`,
      }),
    );
  }
  return EXIT.done;
}

/** Before anything is made: a path that no unit can name is said at once. */
function unitsOf(context: CliContext, zone: ZoneName, options: ZoneOptions): SystemdFile[] {
  const paths = zonePaths(context.home, zone);
  return systemdFiles({
    ...{ zone, paths, home: resolve(context.home), unlockDir: unlockDirOf(paths, options) },
    ...{ node: process.execPath, program: REPOSITORY, credentials: CREDENTIALS },
    lanes: options,
  });
}

/** Services of different users: each has the spool's key in a file of its own. */
function separateSealVault(unlockDir: string): void {
  const path = join(unlockDir, SEAL_VAULT);
  if (existsSync(path)) return;
  const bytes = readFileSync(join(unlockDir, "spool.vault"));
  try {
    createSecretFile(path, bytes);
  } finally {
    bytes.fill(0);
  }
}

export const noun: CliNoun = {
  name: "setup",
  summary: { zh: "准备生产环境的一个网络", en: "prepare one zone of a production installation" },
  verbs: [
    {
      name: "",
      summary: {
        zh: "准备生产环境的一个网络：目录、设置、服务间证书；不产生节点密钥",
        en: "prepare one zone for production: folders, settings, certificates between services; no node keys",
      },
      usage:
        "--zone ZONE [--port-base N] [--gate-host ADDRESS [--gate-tags] | --directory-lane LANE …] [--media-lane LANE:FROM] [--receipt-lane LANE …] [--unlock-dir DIR] [--systemd DIR]",
      args: [],
      options: {
        "port-base": {
          type: "string",
          value: "N",
          summary: {
            zh: `端口起点，默认 ${DEFAULT_PORT_BASE}`,
            en: `first port, ${DEFAULT_PORT_BASE} by default`,
          },
        },
        "gate-host": {
          type: "string",
          value: "ADDRESS",
          summary: {
            zh: "光闸接收端地址；发送端与接收端两侧相同",
            en: "address of the gate's receiving end, the same on both sides",
          },
        },
        "gate-tags": {
          type: "boolean",
          summary: {
            zh: "光闸两端以标签代替逐块杂凑校验大文件（ferry/README.md“标签”），两侧相同；链路快于接收端杂凑速度时使用",
            en: "the gate's ends check large files by tags in place of hashing each chunk (ferry/README.md, Tags), the same on both sides; for links faster than the receiver hashes",
          },
        },
        "media-lane": {
          type: "string",
          value: "LANE:FROM",
          summary: {
            zh: "由移动介质承运的通道及其出发网络，两侧相同，如 inbound-media:extranet",
            en: "the lane that removable media carry and the zone it begins in, the same on both sides, e.g. inbound-media:extranet",
          },
        },
        ...DIRECTORY_OPTIONS,
        ...RECEIPT_OPTIONS,
        "unlock-dir": {
          type: "string",
          value: "DIR",
          summary: {
            zh: "解锁文件与内容密钥所在的另一介质",
            en: "another medium, for unlock files and the keys of content",
          },
        },
        systemd: {
          type: "string",
          value: "DIR",
          summary: {
            zh: "把 systemd 单元写入此目录：每个服务一个用户，解锁密钥为加密凭据",
            en: "write systemd units into this folder: a user for each service, unlock secrets as encrypted credentials",
          },
        },
        host: {
          type: "string",
          value: "NAME",
          summary: {
            zh: "接口证书另含的主机名或地址",
            en: "further name or address for the certificate of the API",
          },
        },
      },
      examples: [
        {
          command: "setup --zone extranet --gate-host 192.0.2.10 --unlock-dir /media/unlock",
          summary: { zh: "外网侧", en: "the extranet side" },
        },
        {
          command:
            "setup --zone extranet --directory-lane inbound --directory-drop /srv/appliance/in",
          summary: {
            zh: "外网侧，由摆渡文件夹的设备代替光闸",
            en: "the extranet side, with an appliance that ferries a folder in place of the gate",
          },
        },
        {
          command:
            "setup --zone business --directory-lane inbound --directory-pick-up /srv/appliance/out",
          summary: { zh: "业务网侧", en: "the business side of it" },
        },
        {
          command:
            "setup --zone extranet --gate-host 192.0.2.10 --receipt-lane return --receipt-gate 198.51.100.10",
          summary: {
            zh: "另有一个反向光闸只走回执",
            en: "with a second gate, the other way, for receipts alone",
          },
        },
      ],
      run: setup,
    },
  ],
};
