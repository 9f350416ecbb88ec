/** Guarantee: the sending program reads settings, wires the parts and does nothing else. */
import { asGatewayError } from "@lightferry/proto/errors";
import { KeyRing } from "@lightferry/proto/keystore";
import { createClient, OutboxService } from "@lightferry/proto/rpc";
import { invalidField, requireUnlock, runService } from "@lightferry/proto/service";
import { openSender } from "./gate/open.ts";
import { activeFerryKey } from "./keys.ts";
import { requirePeer } from "./peers.ts";
import type { LinkSigner } from "./signed.ts";
import { StatusFile } from "./status.ts";
import { followLink } from "./trust.ts";
import { readTxConfig } from "./tx/config.ts";
import { Sender } from "./tx/sender.ts";

await runService({
  name: "ferry-tx",
  parse: readTxConfig,
  start: async (shell) => {
    const { config, log, provider, journal, onClose } = shell;
    const { gate: link, tls, zone } = config;
    const { mode } = config;
    const ring =
      shell.hsm?.signKeys ??
      KeyRing.open({
        ...{ dir: config.ferryKeysDir ?? invalidField("ferryKeysDir", "is needed"), mode },
        ...{ unlock: requireUnlock(config), use: "ferry-sign" },
      });
    onClose(() => ring.close());
    const { trust, keys } = await followLink(shell);
    trust.changed(() => {
      // A certificate comes after its key was made: the ring may hold a new one now.
      try {
        ring.refresh();
      } catch (error) {
        log.error({ code: asGatewayError(error).code }, "a ferry key cannot be used");
      }
    });
    const signer: LinkSigner = {
      provider,
      active: () => activeFerryKey(config, ring, trust.current()),
      chain: (keyId) => trust.current().chain(keyId),
    };
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
      signer,
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
