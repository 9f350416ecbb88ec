/** Guarantee: the sending program reads settings, wires the parts and does nothing else. */
import { runService, type Shell } from "@lightferry/proto/service";
import {
  type DirectoryTxConfig,
  isDirectoryDriver,
  readDirectoryTxConfig,
} from "./directory/settings.ts";
import { startDirectorySender } from "./directory/tx/program.ts";
import { openSender } from "./gate/open.ts";
import { readTxConfig, type TxConfig } from "./tx/config.ts";
import { Sender, type SenderLink } from "./tx/sender.ts";
import { showProgram, wireSending } from "./wiring.ts";

await runService<TxConfig | DirectoryTxConfig>({
  name: "ferry-tx",
  parse: (raw) => (isDirectoryDriver(raw) ? readDirectoryTxConfig(raw) : readTxConfig(raw)),
  start: async (any) => {
    if (any.config.gate.driver === "directory") {
      return await startDirectorySender(any as Shell<DirectoryTxConfig>);
    }
    const shell = any as Shell<TxConfig>;
    const { config, log, journal, onClose } = shell;
    const { gate: told } = config;
    const { keys, signer, outbox } = await wireSending(shell, {
      driver: told.driver,
      lanes: config.lanes.map(({ name }) => name),
    });
    const links: SenderLink[] = [];
    for (const { number, rateBytesPerSecond, frameSize, socket, ...address } of config.links) {
      const gate = await openSender(address, frameSize, rateBytesPerSecond, {
        ...{ mode: config.mode, socket, failed: shell.fail },
        warn: (reason) => log.warn({ reason, link: number }, "gate"),
      });
      links.push({ number, rateBytesPerSecond, frameSize, gate });
    }
    const sender = await Sender.start({
      node: config.node,
      lanes: config.lanes,
      links,
      stateDir: config.stateDir,
      code: told.code,
      secondPassMs: told.secondPassSeconds * 1000,
      ...{ passes: told.passes, tags: told.tags },
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
    const metrics = await showProgram(shell, () => sender.status());
    const opened = links.map(({ number, gate: { driver, locked } }) => {
      return { link: number, driver, locked };
    });
    shell.ready({ ...opened[0], links: opened, epoch: sender.epoch, metrics });
  },
});
