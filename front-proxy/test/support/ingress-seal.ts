/** Guarantee: bundles of the real sealer, with verdicts that are really signed, as a far side would send them. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type SealInput, sealBundle } from "@lightferry/proto/bundle";
import type { lightferry } from "@lightferry/proto/gen";
import { formatId, newId } from "@lightferry/proto/ids";
import { formatKeyId, type SmProvider } from "@lightferry/proto/sm";
import { type DraftItem, permittedItems } from "@lightferry/proto/testing";
import { DAY_MS, type Keys, provider } from "./ingress-keys.ts";

/** What a test seals otherwise; `by` signs, for keys that only their own provider can use. */
export type SealChange = Partial<SealInput> & { readonly by?: SmProvider };

export interface Delivered {
  readonly request: lightferry.ferry.v1.DeliverRequest.$Properties;
  readonly path: string;
  readonly exchangeIds: readonly Uint8Array[];
}

let sequence = 0;

export async function sealDrafts(
  keys: Keys,
  arrivals: string,
  drafts: readonly DraftItem[],
  { by = provider, ...change }: SealChange,
): Promise<Delivered> {
  const signKey = change.signKey ?? keys.sign;
  const signKeyId = formatKeyId(signKey.publicKey);
  const now = Date.now();
  const policyKeyId = formatKeyId(keys.exportPolicy.publicKey);
  const { batch, items, exchangeIds } = permittedItems(
    {
      ...{ provider, nowMs: now, expiresMs: now + 7 * DAY_MS, lane: "inbound" },
      ...{ sender: "node-extranet", recipient: "node-business" },
      policy: { nodeId: "node-extranet", key: keys.exportPolicy, keyId: policyKeyId },
      headers: [{ name: "content-type", value: "application/json" }],
    },
    drafts,
  );
  sequence += 1;
  const bundleId = change.bundleId ?? newId();
  const path = join(arrivals, `${formatId(bundleId)}.${sequence}.lfb`);
  const { pki } = keys.trust;
  const store = pki.store;
  const encrypt = store.active("node-business", "encrypt", now);
  if (encrypt === undefined) throw new Error("no encryption certificate");
  const sealed = await sealBundle(
    by,
    {
      lane: "inbound",
      stream: "inbound/node-extranet/normal",
      sequence: 1,
      previousDigest: new Uint8Array(32).fill((change.sequence ?? 1) > 1 ? 1 : 0),
      sender: "node-extranet",
      signKey,
      signKeyId,
      createdMs: now - 200,
      expiresMs: now + 7 * DAY_MS,
      grade: "G2",
      recipients: [
        {
          nodeId: "node-business",
          keyId: encrypt.keyId,
          publicKey: encrypt.publicKey,
        },
      ],
      policyVersion: "pack-1",
      batches: [batch],
      items,
      certificates: [...store.chain(signKeyId), ...store.chain(policyKeyId).slice(0, 1)],
      keys: store.keyDirectory(),
      ...change,
      bundleId,
    },
    path,
  );
  return {
    path,
    exchangeIds,
    request: {
      bundleId,
      file: path.slice(arrivals.length + 1),
      size: sealed.size,
      headerDigest: sealed.headerDigest,
      lane: "inbound",
      receivedMs: now,
    },
  };
}

/** Flips one bit of a file. */
export async function flipBit(path: string, at: number): Promise<void> {
  const bytes = await readFile(path);
  const index = at < 0 ? bytes.length + at : at;
  bytes[index] = (bytes[index] ?? 0) ^ 1;
  await writeFile(path, bytes);
}
