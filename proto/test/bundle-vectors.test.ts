import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { bufferSource, readHeader } from "../src/bundle/index.ts";
import type { Vector } from "../vectors/vector.ts";
import { PATHS, useWorkers } from "./bundle-paths.ts";
import { readVector } from "./read-vector.ts";

const folder = new URL("../vectors/bundle/", import.meta.url);
const vectors = readdirSync(folder)
  .sort()
  .map((name) => JSON.parse(readFileSync(new URL(name, folder), "utf8")) as Vector);

/** Longer bundles differ in nothing but time; workers are handed whole chunks, however they were read. */
const BYTE_BY_BYTE_MAX = 8 * 1024;

describe.each(PATHS)("conformance vectors %s", (_path, workers) => {
  useWorkers(workers);

  it("are all there", () => {
    expect(vectors.length).toBeGreaterThan(330);
  });

  it("hold a bundle whose last chunk is full", async () => {
    const vector = vectors.find(({ name }) => name === "valid-full-last-chunk");
    const { header } = await readHeader(bufferSource(Buffer.from(vector?.bundle ?? "", "base64")));
    expect(header.plaintextSize).toBe(header.chunkCount * header.chunkSize);
  });

  it.each(vectors.map((vector) => [vector.name, vector] as const))("%s", async (_, vector) => {
    const size = Buffer.byteLength(vector.bundle, "base64");
    const least = workers === 0 && size <= BYTE_BY_BYTE_MAX ? [1] : [];
    for (const step of [Math.max(size, 1), 1021, ...least]) {
      expect(await readVector(vector, step), `${step} bytes a read`).toEqual(vector.expect);
    }
  });
});
