/**
 * Guarantee: the seal program of one node: sole holder of the signing key, no
 * listener; it pulls what is permitted and leaves sealed bundles in the outbox.
 */
import { randomBytes } from "node:crypto";
import { readdir, rm } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { PayloadVault } from "@lightferry/proto/keystore";
import { createClient, PolicyService, SealQueueService } from "@lightferry/proto/rpc";
import { invalidField, runService, type Shell } from "@lightferry/proto/service";
import { openRegistry } from "./registry-source.ts";
import { parseSealConfig, type SealConfig } from "./seal/config.ts";
import { DRAFT_ENDING } from "./seal/seal-lease.ts";
import { assertRegistered, loadSignKey } from "./seal/sign-key.ts";
import { sealForever } from "./seal/worker.ts";

async function start(shell: Shell<SealConfig>): Promise<void> {
  const { config } = shell;
  const { policy: policyAddress, frontProxy: queueAddress } = config.peers;
  if (policyAddress === undefined) invalidField("peers.policy", "is needed");
  if (queueAddress === undefined) invalidField("peers.frontProxy", "is needed");

  const signKey = loadSignKey(config);
  const vault = PayloadVault.open(config.vaultPath, config.unlockPath);
  shell.onClose(() => {
    signKey.key.destroy();
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
  assertRegistered(registry(), config.node, signKey.keyId);
  await removeDrafts(config.outboxDir);

  const name = `seal@${hostname()}/${randomBytes(6).toString("hex")}`;
  const worker = { tools: { shell, vault, registry, signKey }, queue, name };
  const loops = [sealForever(worker, "normal"), sealForever(worker, "bulk")];
  for (const loop of loops) loop.catch(shell.fail);
  shell.onClose(() => Promise.allSettled(loops));
  shell.ready({ signKeyId: signKey.keyId });
}

/** What an earlier run was still writing: its key is gone, so it is worth nothing. */
async function removeDrafts(outboxDir: string): Promise<void> {
  for (const name of await readdir(outboxDir)) {
    if (name.endsWith(DRAFT_ENDING)) await rm(join(outboxDir, name), { force: true });
  }
}

await runService({ name: "seal", parse: parseSealConfig, start });
