/** Guarantee: the sending program reads settings, wires the parts and does nothing else. */
import { GatewayError } from "@lightferry/proto/errors";
import { loadKeyFile } from "@lightferry/proto/keystore";
import { fetchRegistry } from "@lightferry/proto/registry";
import { createClient, OutboxService, PolicyService } from "@lightferry/proto/rpc";
import { runService } from "@lightferry/proto/service";
import { openSender } from "./gate/open.ts";
import { RegistryKeys } from "./keys.ts";
import { requirePeer } from "./peers.ts";
import { StatusFile } from "./status.ts";
import { readTxConfig } from "./tx/config.ts";
import { Sender } from "./tx/sender.ts";

await runService({
  name: "ferry-tx",
  parse: readTxConfig,
  start: async (shell) => {
    const { config, log, provider, journal, onClose, closing } = shell;
    const { gate: link, tls, zone } = config;
    const ferryKey = loadKeyFile(config.ferryKeyPath, config.unlockPath, "ferry-sign");
    onClose(() => ferryKey.key.destroy());
    if (ferryKey.demo && config.mode === "production") {
      throw new GatewayError("registry.demo-in-production", { detail: config.ferryKeyPath });
    }
    const policy = createClient(PolicyService, {
      address: requirePeer(config, "policy"),
      tls,
      zone,
      peer: "policy",
    });
    onClose(() => policy.close());
    const fetch = () => fetchRegistry(policy, provider, config, closing);
    const keys = new RegistryKeys(await fetch(), fetch, (error) =>
      log.warn({ err: error }, "registry not refreshed"),
    );
    onClose(() => keys.close());
    const outbox = createClient(OutboxService, {
      address: requirePeer(config, "frontProxy"),
      tls,
      zone,
      peer: "front-proxy",
    });
    onClose(() => outbox.close());
    const gate = await openSender(link, link.frameSize, link.rateBytesPerSecond, {
      mode: config.mode,
      socket: link.socket,
      warn: (reason) => log.warn({ reason }, "gate"),
      failed: shell.fail,
    });
    const sender = await Sender.start({
      node: config.node,
      lane: config.lane,
      outboxDir: config.outboxDir,
      stateDir: config.stateDir,
      frameSize: link.frameSize,
      secondPassMs: link.secondPassSeconds * 1000,
      gate,
      signer: { provider, key: ferryKey.key, keyId: ferryKey.keyId },
      keys: () => keys.keys,
      outbox,
      events: journal,
      log,
    });
    onClose(() => sender.close());
    const status = new StatusFile(config.stateDir, () => sender.status());
    status.start();
    onClose(() => status.close());
    shell.ready({ driver: gate.driver, locked: gate.locked, epoch: sender.epoch });
  },
});
