/** The small parts of the sending side, each by its law. */
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { GatewayError } from "@lightferry/proto/errors";
import { silentLogger } from "@lightferry/proto/service";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Doorbell } from "../src/egress/doorbell.ts";
import { Drain } from "../src/egress/drain.ts";
import { refusalView } from "../src/egress/exchange-view.ts";
import { checkFileName } from "../src/egress/file-name.ts";
import { SplitSource } from "../src/egress/split-source.ts";
import { END_STATES, EXCHANGE_STATES, mayFollow, statesBefore } from "../src/egress/state.ts";
import { succeeds } from "../src/egress/worker-name.ts";
import { RefusalLog } from "../src/http/refusal-log.ts";
import { readContent, readHttp } from "../src/http/request-body.ts";
import { Spool } from "../src/payload/spool.ts";

describe("Drain", () => {
  const limits = { maxWaiting: 10_000, maxWaitingBytes: 1e9 };

  it("answers each item once, in batches within the caps", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 50 }), { maxLength: 200 }),
        fc.integer({ min: 1, max: 20 }),
        fc.integer({ min: 1, max: 200 }),
        fc.integer({ min: 1, max: 3 }),
        async (weights, maxItems, maxBytes, runs) => {
          let under = 0;
          const drain = new Drain<{ n: number; weight: number }, number>({
            gatherMs: 1,
            gatherItems: 4,
            ...limits,
            maxItems,
            maxBytes,
            runs,
            weigh: (item) => item.weight,
            run: async (items) => {
              under += 1;
              expect(under).toBeLessThanOrEqual(runs);
              expect(items.length).toBeLessThanOrEqual(maxItems);
              const bytes = items.reduce((sum, item) => sum + item.weight, 0);
              if (items.length > 1) expect(bytes).toBeLessThanOrEqual(maxBytes);
              await Promise.resolve();
              under -= 1;
              return items.map((item) => item.n);
            },
          });
          const answers = await Promise.all(weights.map((weight, n) => drain.push({ n, weight })));
          expect(answers).toEqual(weights.map((_, n) => n));
          await drain.close();
        },
      ),
      { numRuns: 50 },
    );
  });

  it("fails one item alone, or all of a run, and is bounded", async () => {
    const drain = new Drain<number, number>({
      gatherMs: 0,
      gatherItems: 1,
      maxItems: 2,
      maxBytes: 100,
      runs: 1,
      maxWaiting: 3,
      maxWaitingBytes: 100,
      weigh: () => 1,
      run: async (items) => {
        if (items.includes(9)) throw new GatewayError("database.unavailable");
        return items.map((item) => (item === 1 ? new GatewayError("policy.answer-invalid") : item));
      },
    });
    const settled = await Promise.allSettled([0, 1, 9, 3].map((item) => drain.push(item)));
    expect(
      settled.map((one) => (one.status === "fulfilled" ? one.value : one.reason.code)),
    ).toEqual([0, "policy.answer-invalid", "database.unavailable", "api.busy"]);
    await drain.close();
    await expect(drain.push(1)).rejects.toMatchObject({ code: "api.stopping" });
  });
});

it("Doorbell does not sleep through a ring between looking and waiting", async () => {
  const bell = new Doorbell();
  const since = bell.rings;
  bell.ring();
  await bell.wait(since, 1_000_000);
  const waiting = bell.wait(bell.rings, 1_000_000);
  bell.ring();
  await waiting;
  await bell.wait(bell.rings, 1_000_000, AbortSignal.abort());
});

it("SplitSource cuts without loss, and keeps what came before a break", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 20 }),
      fc.integer({ min: 1, max: 50 }),
      fc.boolean(),
      async (pieces, max, breaks) => {
        async function* source() {
          yield* pieces;
          if (breaks) throw new Error("broken");
        }
        const split = new SplitSource(source());
        const parts: Uint8Array[] = [];
        while (await split.more()) {
          let size = 0;
          for await (const piece of split.part(max)) {
            parts.push(piece);
            size += piece.length;
          }
          expect(size).toBeGreaterThan(0);
          expect(size).toBeLessThanOrEqual(max);
        }
        expect(Buffer.concat(parts).equals(Buffer.concat(pieces))).toBe(true);
        expect(split.fault !== undefined).toBe(breaks);
      },
    ),
  );
});

describe("the table of states", () => {
  it("leads from received to every state, and out of no end but failed", () => {
    const reached = new Set(["received"]);
    for (let round = 0; round < EXCHANGE_STATES.length; round += 1) {
      for (const from of EXCHANGE_STATES) {
        if (!reached.has(from)) continue;
        for (const to of EXCHANGE_STATES) if (mayFollow(from, to)) reached.add(to);
      }
    }
    expect([...reached].sort()).toEqual([...EXCHANGE_STATES].sort());
    for (const end of END_STATES) {
      const next = EXCHANGE_STATES.filter((to) => mayFollow(end, to));
      expect(next).toEqual(end === "failed" ? ["received"] : []);
    }
    expect(statesBefore("emitted")).toEqual(["queued"]);
  });
});

it("a worker succeeds only its own earlier start", () => {
  expect(succeeds("seal@a/2", "seal@a/1")).toBe(true);
  expect(succeeds("seal@a/1", "seal@a/1")).toBe(false);
  expect(succeeds("seal@b/1", "seal@a/1")).toBe(false);
  expect(succeeds("seal", "seal")).toBe(false);
});

describe("Spool", () => {
  let dir: string;
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), "lf-spool-"));
  });
  afterAll(() => rm(dir, { recursive: true, force: true }));
  const limits = { highWaterBytes: 1_000, reserveBytes: 0 };
  async function* bytes(count: number) {
    yield new Uint8Array(count);
  }

  it("drops half-written files at start and counts the rest", async () => {
    await writeFile(join(dir, ".part-abc"), "half");
    await writeFile(join(dir, "kept.payload"), "12345");
    const spool = await Spool.open(dir, limits);
    expect(await readdir(dir)).toEqual(["kept.payload"]);
    expect(spool.usedBytes).toBe(5);
    await spool.remove("kept.payload");
    expect(spool.usedBytes).toBe(0);
  });

  it("leaves nothing behind when the disk runs full", async () => {
    let room = 150;
    const spool = await Spool.open(dir, limits, {
      open: async (path) => {
        await writeFile(path, "");
        return {
          write: async (chunk: Uint8Array) => {
            if (chunk.length > room) throw Object.assign(new Error("full"), { code: "ENOSPC" });
            room -= chunk.length;
            return { bytesWritten: chunk.length, buffer: chunk };
          },
          sync: async () => undefined,
          close: async () => undefined,
        } as never;
      },
    });
    await expect(
      spool.write(
        "a.payload",
        (async function* () {
          yield* bytes(100);
          yield* bytes(100);
        })(),
      ),
    ).rejects.toMatchObject({ code: "spool.disk-full" });
    expect(await readdir(dir)).toEqual([]);
    expect(spool.usedBytes).toBe(0);
  });

  it("takes plain names only and says when content is gone", async () => {
    const spool = await Spool.open(dir, limits);
    for (const name of ["../x", "a/b", ".hidden", ""]) {
      expect(() => spool.path(name)).toThrow(
        expect.objectContaining({ code: "spool.payload-damaged" }),
      );
    }
    const read = async () => {
      for await (const _ of spool.read("gone.payload"));
    };
    await expect(read()).rejects.toMatchObject({ code: "spool.payload-damaged" });
    await expect(spool.assertRoom(1_001)).rejects.toMatchObject({ code: "spool.full" });
  });
});

it("RefusalLog tells the first at once and counts the others", async () => {
  const recorded: { type: string; attributes?: Readonly<Record<string, string>> | undefined }[] =
    [];
  const log = new RefusalLog(
    {
      record: async (events) => {
        recorded.push(...events);
        return [];
      },
    },
    silentLogger(),
  );
  const refusal = {
    type: "token.refused",
    code: "token.unknown",
    actor: "",
    clientAddress: "127.0.0.1",
  } as const;
  for (let index = 0; index < 5; index += 1) await log.note(refusal);
  expect(recorded.length).toBe(1);
  await log.close();
  expect(recorded.length).toBe(2);
  expect(recorded[1]?.attributes).toEqual({ further: "4" });
});

describe("what may cross in a request", () => {
  const base = { lane: "l", service: "s", method: "POST", path: "/a" };

  it("has sorted headers and a type implied by its content", () => {
    const body = { ...base, headers: { "X-B": "2", "x-a": "1" }, body: { z: 1 } };
    const { content, impliedType } = readContent(body);
    expect(Buffer.from(content).toString()).toBe('{"z":1}');
    expect(readHttp(body, impliedType).headers).toEqual([
      { name: "content-type", value: "application/json" },
      { name: "x-a", value: "1" },
      { name: "x-b", value: "2" },
    ]);
  });

  it("never has a header value or path that ends a line", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        const attempt = () =>
          readHttp({ ...base, headers: { h: text }, path: `/${text}` }, undefined);
        if (/[\r\n\0]/.test(text)) expect(attempt).toThrow(GatewayError);
      }),
    );
  });
});

it("a file name is one plain segment", () => {
  for (const name of ["地籍.csv", "a b.txt", "x"]) expect(checkFileName(name)).toBe(name);
  for (const name of ["", ".", "..", "a/b", "a\\b", "a\nb", "a.", "a ", "\ud800", "a\u202eb"]) {
    expect(() => checkFileName(name)).toThrow(
      expect.objectContaining({ code: "upload.name-invalid" }),
    );
  }
});

it("a refusal gives its reason once, with what policy added", () => {
  const zh = (reason: string) => refusalView("policy.grade-missing", "label", reason).reason.zh;
  expect(zh("")).toBe("未标明数据级别");
  expect(zh("未标明数据级别。按 GB/T 43697 确定级别（G1 至 G4）后提交。")).toBe("未标明数据级别");
  expect(zh("未标明数据级别（空）。按 GB/T 43697 确定级别（G1 至 G4）后提交。")).toBe(
    "未标明数据级别（空）",
  );
  expect(zh("登记不全")).toBe("未标明数据级别：登记不全");
});
