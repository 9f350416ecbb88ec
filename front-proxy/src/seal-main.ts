/**
 * Guarantee: the seal program of one node: sole holder of its signing keys, no
 * listener; it pulls what is permitted and leaves sealed bundles in the outbox.
 */
import { randomBytes } from "node:crypto";
import { readdir, rm } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { closeBundleWorkers, openBundleWorkers } from "@lightferry/proto/bundle";
import { PayloadVault } from "@lightferry/proto/keystore";
import { PRIORITIES } from "@lightferry/proto/registry";
import { createClient, PolicyService, SealQueueService } from "@lightferry/proto/rpc";
import {
  followZoneTrust,
  invalidField,
  openRing,
  renewWithTrust,
  requireUnlock,
  runService,
  type Shell,
} from "@lightferry/proto/service";
import { openRegistry } from "./registry-source.ts";
import { Announcements } from "./seal/announcements.ts";
import { parseSealConfig, type SealConfig } from "./seal/config.ts";
import { signReceiptsForever } from "./seal/receipts.ts";
import { DRAFT_ENDING } from "./seal/seal-lease.ts";
import { sealForever } from "./seal/worker.ts";

async function start(shell: Shell<SealConfig>): Promise<void> {
  const { config } = shell;
  const { policy: policyAddress, frontProxy: queueAddress } = config.peers;
  if (policyAddress === undefined) invalidField("peers.policy", "is needed");
  if (queueAddress === undefined) invalidField("peers.frontProxy", "is needed");

  const ring = shell.hsm?.signKeys ?? openRing(config, config.signKeysDir, "node-sign");
  const vault = PayloadVault.open(config.vaultPath, requireUnlock(config));
  shell.onClose(() => {
    ring.close();
    vault.close();
  });
  const connect = { tls: config.tls, zone: config.zone };
  const policy = createClient(PolicyService, {
    ...connect,
    address: policyAddress,
    peer: "policy",
  });
  const queue = createClient(SealQueueService, {
    ...connect,
    address: queueAddress,
    peer: "front-proxy",
  });
  shell.onClose(() => {
    policy.close();
    queue.close();
  });
  const registry = (await openRegistry(shell, policy)).current;
  const trust = (await followZoneTrust(shell, policyAddress)).source;
  renewWithTrust(shell, trust, ring);
  await removeDrafts(config.outboxDir);
  await openBundleWorkers();
  shell.onClose(closeBundleWorkers);

  const name = `seal@${hostname()}/${randomBytes(6).toString("hex")}`;
  const tools = {
    shell,
    vault,
    registry,
    trust: () => trust.current(),
    ring,
    announcements: new Announcements(config.zone),
    now: Date.now,
  };
  const worker = { tools, queue, name };
  const loops = [
    ...PRIORITIES.map((priority) => sealForever(worker, priority)),
    signReceiptsForever(worker),
  ];
  for (const loop of loops) loop.catch(shell.fail);
  shell.onClose(() => Promise.allSettled(loops));
  // None yet is no reason to end: its certificate may come while the program runs, and work waits.
  const held = (keyId: string) => ring.has(keyId);
  const active = trust.current().active(config.node, "sign", Date.now(), held, config.zone);
  shell.ready({ signKeyId: active?.keyId ?? "" });
}

/** What an earlier run was still writing: its key is gone, so it is worth nothing. */
async function removeDrafts(outboxDir: string): Promise<void> {
  for (const name of await readdir(outboxDir)) {
    if (name.endsWith(DRAFT_ENDING)) await rm(join(outboxDir, name), { force: true });
  }
}

await runService({ name: "seal", parse: parseSealConfig, start });
