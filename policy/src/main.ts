/** Guarantee: the policy service of one zone, wired; nothing else happens here. */
import { asGatewayError, GatewayError } from "@lightferry/proto/errors";
import { PayloadVault } from "@lightferry/proto/keystore";
import { startRpcServer } from "@lightferry/proto/rpc";
import {
  activeKey,
  openRing,
  renewWithTrust,
  runService,
  type Shell,
  Troubles,
} from "@lightferry/proto/service";
import { readTrustRoot } from "@lightferry/proto/trust";
import { type PolicyConfig, parseConfig } from "./config.ts";
import { TakeUp } from "./keys/take-up.ts";
import { load } from "./load.ts";
import { QuotaBook } from "./quota/quota-book.ts";
import { toldQuota } from "./quota/told-quota.ts";
import { SealedAwayStore } from "./sealed-away/store.ts";
import type { Desk } from "./server/desk.ts";
import { ownReceipts } from "./server/own-receipts.ts";
import { policyBinding } from "./server/service.ts";
import { TrustKeeper } from "./trust/keeper.ts";
import { trustBinding } from "./trust/service.ts";
import { TrustWatch } from "./trust/watch.ts";

await runService<PolicyConfig>({ name: "policy", parse: parseConfig, start });

async function start(shell: Shell<PolicyConfig>): Promise<void> {
  const { config, provider, journal, log } = shell;
  const { policy, registry } = load(config, provider);
  const trust = await TrustKeeper.open({
    ...{ provider, journal, folder: config.trustDir, mode: config.mode, now: Date.now },
    root: readTrustRoot(config.trustRootPath),
  });
  const ring = shell.hsm?.signKeys ?? openRing(config, config.policyKeysDir, "policy-sign");
  shell.onClose(() => ring.close());
  const vault = PayloadVault.open(config.vaultPath, config.unlock);
  shell.onClose(() => vault.close());
  const book = new QuotaBook(config.databaseUrl);
  shell.onClose(() => book.close());
  const troubles = new Troubles(journal, (error) =>
    log.error({ code: asGatewayError(error).code }, "trouble could not be journalled"),
  );
  const quota = toldQuota(book, troubles);
  // The database may come up later; until then exports are refused, one by one, with the reason.
  book.prepare().catch((error: unknown) => {
    log.warn({ code: asGatewayError(error).code }, "the policy database is not ready yet");
  });
  const sealedAway = await SealedAwayStore.open(provider, vault, config.sealedAwayDir, {
    full: (usedBytes) => {
      const full = new GatewayError("policy.sealed-away-full", { detail: `${usedBytes} bytes` });
      void troubles.met("sealing away", full);
    },
    kept: () => void troubles.over("sealing away"),
  });
  const signer = (atMs: number) => activeKey(config, "policy", ring, trust.current(), atMs);
  const desk: Desk = {
    ...{ policy, provider, signer, quota, sealedAway, journal, now: Date.now },
    ownReceipts: ownReceipts({ policy, provider, trust: () => trust.current(), now: Date.now }),
  };
  const watch = new TrustWatch({
    ...{ zone: config.zone, registry: policy.registry, stateDir: config.stateDir, journal },
    ...{ store: () => trust.current(), now: Date.now },
    failed: (error) => log.error({ code: asGatewayError(error).code }, "trust alarm not written"),
  });
  shell.onClose(() => watch.close());
  if (config.keyActionsDir !== undefined) {
    const takeUp = new TakeUp({
      ...{ dir: config.keyActionsDir, stateDir: config.stateDir, journal },
      failed: (error) =>
        log.error({ code: asGatewayError(error).code }, "key operations not taken up yet"),
    });
    shell.onClose(() => takeUp.close());
    takeUp.start();
  }
  renewWithTrust(shell, trust, ring);
  trust.changed(() => void watch.look());
  const { pack } = policy;
  await journal.record([
    {
      type: "policy.loaded",
      outcome: "ok",
      policyVersion: pack.version,
      attributes: { registry: String(policy.registry.document.number), demo: String(pack.demo) },
    },
  ]);
  const server = await startRpcServer({
    listen: config.listen,
    tls: config.tls,
    zone: config.zone,
    services: [policyBinding(desk, registry), trustBinding(trust, Date.now)],
    log,
  });
  shell.onClose(() => server.close());
  watch.start();
  shell.ready({ port: server.port, policyVersion: pack.version });
}
