/** Guarantee: the policy service of one zone, wired; nothing else happens here. */
import { asGatewayError } from "@lightferry/proto/errors";
import { PayloadVault } from "@lightferry/proto/keystore";
import { startRpcServer } from "@lightferry/proto/rpc";
import { runService, type Shell, Troubles } from "@lightferry/proto/service";
import { type PolicyConfig, parseConfig } from "./config.ts";
import { load } from "./load.ts";
import { QuotaBook } from "./quota/quota-book.ts";
import { toldQuota } from "./quota/told-quota.ts";
import { SealedAwayStore } from "./sealed-away/store.ts";
import type { Desk } from "./server/desk.ts";
import { policyBinding } from "./server/service.ts";

await runService<PolicyConfig>({ name: "policy", parse: parseConfig, start });

async function start(shell: Shell<PolicyConfig>): Promise<void> {
  const { config, provider, journal, log } = shell;
  const { policy, registry, signer } = load(config, provider);
  shell.onClose(() => signer.key.destroy());
  const vault = PayloadVault.open(config.vaultPath, config.unlockPath);
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
  const sealedAway = await SealedAwayStore.open(provider, vault, config.sealedAwayDir);
  const desk: Desk = { policy, provider, signer, quota, sealedAway, journal, now: Date.now };
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
    services: [policyBinding(desk, registry)],
    log,
  });
  shell.onClose(() => server.close());
  shell.ready({ port: server.port, policyVersion: pack.version });
}
