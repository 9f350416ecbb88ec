import fc from "fast-check";
import { expect, it } from "vitest";
import { ERRORS, GatewayError } from "../src/errors/index.ts";
import { QR_MAX_BYTES } from "../src/pki/index.ts";
import {
  decodeReceiptFile,
  decodeReceiptList,
  encodeReceiptFile,
  encodeReceiptList,
  encodeSignedReceipts,
  isFinal,
  RECEIPT_STATES,
  RECEIPTS_MAX,
  type Receipt,
  type RefusedBundle,
  signReceiptList,
  verifyReceipts,
} from "../src/receipt/index.ts";
import { LIST_MAX, SIGNED_MAX } from "../src/receipt/limits.ts";
import { formatKeyId, loadProvider } from "../src/sm/index.ts";
import { codeOf } from "./code-of.ts";

const NOW = 1_800_000_000_000;
const provider = loadProvider();
const key = provider.generateSm2();
const keyId = formatKeyId(key.publicKey);
const CODES = Object.keys(ERRORS);

const id = fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => {
  const made = Uint8Array.from(bytes);
  made[6] = 0x70 | ((made[6] ?? 0) & 0x0f);
  made[8] = 0x80 | ((made[8] ?? 0) & 0x3f);
  return made;
});
const receipt: fc.Arbitrary<Receipt> = fc
  .record({
    exchangeId: id,
    state: fc.constantFrom(...RECEIPT_STATES),
    code: fc.constantFrom("", ...CODES),
    timeMs: fc.integer({ min: 1, max: NOW }),
  })
  .map((one) => (one.state === "delivered" ? { ...one, code: "" } : one));
const receipts = (maxLength: number) =>
  fc.uniqueArray(receipt, {
    minLength: 1,
    maxLength,
    selector: ({ exchangeId }) => Buffer.from(exchangeId).toString("hex"),
  });

const refusedBundle: fc.Arbitrary<RefusedBundle> = fc.record({
  bundleId: id,
  code: fc.constantFrom(...CODES),
  timeMs: fc.integer({ min: 1, max: NOW }),
});
const refusedBundles = fc.uniqueArray(refusedBundle, {
  maxLength: 8,
  selector: ({ bundleId }) => Buffer.from(bundleId).toString("hex"),
});

const HEAD = { lane: "inbound", sender: "node-extranet", receiver: "node-business" };
const listOf = (all: readonly Receipt[], number = 1, bundles: readonly RefusedBundle[] = []) =>
  encodeReceiptList({ ...HEAD, number, createdMs: NOW, receipts: all, bundles });
const signedOf = (list: Uint8Array) =>
  encodeSignedReceipts({
    ...{ list, keyId, signature: signReceiptList(provider, key, list) },
    certificates: [],
  });
const read = (signed: Uint8Array) =>
  verifyReceipts(provider, signed, {
    ...{ now: NOW, self: HEAD.sender, farEnd: () => HEAD.receiver },
    signKey: () => key.publicKey,
  });
const inOrder = (all: readonly Receipt[]) =>
  all
    .map((one) => ({ ...one, exchangeId: Buffer.from(one.exchangeId).toString("hex") }))
    .sort((a, b) => (a.exchangeId < b.exchangeId ? -1 : 1));

it("gives back what was said, whatever it was and in whatever order", () => {
  fc.assert(
    fc.property(receipts(40), refusedBundles, (all, bundles) => {
      const { list } = read(signedOf(listOf(all, 1, bundles)));
      expect(inOrder(list.receipts)).toEqual(inOrder(all));
      const byId = [...bundles].sort((a, b) => Buffer.compare(a.bundleId, b.bundleId));
      expect(list.bundles).toEqual(
        byId.map((one) => ({ ...one, bundleId: Buffer.from(one.bundleId) })),
      );
      expect(listOf(list.receipts, 1, list.bundles)).toEqual(
        listOf([...all].reverse(), 1, [...bundles].reverse()),
      );
    }),
    { numRuns: 100 },
  );
});

it("takes no list of which a byte was changed, removed or added", () => {
  const good = signedOf(listOf(fc.sample(receipts(5), { numRuns: 1, seed: 7 })[0] ?? []));
  expect(read(good).list.number).toBe(1);
  fc.assert(
    fc.property(
      fc.nat(good.length - 1),
      fc.integer({ min: 1, max: 255 }),
      fc.nat(2),
      (at, by, how) => {
        const bad = Buffer.from(good);
        if (how === 0) bad[at] = (bad[at] ?? 0) ^ by;
        const made =
          how === 0
            ? bad
            : how === 1
              ? bad.subarray(0, at)
              : Buffer.concat([bad.subarray(0, at), Uint8Array.of(by), bad.subarray(at)]);
        let code: string | undefined;
        try {
          read(made);
        } catch (error) {
          code = error instanceof GatewayError ? error.code : `${error}`;
        }
        // The key id is not signed for: here every id finds the key, at a sender only one that is known.
        const keyIdAt = Buffer.from(good).indexOf(keyId);
        const inKeyId = how === 0 && at >= keyIdAt && at < keyIdAt + keyId.length;
        if (!inKeyId) expect(code).toMatch(/^receipt\./);
      },
    ),
    { numRuns: 300 },
  );
});

it("never answers noise but by its own code", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.boolean(), (noise, withMagic) => {
      const file = withMagic ? Buffer.concat([Buffer.from("LFR1"), noise]) : noise;
      expect(codeOf(() => decodeReceiptFile(file))).toBe("receipt.malformed");
    }),
    { numRuns: 300 },
  );
});

it("puts the lists of a file in order, and refuses the same one twice", () => {
  const all = fc.sample(receipts(3), { numRuns: 3, seed: 11 });
  const signed = all.map((one, n) => signedOf(listOf(one, n + 1)));
  expect(decodeReceiptFile(encodeReceiptFile([...signed].reverse()))).toEqual(
    signed.map((one) => Buffer.from(one)).map((one) => Uint8Array.from(one)),
  );
  expect(codeOf(() => encodeReceiptFile([...signed, ...signed]))).toBe("receipt.malformed");
});

it("fits a full list of one outcome, signed, into one set of QR codes", () => {
  const full: Receipt[] = Array.from({ length: RECEIPTS_MAX }, (_, n) => ({
    exchangeId: Buffer.from(`019bbf5c000070008000${n.toString(16).padStart(12, "0")}`, "hex"),
    ...{ state: "delivered", code: "", timeMs: NOW },
  }));
  expect(listOf(full).length).toBeLessThanOrEqual(LIST_MAX);
  // Magic, and the tag and length of the list.
  expect(SIGNED_MAX + 4 + 4).toBeLessThanOrEqual(QR_MAX_BYTES);
  expect(codeOf(() => listOf([...full, ...full.slice(0, 1)]))).toBe("receipt.malformed");
});

it("writes nothing that it would not read", () => {
  const one: Receipt = { exchangeId: new Uint8Array(16), state: "failed", code: "", timeMs: NOW };
  expect(codeOf(() => listOf([one]))).toBe("receipt.malformed");
  expect(codeOf(() => decodeReceiptList(new Uint8Array(LIST_MAX + 1)))).toBe("receipt.malformed");
  expect(RECEIPT_STATES.filter(isFinal)).toEqual(["delivered", "returned"]);
});
