/**
 * Guarantee: the front-proxy of one zone; this file only puts its parts together.
 *
 *   database ─▶ registry, trust ─▶ sending side, receiving side ─▶ gRPC ─▶ API
 */
import { closeBundleWorkers, openBundleWorkers } from "@lightferry/proto/bundle";
import { PayloadVault } from "@lightferry/proto/keystore";
import { AuditService, createClient, PolicyService, startRpcServer } from "@lightferry/proto/rpc";
import {
  followZoneTrust,
  invalidField,
  requireUnlock,
  runService,
  type Shell,
} from "@lightferry/proto/service";
import { startAdmin } from "./admin/index.ts";
import { TokenDesk } from "./auth/desk.ts";
import type { FrontProxyConfig } from "./config.ts";
import { parseFrontProxyConfig } from "./config-parse.ts";
import { openDatabase } from "./database-start.ts";
import { startEgress } from "./egress/index.ts";
import { startApi } from "./http/server.ts";
import { startIngress } from "./ingress/index.ts";
import { openRegistry } from "./registry-source.ts";

async function start(shell: Shell<FrontProxyConfig>): Promise<void> {
  const { config, log } = shell;
  const { policy: policyAddress, audit: auditAddress } = config.peers;
  if (policyAddress === undefined) invalidField("peers.policy", "is needed");
  if (auditAddress === undefined) invalidField("peers.audit", "is needed");
  const { listen } = config;
  if (listen === undefined) invalidField("listen", "is needed");

  const vault = PayloadVault.open(config.vaultPath, requireUnlock(config));
  const connect = { tls: config.tls, zone: config.zone };
  const policy = createClient(PolicyService, {
    ...connect,
    address: policyAddress,
    peer: "policy",
  });
  const audit = createClient(AuditService, { ...connect, address: auditAddress, peer: "audit" });
  shell.onClose(() => {
    policy.close();
    audit.close();
    vault.close();
  });
  const pool = await openDatabase(shell, config.databaseUrl);
  const registry = (await openRegistry(shell, policy)).current;
  const { source: trust, service: trustService } = await followZoneTrust(shell, policyAddress);
  const tokens = new TokenDesk({ shell, config, pool, registry });
  shell.onClose(() => tokens.check.close());

  const keys = { registry, trust, trustService, vault };
  const context = { shell, config, pool, ...keys, policy, audit, tokens };
  await openBundleWorkers();
  shell.onClose(closeBundleWorkers);
  const egress = await startEgress(context);
  const ingress = await startIngress(context);
  const services = [
    ...egress.desk.bindings,
    ...ingress.bindings,
    ...startAdmin(context, egress.desk, ingress, egress.receipts),
  ];
  const rpc = await startRpcServer({ ...connect, listen, services, log });
  shell.onClose(() => rpc.close());
  const api = await startApi(context, { ...egress, egress: egress.desk, ingress });
  shell.onClose(() => api.close());
  shell.ready({ api: `https://${api.host}:${api.port}`, grpc: rpc.port });
}

await runService({ name: "front-proxy", parse: parseFrontProxyConfig, start });
