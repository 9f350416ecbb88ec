/** Guarantee: the receiving program reads settings, wires the parts and does nothing else. */
import { createClient, InboxService } from "@lightferry/proto/rpc";
import { runService } from "@lightferry/proto/service";
import { openReceiver } from "./gate/open.ts";
import { localMtu } from "./gate/proc-net.ts";
import { showMetrics } from "./metrics/index.ts";
import { requirePeer } from "./peers.ts";
import { readRxConfig } from "./rx/config.ts";
import { hashThread } from "./rx/hash-thread.ts";
import { Station } from "./rx/station.ts";
import { StatusFile } from "./status.ts";
import { followLink } from "./trust.ts";

await runService({
  name: "ferry-rx",
  parse: readRxConfig,
  start: async (shell) => {
    const { config, log, provider, journal, onClose } = shell;
    const { tls, zone } = config;
    const { frameSize, groupShards, parityShards } = config.gate;
    const told = { frameSize, groupShards, parityShards };
    const { trust, keys } = await followLink(shell);
    const inbox = createClient(InboxService, {
      address: requirePeer(config, "frontProxy"),
      tls,
      zone,
      peer: "front-proxy",
    });
    onClose(() => inbox.close());
    // It starts while the gate opens: the first long bundle must not wait for it.
    hashThread(provider);
    const gate = await openReceiver(config.gate, config.gate.receiveBufferBytes, {
      mode: config.mode,
      socket: config.gate.socket,
      warn: (reason) => log.warn({ reason }, "gate"),
      failed: shell.fail,
    });
    const station = await Station.start({
      lane: config.lane,
      expectedSender: config.expectedSender,
      arrivalsDir: config.arrivalsDir,
      stateDir: config.stateDir,
      gate,
      provider,
      keys: () => keys.keys,
      inbox,
      events: journal,
      log,
      expected: { ...told, mtu: localMtu(config.gate.host) },
      alarmLimits: config.alarms,
    });
    onClose(() => station.close());
    trust.changed(() => station.trustChanged());
    const status = new StatusFile(config.stateDir, () => station.status());
    status.start();
    onClose(() => status.close());
    const metrics = await showMetrics(shell, () => status.picture());
    shell.ready({ driver: gate.driver, locked: gate.locked, port: gate.port, metrics });
  },
});
