/**
 * Guarantee: receipts that came in a bundle are verified by their own signature
 * like those from a file, and taken whole or refused with their code. To take
 * them twice changes nothing.
 */
import { asGatewayError } from "@lightferry/proto/errors";
import { FILE_MAX } from "@lightferry/proto/receipt";
import type { FrontProxyContext } from "../../context.ts";
import { importReceipts } from "../../receipts/import.ts";
import type { AttemptResult, Parcel, Target } from "./target.ts";

/** From here on a fault is our own: try again. */
const FIRST_SERVER_FAULT = 500;

export class ReceiptTarget implements Target {
  readonly repeatable = true;
  readonly #context: FrontProxyContext;

  constructor(context: FrontProxyContext) {
    this.#context = context;
  }

  async attempt(parcel: Parcel): Promise<AttemptResult> {
    const { entry, size } = parcel;
    if (entry.kind !== "receipt") {
      return { kind: "rejected", code: "target.kind-mismatch", detail: entry.kind };
    }
    if (size > FILE_MAX) return { kind: "rejected", code: "receipt.too-large", detail: `${size}` };
    try {
      const file = parcel.bytes ?? (await gather(parcel));
      const { exchanges, older, unknownCount } = await importReceipts(this.#context, file, {
        // Nobody stands beside who could say so; they are named in the log.
        ...{ skipUnknown: true, checkOnly: false },
        ...{ actor: entry.caller, source: "lane" },
      });
      const detail = `${exchanges} receipts, ${older} older, ${unknownCount} unknown`;
      return { kind: "delivered", detail };
    } catch (error) {
      const { code, detail, row } = asGatewayError(error);
      if (row.http >= FIRST_SERVER_FAULT) return { kind: "not-received", detail: code };
      return { kind: "rejected", code, detail };
    }
  }

  async settled(): Promise<void> {
    // Nothing is kept beside the rows.
  }

  async prepare(): Promise<void> {
    // An attempt leaves nothing behind.
  }

  close(): void {
    // An import is short, and committed or not.
  }
}

async function gather(parcel: Parcel): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for await (const piece of parcel.content()) pieces.push(Uint8Array.from(piece));
  return Buffer.concat(pieces);
}
