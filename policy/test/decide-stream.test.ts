import { randomBytes } from "node:crypto";
import { decodeCanonical } from "@lightferry/proto/canonical";
import { lightferry } from "@lightferry/proto/gen";
import { describe, expect, test } from "vitest";
import { decideStream, STREAM_CHUNK_MAX } from "../src/server/decide-stream.ts";
import type { WireItem } from "../src/server/intake.ts";
import { closeDesks, newDesk, SECRET, streamed, VALID } from "./desk-world.ts";
import { provider } from "./plan.ts";
import { fileItem, verdictOf } from "./world.ts";

const { Decision } = lightferry.policy.v1;
const { ManifestEntry } = lightferry.bundle.v1;

closeDesks();

describe("streams", () => {
  test("content comes back masked, the entry speaks of what came back", async () => {
    const desk = await newDesk();
    const text = Buffer.from("姓名,身份证\n".concat(`张三,${VALID}\n`.repeat(20_000)));
    const { out, response, outcome } = await streamed(
      desk,
      fileItem("household-survey", "a.csv", text.length),
      text,
    );
    expect(outcome?.decision).toBe(Decision.DECISION_PERMIT);
    expect(outcome?.contentChanged).toBe(true);
    expect(out.toString()).toBe(text.toString().replaceAll(VALID, "510104********7217"));
    const entry = decodeCanonical(ManifestEntry, outcome?.entry ?? new Uint8Array());
    expect(Buffer.from(entry.digest)).toEqual(Buffer.from(provider.sm3(out)));
    expect(verdictOf(desk.policy, response).obligations).toEqual(["mask:resident-id:20000"]);
    expect(outcome?.findings?.[0]).toMatchObject({
      inspector: "resident-id",
      count: 20000,
      where: "column 2",
    });
  });

  test("unreadable bytes pass only where an opaque rule says so, and the verdict names it", async () => {
    const desk = await newDesk();
    const bytes = randomBytes(5 * 1024 * 1024);
    const drill = await streamed(
      desk,
      fileItem("bulk-data", "drill.bin", bytes.length),
      bytes,
      STREAM_CHUNK_MAX,
    );
    expect(drill.outcome?.decision).toBe(Decision.DECISION_PERMIT);
    expect(Buffer.compare(drill.out, bytes)).toBe(0);
    expect(verdictOf(desk.policy, drill.response).ruleIds).toContain("bulk-data.opaque");
    const other = await streamed(
      desk,
      fileItem("household-survey", "drill.bin", bytes.length),
      bytes,
      STREAM_CHUNK_MAX,
    );
    expect(other.outcome).toMatchObject({
      decision: Decision.DECISION_HOLD,
      code: "policy.content-undecodable",
    });
  });

  test("a sender that keeps the original gets nothing back of what cannot be altered", async () => {
    const desk = await newDesk();
    const keeping = (service: string, name: string, size: number): WireItem => ({
      ...fileItem(service, name, size),
      keepsOriginal: true,
    });
    const bytes = randomBytes(1_000_000);
    const opaque = await streamed(desk, keeping("bulk-data", "a.bin", bytes.length), bytes);
    expect([opaque.unaltered, opaque.out.length]).toEqual([1, 0]);
    expect(opaque.outcome).toMatchObject({
      decision: Decision.DECISION_PERMIT,
      contentChanged: false,
    });
    const entry = decodeCanonical(ManifestEntry, opaque.outcome?.entry ?? new Uint8Array());
    expect(entry.size).toBe(bytes.length);
    expect(Buffer.from(entry.digest)).toEqual(Buffer.from(provider.sm3(bytes)));

    // Rules that mask: readable content goes back, whether or not anything is found in it.
    for (const row of [`张三,${VALID}\n`, "张三,无\n"]) {
      const text = Buffer.from("姓名,身份证\n".concat(row.repeat(20_000)));
      const read = await streamed(desk, keeping("household-survey", "a.csv", text.length), text);
      expect(read.unaltered).toBe(0);
      expect(read.out.toString()).toBe(text.toString().replaceAll(VALID, "510104********7217"));
    }

    // Text first, unreadable then: some of it was on its way back already, so all of it goes.
    const turning = Buffer.concat([Buffer.from("line\n".repeat(50_000)), bytes]);
    const turned = await streamed(desk, keeping("bulk-data", "a.txt", turning.length), turning);
    expect([turned.unaltered, turned.out.equals(turning)]).toEqual([0, true]);

    // No rule of the service masks: known before its content is read.
    const plain = Buffer.from("一切正常\n".repeat(20_000));
    const text = await streamed(desk, keeping("documents", "a.txt", plain.length), plain);
    expect(text.outcome?.decision).toBe(Decision.DECISION_PERMIT);
    expect([text.unaltered, text.out.length]).toEqual([1, 0]);
    expect((await streamed(desk, fileItem("documents", "a.txt", plain.length), plain)).out).toEqual(
      plain,
    );
  });

  test("what proves a secret after `unaltered` is sealed away all the same", async () => {
    const desk = await newDesk();
    const marked = Buffer.concat([Buffer.from(SECRET), Buffer.alloc(500_000, 0x61)]);
    const item = { ...fileItem("documents", "a.txt", marked.length), keepsOriginal: true };
    const { out, outcome } = await streamed(desk, item, marked);
    expect(outcome).toMatchObject({ decision: Decision.DECISION_DENY, sealedAway: true });
    expect(out.length).toBe(0);
  });

  test("refused before content: nothing is read", async () => {
    const desk = await newDesk();
    const item = fileItem("documents", "a.txt", 1_000_000, { declaredGrade: "" });
    const { outcome, read, out } = await streamed(desk, item, Buffer.alloc(1_000_000));
    expect(outcome?.code).toBe("policy.grade-missing");
    expect(read).toBe(0);
    expect(out.length).toBe(0);
  });

  test("more than declared is refused and not read to its end", async () => {
    const desk = await newDesk();
    const { outcome, read } = await streamed(
      desk,
      fileItem("documents", "a.txt", 10),
      Buffer.alloc(1_000_000, 0x61),
    );
    expect(outcome?.code).toBe("policy.content-size");
    expect(read).toBeLessThan(200_000);
  });

  test("a stream begins with its item and holds bounded chunks", async () => {
    const desk = await newDesk();
    async function* headless() {
      yield { chunk: new Uint8Array(1) };
    }
    await expect(decideStream(desk, headless()).next()).rejects.toMatchObject({
      code: "rpc.bad-message",
    });
    const item = fileItem("documents", "a.txt", 1_000_000);
    await expect(streamed(desk, item, Buffer.alloc(600_000), 300_000)).rejects.toMatchObject({
      code: "rpc.bad-message",
    });
  });

  test("other work goes on beside a long stream", async () => {
    const desk = await newDesk();
    const text = Buffer.from("2026-11-22,川A,104.06,30.57,宗地\n".repeat(40_000));
    let turns = 0;
    let over = false;
    const other = (async () => {
      for (; !over; turns += 1) await new Promise(setImmediate);
    })();
    await streamed(
      desk,
      fileItem("household-survey", "a.csv", text.length),
      text,
      STREAM_CHUNK_MAX,
    );
    over = true;
    await other;
    expect(turns).toBeGreaterThanOrEqual(Math.floor(text.length / STREAM_CHUNK_MAX));
  });
});
