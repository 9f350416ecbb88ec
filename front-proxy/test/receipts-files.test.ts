/** What a person brings: files and scanned texts, whole or refused; and the target that receipts of a lane come to. */
import { execFileSync } from "node:child_process";
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { GatewayError } from "@lightferry/proto/errors";
import { formatId, newId } from "@lightferry/proto/ids";
import { decodeReceiptFile, encodeReceiptFile } from "@lightferry/proto/receipt";
import { loadProvider } from "@lightferry/proto/sm";
import { afterAll, beforeAll, expect, it } from "vitest";
import { readReceipts, writeCodes, writeNew } from "../cli/receipts-files.ts";
import type { FrontProxyContext } from "../src/context.ts";
import { ReceiptTarget } from "../src/ingress/targets/receipts.ts";
import type { Parcel } from "../src/ingress/targets/target.ts";
import { receiptFile } from "./support/receipt-lists.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "lf-receipts-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const at = (name: string) => join(folder, name);

/** Code of the refusal; any other error goes through. */
function refusalOf(run: () => unknown): string {
  try {
    run();
    return "none";
  } catch (error) {
    if (error instanceof GatewayError) return error.code;
    throw error;
  }
}

const key = loadProvider().generateSm2();
const said = (count: number) =>
  Object.fromEntries(
    Array.from({ length: count }, () => [formatId(newId()), "delivered" as const]),
  );
const file = receiptFile(key, { number: 1, said: said(40) }, { number: 2, said: said(3) });

it("are written once and read back", () => {
  writeNew(at("a.lfr"), file);
  expect(readReceipts(at("a.lfr"))).toEqual([file]);
  expect(refusalOf(() => writeNew(at("a.lfr"), file))).toBe("cli.usage");
  expect(refusalOf(() => writeNew(join(folder, "nowhere", "b"), file))).toBe("cli.usage");
  expect(readdirSync(folder)).toEqual(["a.lfr"]);
});

it("cross by codes: a set for each list, scanned in any order, twice, mixed", () => {
  const lists = [1, 2].map((number) => ({ lane: "inbound", number }));
  const paths = writeCodes(at("codes"), file, lists);
  const texts = paths
    .filter((path) => path.endsWith(".txt"))
    .map((path) => readFileSync(path, "utf8").trim().split("\n"));
  expect(paths.filter((path) => path.endsWith(".svg"))).toHaveLength(texts.flat().length);
  expect(texts.map(({ length }) => length > 0)).toEqual([true, true]);
  const scanned = [...texts.flat().reverse(), ...(texts[0] ?? [])];
  writeFileSync(at("scanned.txt"), `${scanned.join("\r\n")}\n\n`);
  const whole = readReceipts(at("scanned.txt")).flatMap((one) => [...decodeReceiptFile(one)]);
  expect(encodeReceiptFile(whole)).toEqual(file);

  const [first = "", ...rest] = texts[0] ?? [];
  writeFileSync(at("missing.txt"), `${rest.join("\n")}\n`);
  expect(refusalOf(() => readReceipts(at("missing.txt")))).toBe("receipt.malformed");
  writeFileSync(at("damaged.txt"), `${[first.slice(0, -1), ...rest].join("\n")}\n`);
  expect(refusalOf(() => readReceipts(at("damaged.txt")))).toBe("receipt.malformed");
  writeFileSync(at("strange.txt"), `${first}\nnot a code\n`);
  expect(refusalOf(() => readReceipts(at("strange.txt")))).toBe("receipt.malformed");
});

it("are looked at before they are read: no pipe, no folder, nothing endless", () => {
  execFileSync("mkfifo", [at("pipe")]);
  writeFileSync(at("endless"), "");
  truncateSync(at("endless"), 2 ** 40);
  expect(statSync(at("endless")).size).toBe(2 ** 40);
  expect(refusalOf(() => readReceipts(at("endless")))).toBe("receipt.too-large");
  for (const name of ["pipe", ".", "nothing"]) {
    expect(refusalOf(() => readReceipts(at(name)))).toBe("cli.usage");
  }
});

it("of a lane are refused by their target when they are none, and waited with when it is our fault", async () => {
  const journal = { record: async () => [] };
  const context = {
    shell: { journal, provider: loadProvider() },
    config: { node: "node-extranet", zone: "extranet" },
    registry: () => ({ lane: () => undefined, node: () => undefined }),
    trust: { current: () => ({ keyDirectory: () => ({ signKey: () => undefined }) }) },
  } as unknown as FrontProxyContext;
  const target = new ReceiptTarget(context);
  const parcel = (bytes: Uint8Array | undefined, kind = "receipt", size = 10) =>
    ({
      ...{ bytes, size, entry: { kind, caller: "node-business" } },
      async *content() {
        yield file.subarray(0, 100);
        yield file.subarray(100);
      },
    }) as unknown as Parcel;
  expect(await target.attempt(parcel(Buffer.from("x"), "file"))).toMatchObject({
    ...{ kind: "rejected", code: "target.kind-mismatch" },
  });
  expect(await target.attempt(parcel(undefined, "receipt", 2 ** 32))).toMatchObject({
    ...{ kind: "rejected", code: "receipt.too-large" },
  });
  expect(await target.attempt(parcel(Buffer.from("x")))).toMatchObject({
    ...{ kind: "rejected", code: "receipt.malformed" },
  });
  // Staged content is gathered first.
  expect(await target.attempt(parcel(undefined))).toMatchObject({
    ...{ kind: "rejected", code: "receipt.foreign-lane" },
  });
  const registry = () => {
    throw new RangeError("gone");
  };
  const broken = { ...context, registry };
  const ours = new ReceiptTarget(broken as unknown as FrontProxyContext);
  expect(await ours.attempt(parcel(file))).toMatchObject({ kind: "not-received" });
});
