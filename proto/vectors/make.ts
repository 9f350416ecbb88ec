/**
 * Guarantee: writes proto/vectors/bundle/*.json, one file per case. SM2 is
 * randomised, so the bytes differ from run to run; keys, contents, ids and
 * expectations do not. Run: `node proto/vectors/make.ts`.
 */
import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { makeKeysOnce } from "./keys.ts";
import type { Vector } from "./vector.ts";

makeKeysOnce();
// The cases read the keys when they are loaded.
const { forge, NOW } = await import("./forge.ts");
const { VALID } = await import("./cases/valid.ts");
const { FORM } = await import("./cases/form.ts");
const { ORIGIN } = await import("./cases/origin.ts");
const { VERDICT } = await import("./cases/verdict.ts");
const { CONTENT } = await import("./cases/content.ts");

const folder = join(fileURLToPath(new URL(".", import.meta.url)), "bundle");
mkdirSync(folder, { recursive: true });
for (const name of readdirSync(folder)) rmSync(join(folder, name));

const names = new Set<string>();
for (const example of [...VALID, ...FORM, ...ORIGIN, ...VERDICT, ...CONTENT]) {
  const { name, changed, forgery, code, itemCodes } = example;
  if (names.has(name)) throw new Error(`two vectors are called ${name}`);
  names.add(name);
  const vector: Vector = {
    name,
    changed,
    context: {
      now: NOW,
      lane: "inbound",
      sender: "node-extranet",
      self: "node-business",
      decryptKey: "recipient",
      signKeyRegistered: true,
      ...example.context,
    },
    expect:
      code !== undefined
        ? { code }
        : {
            items: forgery.items.map(({ content }, index) => {
              const failure = itemCodes?.[index];
              return failure === undefined
                ? { content: Buffer.from(content).toString("base64") }
                : { code: failure };
            }),
          },
    bundle: forge(forgery).toString("base64"),
  };
  writeFileSync(join(folder, `${name}.json`), `${JSON.stringify(vector, null, 1)}\n`);
}
process.stdout.write(`${names.size} vectors\n`);
