/**
 * Guarantee: a proof is made only from a verified bundle, and an opening only
 * from an item whose commitment and digest were checked when it was opened.
 */
import type { OpenedItem, VerifiedHeader } from "../bundle/index.ts";
import { encodeCanonical } from "../canonical.ts";
import { GatewayError } from "../errors/index.ts";
import { lightferry } from "../gen/index.js";
import type { Opening, PermittedProof, SealedProof } from "./format.ts";

type Opened = Pick<OpenedItem, "salt" | "entryBytes">;

/**
 * That item `item` was sealed in this bundle; with `opened` also what it was.
 * @param item position, from 0.
 * @throws GatewayError `proof.no-such-item`.
 */
export function proveItem(verified: VerifiedHeader, item: number, opened?: Opened): SealedProof {
  const { headerBytes } = verified;
  const { signature } = verified.received;
  const { commitment } = recordOf(verified, item);
  return { form: "sealed", item, commitment, header: headerBytes, signature, ...openingOf(opened) };
}

/**
 * That the sender's policy permitted item `item`: small, and silent about the other items; but
 * no word about sealing, for the sender's signature covers the header as a whole.
 * @throws GatewayError `proof.no-such-item`.
 */
export function provePermission(
  verified: VerifiedHeader,
  item: number,
  opened?: Opened,
): PermittedProof {
  const { header } = verified;
  const record = recordOf(verified, item);
  const batch = header.verdictBatches[record.batch];
  if (batch === undefined) throw noSuchItem(verified, item);
  const { verdict, leaf, path, commitment } = record;
  return {
    form: "permitted",
    commitment,
    verdict,
    leaf,
    path,
    batch: encodeCanonical(lightferry.bundle.v1.VerdictBatch, batch),
    certificates: header.certificates,
    ...openingOf(opened),
  };
}

function recordOf(verified: VerifiedHeader, item: number): lightferry.bundle.v1.ItemRecord {
  const record = verified.header.items[item];
  if (record === undefined) throw noSuchItem(verified, item);
  return record;
}

function noSuchItem(verified: VerifiedHeader, item: number): GatewayError {
  const detail = `item ${item} of ${verified.header.items.length}`;
  return new GatewayError("proof.no-such-item", { detail });
}

function openingOf(opened: Opened | undefined): { readonly opening: Opening | undefined } {
  const opening = opened && { salt: opened.salt, entry: opened.entryBytes };
  return { opening };
}
