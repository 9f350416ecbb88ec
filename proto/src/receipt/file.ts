/**
 * Guarantee: a file of receipts is its magic and the canonical list of signed
 * lists, in their order, none twice; its length is looked at before its bytes.
 */
import { encodeCanonical } from "../canonical.ts";
import { GatewayError } from "../errors/index.ts";
import { lightferry } from "../gen/index.js";
import { FILE_LISTS_MAX, FILE_MAX } from "./limits.ts";
import { malformed } from "./list.ts";
import { decodeSignedReceipts } from "./signed.ts";

const { ReceiptFile } = lightferry.receipt.v1;

/** "LFR1": the fourth character is the version of the file. */
const MAGIC = Buffer.from("LFR1", "latin1");

/** @param lists canonical signed lists, in any order. @throws GatewayError `receipt.malformed`, `receipt.too-large` */
export function encodeReceiptFile(lists: readonly Uint8Array[]): Uint8Array {
  const placed = lists.map((bytes) => ({ bytes, ...decodeSignedReceipts(bytes).fields }));
  placed.sort(byPlace);
  const body = encodeCanonical(ReceiptFile, { lists: placed.map(({ bytes }) => bytes) });
  const file = new Uint8Array(Buffer.concat([MAGIC, body]));
  decodeReceiptFile(file);
  return file;
}

/**
 * Form of a file and of every list in it (SPEC §17.4).
 * @returns the signed lists.
 * @throws GatewayError `receipt.too-large`, `receipt.malformed`
 */
export function decodeReceiptFile(bytes: Uint8Array): readonly Uint8Array[] {
  if (bytes.length > FILE_MAX) {
    throw new GatewayError("receipt.too-large", { detail: `${bytes.length} of ${FILE_MAX} bytes` });
  }
  if (Buffer.compare(bytes.subarray(0, MAGIC.length), MAGIC) !== 0) throw malformed("magic");
  const body = bytes.subarray(MAGIC.length);
  let file: lightferry.receipt.v1.ReceiptFile;
  try {
    file = ReceiptFile.decode(body);
  } catch (cause) {
    throw malformed("not protobuf", cause);
  }
  if (Buffer.compare(ReceiptFile.encode(file).finish(), body) !== 0) throw malformed("encoding");
  const { lists } = file;
  if (lists.length === 0 || lists.length > FILE_LISTS_MAX) {
    throw malformed(`${lists.length} lists, 1 to ${FILE_LISTS_MAX}`);
  }
  let before: Place | undefined;
  for (const list of lists) {
    const { fields } = decodeSignedReceipts(list);
    if (before !== undefined && byPlace(before, fields) >= 0) throw malformed("order of lists");
    before = fields;
  }
  return lists;
}

interface Place {
  readonly lane: string;
  readonly receiver: string;
  readonly number: number;
}

function byPlace(a: Place, b: Place): number {
  if (a.lane !== b.lane) return a.lane < b.lane ? -1 : 1;
  if (a.receiver !== b.receiver) return a.receiver < b.receiver ? -1 : 1;
  return a.number - b.number;
}
