/** Guarantee: the receiving program reads settings, wires the parts and does nothing else. */
import { runService, type Shell } from "@lightferry/proto/service";
import { startDirectoryStation } from "./directory/rx/program.ts";
import {
  type DirectoryRxConfig,
  isDirectoryDriver,
  readDirectoryRxConfig,
} from "./directory/settings.ts";
import { openReceiver } from "./gate/open.ts";
import { localMtu } from "./gate/proc-net.ts";
import { type RxConfig, readRxConfig } from "./rx/config.ts";
import { hashThread } from "./rx/hash-thread.ts";
import { Station, type StationLink } from "./rx/station.ts";
import { followLink } from "./trust.ts";
import { openInbox, showProgram } from "./wiring.ts";

await runService<RxConfig | DirectoryRxConfig>({
  name: "ferry-rx",
  parse: (raw) => (isDirectoryDriver(raw) ? readDirectoryRxConfig(raw) : readRxConfig(raw)),
  start: async (any) => {
    if (any.config.gate.driver === "directory") {
      return await startDirectoryStation(any as Shell<DirectoryRxConfig>);
    }
    const shell = any as Shell<RxConfig>;
    const { config, log, provider, journal, onClose } = shell;
    const { groupShards, parityShards } = config.gate;
    const { trust, keys } = await followLink(shell, {
      driver: "udp",
      lanes: config.lanes.map(({ name }) => name),
    });
    const lanes = config.lanes.map(({ frontProxy: address, ...lane }) => {
      return { ...lane, inbox: openInbox(shell, address) };
    });
    // It starts while the gates open: the first long bundle must not wait for it.
    hashThread(provider);
    const links: StationLink[] = [];
    for (const link of config.links) {
      const { number, expectedSender, receiveBufferBytes, frameSize, socket, ...address } = link;
      const gate = await openReceiver(address, receiveBufferBytes, {
        ...{ mode: config.mode, socket, failed: shell.fail },
        warn: (reason) => log.warn({ reason, link: number }, "gate"),
      });
      const mtu = localMtu(address.host);
      const expected = { frameSize, groupShards, parityShards, mtu };
      links.push({ number, expectedSender, gate, expected });
    }
    const station = await Station.start({
      ...{ lanes, links, provider, log, tags: config.gate.tags },
      stateDir: config.stateDir,
      keys: () => keys.keys,
      events: journal,
      alarmLimits: config.alarms,
      roomLimits: config.space,
    });
    onClose(() => station.close());
    trust.changed(() => station.trustChanged());
    const metrics = await showProgram(shell, () => station.status());
    const opened = links.map(({ number, gate: { driver, locked, port } }) => {
      return { link: number, driver, locked, port };
    });
    shell.ready({ ...opened[0], links: opened, metrics });
  },
});
