/**
 * Guarantee: a command signs with the node's ferry key that is in force by the
 * zone's trust, between intent and end of the record of what people do with
 * keys; the ring is open no longer than that.
 */
import { join } from "node:path";
import type { CliContext } from "@lightferry/proto/cli";
import { GatewayError } from "@lightferry/proto/errors";
import { KeyRing } from "@lightferry/proto/keystore";
import { createClient, TrustService } from "@lightferry/proto/rpc";
import { activeKey, withKeyAction } from "@lightferry/proto/service";
import { loadProvider } from "@lightferry/proto/sm";
import { readTrustRoot, TrustStore } from "@lightferry/proto/trust";
import type { LinkSigner } from "../src/signed.ts";

/** A person waits at a terminal. */
const DEADLINE_MS = 10_000;

/** What the work is given. */
export interface FerryKey {
  readonly node: string;
  readonly signer: LinkSigner;
  /** For the record. */
  note(about: Readonly<Record<string, string>>): void;
}

/**
 * @throws GatewayError `cli.usage`, `config.invalid`, `rpc.unavailable`, `certificate.unknown`,
 * `key.ring-missing`, `key.action-unrecorded`, and what the work throws
 */
export async function withFerryKey<T>(
  context: CliContext,
  operator: string | undefined,
  verb: string,
  about: Readonly<Record<string, string>>,
  work: (key: FerryKey) => T,
): Promise<T> {
  const { zone, node, unlockDir, trustRootPath } = context.zoneConfig();
  const root = join(context.home, zone);
  const keyFolder = join(root, "keys", "ferry");
  const store = await trustOf(context, trustRootPath ?? join(root, "registry", "root.pem"));
  const wish = { keyFolder, verb, operator, about: { zone, node, ...about } };
  return await withKeyAction(wish, (action) => {
    const ring = KeyRing.open({
      dir: keyFolder,
      unlock: { file: join(unlockDir ?? join(root, "keys"), "ferry.unlock") },
      use: "ferry-sign",
      // Whether it may be used was said when the services started.
      mode: "demo",
    });
    try {
      const active = activeKey({ node, zone }, "ferry", ring, store, Date.now());
      action.note({ keys: [active.keyId] });
      const signer: LinkSigner = {
        provider: action.provider,
        active: () => active,
        chain: (keyId) => store.chain(keyId),
      };
      return work({ node, signer, note: (facts) => action.note({ about: facts }) });
    } finally {
      ring.close();
    }
  });
}

async function trustOf(context: CliContext, rootPath: string): Promise<TrustStore> {
  const { peers, tls, zone } = context.zoneConfig();
  if (peers.policy === undefined) {
    throw new GatewayError("config.invalid", { detail: "cli.json: peers.policy" });
  }
  const client = createClient(TrustService, { address: peers.policy, tls, zone, peer: "policy" });
  try {
    const answer = await client.getTrust(
      { knownVersion: 0, waitMs: 0 },
      { deadlineMs: DEADLINE_MS },
    );
    const input = { root: readTrustRoot(rootPath), set: answer.trust ?? {}, mode: "demo" as const };
    return TrustStore.build(loadProvider(), input);
  } finally {
    client.close();
  }
}
