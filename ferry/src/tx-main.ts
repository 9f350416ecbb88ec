/** Guarantee: the sending program reads settings, wires the parts and does nothing else. */
import { createClient, OutboxService } from "@lightferry/proto/rpc";
import {
  activeKey,
  openRing,
  renewWithTrust,
  runService,
  type Shell,
} from "@lightferry/proto/service";
import {
  type DirectoryTxConfig,
  isDirectoryDriver,
  readDirectoryTxConfig,
} from "./directory/settings.ts";
import { startDirectorySender } from "./directory/tx/program.ts";
import { openSender } from "./gate/open.ts";
import { showMetrics } from "./metrics/index.ts";
import { requirePeer } from "./peers.ts";
import type { LinkSigner } from "./signed.ts";
import { StatusFile } from "./status.ts";
import { followLink } from "./trust.ts";
import { readTxConfig, type TxConfig } from "./tx/config.ts";
import { Sender, type SenderLink } from "./tx/sender.ts";

await runService<TxConfig | DirectoryTxConfig>({
  name: "ferry-tx",
  parse: (raw) => (isDirectoryDriver(raw) ? readDirectoryTxConfig(raw) : readTxConfig(raw)),
  start: async (any) => {
    if (any.config.gate.driver === "directory") {
      return await startDirectorySender(any as Shell<DirectoryTxConfig>);
    }
    const shell = any as Shell<TxConfig>;
    const { config, log, provider, journal, onClose } = shell;
    const { gate: told, tls, zone } = config;
    const ring = shell.hsm?.signKeys ?? openRing(config, config.ferryKeysDir, "ferry-sign");
    onClose(() => ring.close());
    const { trust, keys } = await followLink(shell);
    renewWithTrust(shell, trust, ring);
    const signer: LinkSigner = {
      provider,
      active: () => activeKey(config, "ferry", ring, trust.current(), Date.now()),
      chain: (keyId) => trust.current().chain(keyId),
    };
    const outbox = createClient(OutboxService, {
      address: requirePeer(config, "frontProxy"),
      tls,
      zone,
      peer: "front-proxy",
    });
    onClose(() => outbox.close());
    const links: SenderLink[] = [];
    for (const { number, rateBytesPerSecond, socket, ...address } of config.links) {
      const gate = await openSender(address, told.frameSize, rateBytesPerSecond, {
        ...{ mode: config.mode, socket, failed: shell.fail },
        warn: (reason) => log.warn({ reason, link: number }, "gate"),
      });
      links.push({ number, rateBytesPerSecond, gate });
    }
    const sender = await Sender.start({
      node: config.node,
      lanes: config.lanes,
      links,
      stateDir: config.stateDir,
      frameSize: told.frameSize,
      code: told.code,
      secondPassMs: told.secondPassSeconds * 1000,
      passes: told.passes,
      inventory: config.inventory,
      receiverOf: (lane) => keys.receiverOf(lane),
      signer,
      keys: () => keys.keys,
      outbox,
      events: journal,
      log,
      failed: shell.fail,
    });
    onClose(() => sender.close());
    const status = new StatusFile(config.stateDir, () => sender.status());
    status.start();
    onClose(() => status.close());
    const metrics = await showMetrics(shell, () => status.picture());
    const opened = links.map(({ number, gate: { driver, locked } }) => {
      return { link: number, driver, locked };
    });
    shell.ready({ ...opened[0], links: opened, epoch: sender.epoch, metrics });
  },
});
