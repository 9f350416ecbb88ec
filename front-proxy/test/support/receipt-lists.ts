/** Guarantee: lists of receipts for tests, signed as the far side's node signs them, and wrong only where a test says so. */
import { parseId } from "@lightferry/proto/ids";
import {
  encodeReceiptFile,
  encodeReceiptList,
  encodeSignedReceipts,
  type ReceiptState,
  signReceiptList,
} from "@lightferry/proto/receipt";
import { formatKeyId, loadProvider, type Sm2PrivateKey } from "@lightferry/proto/sm";

export interface ListDraft {
  readonly number: number;
  /** Exchange id → state, with a code where there is one. */
  readonly said: Readonly<Record<string, ReceiptState | readonly [ReceiptState, string]>>;
  /** Bundle id → code. */
  readonly refused?: Readonly<Record<string, string>>;
  readonly lane?: string;
  readonly sender?: string;
  readonly receiver?: string;
  readonly createdMs?: number;
}

/** A file of these lists. */
export function receiptFile(key: Sm2PrivateKey, ...lists: readonly ListDraft[]): Uint8Array {
  return encodeReceiptFile(lists.map((draft) => signedList(key, draft)));
}

function signedList(key: Sm2PrivateKey, draft: ListDraft): Uint8Array {
  const provider = loadProvider();
  const createdMs = draft.createdMs ?? Date.now();
  const list = encodeReceiptList({
    lane: draft.lane ?? "inbound",
    sender: draft.sender ?? "node-extranet",
    receiver: draft.receiver ?? "node-business",
    number: draft.number,
    createdMs,
    receipts: Object.entries(draft.said).map(([id, what]) => {
      const [state, code] = typeof what === "string" ? ([what, ""] as const) : what;
      return { exchangeId: parseId(id), state, code, timeMs: createdMs - 1_000 };
    }),
    bundles: Object.entries(draft.refused ?? {}).map(([id, code]) => ({
      ...{ bundleId: parseId(id), code, timeMs: createdMs - 1_000 },
    })),
  });
  return encodeSignedReceipts({
    list,
    keyId: formatKeyId(key.publicKey),
    signature: signReceiptList(provider, key, list),
    certificates: [],
  });
}
