/** Guarantee: a conformance vector is read by the reader of this package to the shape of its expectation, with the keys of keys.json and no others. */
import { bufferSource, openBundle, readHeader, verifyHeader } from "../src/bundle/index.ts";
import { asGatewayError } from "../src/errors/index.ts";
import { loadProvider } from "../src/sm/index.ts";
import { type PartyName, readKeys, type VectorParty } from "../vectors/keys.ts";
import type { Vector } from "../vectors/vector.ts";
import { gather } from "./bundle-fixture.ts";

const provider = loadProvider();
const keys = readKeys();

const owned =
  (...parties: VectorParty[]) =>
  (nodeId: string, keyId: string) =>
    parties.find((party) => party.nodeId === nodeId && party.keyId === keyId)?.key.publicKey;

/** @param step bytes a read; without it all at once. */
export async function readVector(vector: Vector, step?: number): Promise<Vector["expect"]> {
  const { now, lane, sender, self, decryptKey, signKeyRegistered, lifetimeMs } = vector.context;
  const bytes = Buffer.from(vector.bundle, "base64");
  const items: ({ content: string } | { code: string })[] = [];
  try {
    const received = await readHeader(bufferSource(bytes, step ?? Math.max(bytes.length, 1)));
    const verified = verifyHeader(provider, received, {
      lifetimeMs,
      now,
      lane,
      sender,
      self,
      keys: {
        signKey: signKeyRegistered ? owned(keys.sender) : () => undefined,
        policyKey: owned(keys.policy),
      },
    });
    for await (const item of openBundle(provider, verified, keys[decryptKey as PartyName].key)) {
      try {
        items.push({ content: (await gather(item.content)).toString("base64") });
      } catch (error) {
        items.push({ code: asGatewayError(error).code });
      }
    }
  } catch (error) {
    return { code: asGatewayError(error).code };
  }
  return { items };
}
