/**
 * Guarantee: writes what a sealer never would: a bundle whose header was
 * changed and whose verdicts and signature were made anew with the true keys,
 * as a sealing service under foreign control could.
 */
import { readFile, writeFile } from "node:fs/promises";
import { encodeCanonical } from "@lightferry/proto/canonical";
import { lightferry } from "@lightferry/proto/gen";
import { domainSeparated, formatKeyId, type Sm2PrivateKey } from "@lightferry/proto/sm";
import { signVerdictBatch } from "@lightferry/proto/verdict";
import { provider } from "./ingress-keys.ts";
import type { Delivered } from "./ingress-seal.ts";

const { Header } = lightferry.bundle.v1;
const { Verdict } = lightferry.policy.v1;
type VerdictFields = lightferry.policy.v1.Verdict.$Properties;

/** SPEC §3: magic, length of the header, header, signature. */
const MAGIC_BYTES = 4;
const LENGTH_BYTES = 4;
const SIGNATURE_BYTES = 64;

export interface ForgingKeys {
  readonly sign: Sm2PrivateKey;
  readonly exportPolicy: Sm2PrivateKey;
}

export interface Forgery {
  /** Changes the only item's verdict before it is signed again. */
  readonly verdict?: VerdictFields;
  readonly header?: lightferry.bundle.v1.Header.$Properties;
  readonly signKey?: Sm2PrivateKey;
  readonly policyKey?: Sm2PrivateKey;
}

/** Changes the file of a bundle of one item in place. @returns what announces it. */
export async function forge(
  keys: ForgingKeys,
  bundle: Delivered,
  forgery: Forgery,
): Promise<Delivered["request"]> {
  const file = await readFile(bundle.path);
  const length = file.readUInt32BE(MAGIC_BYTES);
  const headerAt = MAGIC_BYTES + LENGTH_BYTES;
  const old = Header.decode(file.subarray(headerAt, headerAt + length));
  const [item] = old.items;
  const [batch] = old.verdictBatches;
  if (!item?.verdict || !batch?.policyNode) throw new RangeError("a bundle of one item");
  const policyKey = forgery.policyKey ?? keys.exportPolicy;
  const signed = signVerdictBatch(
    provider,
    policyKey,
    { policyNode: batch.policyNode, keyId: formatKeyId(policyKey.publicKey) },
    [{ ...Verdict.decode(item.verdict), ...forgery.verdict }],
  );
  const [proof] = signed.items;
  const header = encodeCanonical(Header, {
    ...old,
    verdictBatches: [signed.batch],
    items: [{ ...item, ...proof }],
    ...forgery.header,
  });
  const prefix = Buffer.from(file.subarray(0, headerAt));
  prefix.writeUInt32BE(header.length, MAGIC_BYTES);
  const signature = provider.sm2Sign(
    forgery.signKey ?? keys.sign,
    domainSeparated("bundle-header/1", header),
  );
  const rest = file.subarray(headerAt + length + SIGNATURE_BYTES);
  const forged = Buffer.concat([prefix, header, signature, rest]);
  await writeFile(bundle.path, forged);
  return { ...bundle.request, size: forged.length, headerDigest: provider.sm3(header) };
}
