/** The verifier shares no code with the writer of the log. */
import { readdirSync, readFileSync } from "node:fs";
import { expect, it } from "vitest";

const ALLOWED = /^(\.\/[a-z-]+\.ts|@lightferry\/proto\/[a-z]+|pg)$/;

it("imports only its own files, proto and the database driver", () => {
  const folder = new URL("../src/verify/", import.meta.url);
  const files = readdirSync(folder);
  expect(files.length).toBeGreaterThan(5);
  for (const file of files) {
    const text = readFileSync(new URL(file, folder), "utf8");
    for (const [, from = ""] of text.matchAll(/\bfrom "([^"]+)"|\bimport\("([^"]+)"\)/g)) {
      expect(from, `${file} imports ${from}`).toMatch(ALLOWED);
    }
  }
});
