/**
 * Guarantee: writes proto/vectors/bundle/*.json, certificates/*.json, streams/*.json and receipts/*.json, one file per
 * case. SM2 is randomised: a file whose case has not changed is kept, so that
 * its bytes stay the same. Run: `node proto/vectors/make.ts`.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { makeKeysOnce } from "./keys.ts";
import { makePkiOnce } from "./pki/make.ts";
import type {
  CertificateVector,
  ImportVector,
  ReceiptVector,
  StreamVector,
  Vector,
} from "./vector.ts";

makeKeysOnce();
makePkiOnce();
// The cases read the keys when they are loaded.
const { forge, NOW } = await import("./forge.ts");
const { VALID } = await import("./cases/valid.ts");
const { FORM } = await import("./cases/form.ts");
const { ORIGIN } = await import("./cases/origin.ts");
const { VERDICT } = await import("./cases/verdict.ts");
const { CONTENT } = await import("./cases/content.ts");
const { ENCODING } = await import("./cases/encoding.ts");
const { HEADER_FIELDS } = await import("./cases/header-fields.ts");
const { VERDICT_FORM } = await import("./cases/verdict-form.ts");
const { CHUNKS } = await import("./cases/chunks.ts");
const { ENTRIES } = await import("./cases/entries.ts");
const { CERTIFICATES, IMPORTS } = await import("./cases/certificates.ts");
const { STREAMS } = await import("./cases/streams.ts");
const { RECEIPTS } = await import("./cases/receipts.ts");

const here = fileURLToPath(new URL(".", import.meta.url));
const CONTEXT = {
  now: NOW,
  lane: "inbound",
  sender: "node-extranet",
  self: "node-business",
  decryptKey: "recipient",
  signKeyRegistered: true,
};

/** Writes each under its name; what lies there and says the same, but for its bytes, stays as it is. */
function write<V extends { readonly name: string }>(
  name: string,
  made: readonly { readonly facts: object; readonly vector: () => V; readonly name: string }[],
): void {
  const folder = join(here, name);
  mkdirSync(folder, { recursive: true });
  const files = new Set(made.map((each) => `${each.name}.json`));
  if (files.size !== made.length) throw new Error(`two vectors of ${name} share a name`);
  for (const old of readdirSync(folder)) if (!files.has(old)) rmSync(join(folder, old));
  for (const { facts, vector, name: own } of made) {
    const path = join(folder, `${own}.json`);
    const kept = existsSync(path) ? (JSON.parse(readFileSync(path, "utf8")) as object) : {};
    const same = Object.entries(facts).every(
      ([key, value]) =>
        JSON.stringify((kept as Record<string, unknown>)[key]) === JSON.stringify(value),
    );
    if (!same) writeFileSync(path, `${JSON.stringify(vector(), null, 1)}\n`);
  }
  process.stdout.write(`${name}: ${made.length} vectors\n`);
}

write(
  "bundle",
  [
    ...VALID,
    ...FORM,
    ...ENCODING,
    ...HEADER_FIELDS,
    ...ORIGIN,
    ...VERDICT,
    ...VERDICT_FORM,
    ...CONTENT,
    ...CHUNKS,
    ...ENTRIES,
  ].map((example) => {
    const { name, changed, forgery, code, itemCodes } = example;
    const expect: Vector["expect"] =
      code !== undefined
        ? { code }
        : {
            items: forgery.items.map(({ content }, index) => {
              const failure = itemCodes?.[index];
              return failure === undefined
                ? { content: Buffer.from(content).toString("base64") }
                : { code: failure };
            }),
          };
    const facts = { name, changed, context: { ...CONTEXT, ...example.context }, expect };
    const vector = (): Vector => ({ ...facts, bundle: forge(forgery).toString("base64") });
    return { name, facts, vector };
  }),
);
write(
  "streams",
  STREAMS.map(({ name, changed, forgeries, deliveries }) => {
    const facts = { name, changed, context: CONTEXT, deliveries };
    const vector = (): StreamVector => ({
      ...facts,
      bundles: forgeries.map((forgery) => forge(forgery).toString("base64")),
    });
    return { name, facts, vector };
  }),
);
write<CertificateVector | ImportVector>("certificates", [
  ...CERTIFICATES.map(({ name, changed, context, expect, forgery }) => {
    const facts = { name, changed, context, expect };
    const vector = (): CertificateVector => ({
      ...facts,
      bundle: forge(forgery).toString("base64"),
    });
    return { name, facts, vector };
  }),
  ...IMPORTS.map((facts) => ({ name: facts.name, facts, vector: (): ImportVector => facts })),
]);
write(
  "receipts",
  RECEIPTS.map(({ name, changed, context, expect, make }) => {
    const facts = { name, changed, context, expect };
    const vector = (): ReceiptVector => {
      const bytes = make();
      const blank = bytes.length > 0 && bytes.every((byte) => byte === 0);
      return { ...facts, file: blank ? { zeros: bytes.length } : bytes.toString("base64") };
    };
    return { name, facts, vector };
  }),
);
