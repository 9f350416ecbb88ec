import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { asGatewayError } from "../src/errors/index.ts";
import { decodeReceiptFile, verifyReceipts } from "../src/receipt/index.ts";
import { loadProvider } from "../src/sm/index.ts";
import { readKeys } from "../vectors/keys.ts";
import type { ReceiptVector } from "../vectors/vector.ts";

const FOLDER = new URL("../vectors/receipts/", import.meta.url);
const provider = loadProvider();
const { recipient } = readKeys();

const vectors = readdirSync(FOLDER).map(
  (name) => JSON.parse(readFileSync(new URL(name, FOLDER), "utf8")) as ReceiptVector,
);

function read({ context, file }: ReceiptVector): ReceiptVector["expect"] {
  const { now, self, farEnds, signKeyRegistered } = context;
  const bytes = typeof file === "string" ? Buffer.from(file, "base64") : Buffer.alloc(file.zeros);
  try {
    const lists = decodeReceiptFile(bytes).map((signed) => {
      const { list } = verifyReceipts(provider, signed, {
        ...{ now, self, farEnd: (lane) => farEnds[lane] },
        signKey: (node, keyId) =>
          signKeyRegistered && node === recipient.nodeId && keyId === recipient.keyId
            ? recipient.key.publicKey
            : undefined,
      });
      const receipts = list.receipts.map(({ exchangeId, state, code, timeMs }) => ({
        ...{ id: Buffer.from(exchangeId).toString("hex"), state, code, timeMs },
      }));
      const bundles = list.bundles.map(({ bundleId, code, timeMs }) => ({
        ...{ id: Buffer.from(bundleId).toString("hex"), code, timeMs },
      }));
      return { lane: list.lane, number: list.number, receipts, bundles };
    });
    return { lists };
  } catch (error) {
    return { code: asGatewayError(error).code };
  }
}

describe("conformance vectors of receipts", () => {
  it.each(vectors.map((vector) => [vector.name, vector] as const))("%s", (_, vector) => {
    expect(read(vector)).toEqual(vector.expect);
  });

  it("show every code of SPEC §17.3 and §17.4", () => {
    const shown = new Set(vectors.flatMap(({ expect: e }) => ("code" in e ? [e.code] : [])));
    expect([...shown].sort()).toEqual([
      ...["receipt.foreign-lane", "receipt.from-future", "receipt.malformed"],
      ...["receipt.signature-invalid", "receipt.stale", "receipt.too-large"],
      ...["receipt.unknown-key", "receipt.wrong-addressee", "receipt.wrong-receiver"],
    ]);
  });
});
