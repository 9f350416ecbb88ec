/** Guarantee: tests of whole answers have desks that are closed after each test, and one way to stream content through one. */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { WRAPPED_KEY_BYTES } from "@lightferry/proto/keystore";
import { afterEach, expect } from "vitest";
import { decideStream, STREAM_CHUNK_MAX } from "../src/server/decide-stream.ts";
import type { WireItem } from "../src/server/intake.ts";
import { type Outcome, type Response, type TestDesk, testDesk } from "./world.ts";

/** A resident ID number with a right check digit. */
export const VALID = "510104199003077217";
export const SECRET = "机密★5年\n\n关于控制点的通知，坐标 35698283.57\n";

const desks: TestDesk[] = [];
export async function newDesk(...options: Parameters<typeof testDesk>): Promise<TestDesk> {
  const desk = await testDesk(...options);
  desks.push(desk);
  return desk;
}
/** Closes the desks of a test when it is over; a test file calls it once. */
export function closeDesks(): void {
  afterEach(() => {
    for (const desk of desks.splice(0)) desk.close();
  });
}

/** What lies in the sealed-away folder, opened again with its vault. */
export async function sealedContents(desk: TestDesk, exchangeId: Uint8Array): Promise<Buffer[]> {
  const folder = join(desk.folder, "sealed-away");
  const contents = [];
  for (const name of readdirSync(folder)) {
    const bytes = readFileSync(join(folder, name));
    expect(statSync(join(folder, name)).mode & 0o777).toBe(0o600);
    expect(name.endsWith(".sealed")).toBe(true);
    const context = Buffer.concat([Buffer.from("sealed-away/1\0"), exchangeId]);
    const key = desk.vault.unwrap(bytes.subarray(5, 5 + WRAPPED_KEY_BYTES), context);
    const parts = [];
    const body = bytes.subarray(5 + WRAPPED_KEY_BYTES);
    for await (const part of key.decryptStream(
      (async function* () {
        yield body;
      })(),
    ))
      parts.push(part);
    contents.push(Buffer.concat(parts));
  }
  return contents;
}

export async function streamed(
  desk: TestDesk,
  item: WireItem,
  content: Uint8Array,
  size = 65_536,
): Promise<{
  out: Buffer;
  response: Response;
  outcome: Outcome | undefined;
  read: number;
  unaltered: number;
}> {
  let read = 0;
  async function* parts() {
    yield { item };
    for (let at = 0; at < content.length; at += size) {
      const chunk = content.subarray(at, at + size);
      read += chunk.length;
      yield { chunk };
    }
  }
  const out: Uint8Array[] = [];
  let response: Response = {};
  let unaltered = 0;
  for await (const answer of decideStream(desk, parts())) {
    if (answer.unaltered === true) {
      // It stands for all chunks: nothing may have come before it.
      expect(out.length).toBe(0);
      unaltered += 1;
    }
    if (answer.chunk !== undefined && answer.chunk !== null) {
      expect(answer.chunk.length).toBeLessThanOrEqual(STREAM_CHUNK_MAX);
      out.push(answer.chunk);
    }
    response = answer.result ?? response;
  }
  return { out: Buffer.concat(out), response, outcome: response.outcomes?.[0], read, unaltered };
}
