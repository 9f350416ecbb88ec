import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { GatewayError } from "../src/errors/index.ts";
import type { EventInput } from "../src/event/index.ts";
import {
  KeyMeter,
  type KeyMeterOptions,
  meterProvider,
  silentLogger,
} from "../src/service/index.ts";
import { formatKeyId, loadProvider, type Sm2PrivateKey } from "../src/sm/index.ts";
import { codeOf } from "./code-of.ts";

const provider = loadProvider();
const MESSAGE = Buffer.from("message");

let dir: string;
let key: Sm2PrivateKey;
let keyId: string;
let journalled: EventInput[];
/** What the journal does with the next events. */
let journal: { full: boolean; stuck: Promise<void> | undefined };

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "lf-meter-"));
  key = provider.generateSm2();
  keyId = formatKeyId(key.publicKey);
  journalled = [];
  journal = { full: false, stuck: undefined };
});
afterEach(() => rm(dir, { recursive: true, force: true }));

function options(more: Partial<KeyMeterOptions> = {}): KeyMeterOptions {
  return {
    path: join(dir, "key-uses.json"),
    actor: "seal",
    record: async (events) => {
      await journal.stuck;
      if (journal.full) throw new GatewayError("journal.full");
      journalled.push(...events);
    },
    room: () => !journal.full,
    whenFull: "refuse",
    log: silentLogger(),
    ...more,
  };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));
/** As a service does it. */
async function end(meter: KeyMeter): Promise<void> {
  await meter.report();
  await meter.settle();
}
const countsOf = (type: string) =>
  journalled.filter((event) => event.type === type).map((event) => event.attributes ?? {});
const stateFile = async () => JSON.parse(await readFile(join(dir, "key-uses.json"), "utf8"));

describe("metered provider", () => {
  it("counts signatures and decryptions per key, and lets everything else through", async () => {
    const meter = await KeyMeter.open(options());
    const metered = meterProvider(provider, meter);
    const signature = metered.sm2Sign(key, MESSAGE);
    metered.sm2Sign(key, MESSAGE, "another id");
    expect(metered.sm2Verify(key.publicKey, MESSAGE, signature)).toBe(true);
    const wrapped = metered.sm2Encrypt(key.publicKey, MESSAGE);
    expect(Buffer.from(metered.sm2Decrypt(key, wrapped))).toEqual(MESSAGE);
    // An attempt with the key counts whether or not it succeeds.
    wrapped[wrapped.length - 1] = (wrapped.at(-1) ?? 0) ^ 1;
    expect(codeOf(() => metered.sm2Decrypt(key, wrapped))).toBe("sm.decrypt-failed");
    expect([metered.name, metered.bulk]).toEqual([provider.name, provider.bulk]);
    expect(metered.sm3(MESSAGE)).toEqual(provider.sm3(MESSAGE));
    await end(meter);
    const totals = countsOf("key.used").map(({ operation, total, uses, exact }) => [
      operation,
      total,
      uses,
      exact,
    ]);
    expect(totals).toEqual([
      ["sign", "2", "2", "yes"],
      ["decrypt", "2", "2", "yes"],
    ]);
    expect(journalled.every(({ actor }) => actor === "seal")).toBe(true);
    expect(countsOf("key.used").every((row) => row["key-id"] === keyId)).toBe(true);
    expect(codeOf(() => metered.sm2Sign(key, MESSAGE))).toBe("sm.key-use-unrecorded");
  });

  it("has every use inside a block that was durable before it", async () => {
    const meter = await KeyMeter.open(options());
    for (let used = 1; used <= 2_000; used += 1) {
      meter.use(key, "sign");
      const { keys } = await stateFile();
      expect(keys[0].reserved).toBeGreaterThanOrEqual(used);
      if (used % 7 === 0) await settled();
    }
    await settled();
    // The events name the same numbers, without a hole.
    let covered = 0;
    for (const { from, to } of countsOf("key.use-reserved")) {
      expect(Number(from)).toBe(covered + 1);
      covered = Number(to);
    }
    expect(covered).toBeGreaterThanOrEqual(2_000);
    // Blocks double: a burst leaves a handful of events.
    expect(countsOf("key.use-reserved").length).toBeLessThan(12);
    await end(meter);
  });

  it("goes on counting after an orderly end", async () => {
    const first = await KeyMeter.open(options());
    for (let i = 0; i < 5; i += 1) first.use(key, "sign");
    await end(first);
    expect((await stateFile()).keys).toEqual([
      { keyId, operation: "sign", reserved: 5, used: 5, reported: 5 },
    ]);
    journalled = [];
    const second = await KeyMeter.open(options());
    expect(journalled).toEqual([]);
    second.use(key, "sign");
    await end(second);
    expect(countsOf("key.use-reserved")[0]).toMatchObject({ from: "6", to: "21" });
    expect(countsOf("key.used")).toEqual([
      { "key-id": keyId, operation: "sign", total: "6", uses: "1", exact: "yes" },
    ]);
  });

  it("reports exactly on request, and once for each use", async () => {
    const meter = await KeyMeter.open(options());
    meter.use(key, "sign");
    await meter.report();
    await meter.report();
    meter.use(key, "sign");
    await end(meter);
    expect(countsOf("key.used").map(({ total, uses }) => [total, uses])).toEqual([
      ["1", "1"],
      ["2", "1"],
    ]);
  });

  it("says little of a signer of one a second: a handful of events an hour", async () => {
    vi.useFakeTimers({ toFake: ["performance"] });
    try {
      const meter = await KeyMeter.open(options());
      const perHour: number[] = [];
      for (let second = 0; second < 8 * 3_600; second += 1) {
        if (second % 3_600 === 0) perHour.push(0);
        const before = journalled.length;
        meter.use(key, "sign");
        if (second % 8 === 0) await settled();
        perHour[perHour.length - 1] = (perHour.at(-1) ?? 0) + journalled.length - before;
        vi.advanceTimersByTime(1_000);
      }
      await end(meter);
      expect(Math.max(...perHour)).toBeLessThanOrEqual(15);
      expect(perHour.at(-1)).toBeLessThanOrEqual(7);
      // What a kill would leave too high stays within a block or two.
      const promised = Math.max(...countsOf("key.use-reserved").map(({ to }) => Number(to)));
      expect(promised - 8 * 3_600).toBeLessThan(4_096);
    } finally {
      vi.useRealTimers();
    }
  });
});

describe("a journal that takes nothing", () => {
  it("refuses a key's first use, and goes on by itself when there is room", async () => {
    journal.full = true;
    const meter = await KeyMeter.open(options());
    const metered = meterProvider(provider, meter);
    expect(codeOf(() => metered.sm2Sign(key, MESSAGE))).toBe("sm.key-use-unrecorded");
    await settled();
    journal.full = false;
    // The journal is offered an event again within a second; a use only waits for that.
    await expect
      .poll(() => codeOf(() => metered.sm2Sign(key, MESSAGE)), { interval: 50, timeout: 20_000 })
      .toBeUndefined();
    await end(meter);
    expect(countsOf("key.used")).toMatchObject([{ total: "1", exact: "yes" }]);
  });

  it("lets the journalled block be used up, not one more", async () => {
    const meter = await KeyMeter.open(options());
    meter.use(key, "sign");
    await settled();
    journal.full = true;
    let done = 1;
    while (codeOf(() => meter.use(key, "sign")) === undefined) {
      done += 1;
      await settled();
    }
    const promised = Math.max(...countsOf("key.use-reserved").map(({ to }) => Number(to)));
    expect(done).toBe(promised);
    journal.full = false;
    await end(meter);
    expect(countsOf("key.used")).toMatchObject([{ total: String(done), exact: "yes" }]);
  });

  it("closes a first block whose event was refused", async () => {
    let room = true;
    const meter = await KeyMeter.open(options({ room: () => room }));
    journal.full = true;
    meter.use(key, "sign");
    await settled();
    expect(codeOf(() => meter.use(key, "sign"))).toBe("sm.key-use-unrecorded");
    room = journal.full = false;
    await end(meter);
    // The one use is in the log all the same.
    expect(countsOf("key.used")).toMatchObject([{ total: "1" }]);
  });

  it("does not stop audit, whose signature empties journals; it journals when it can", async () => {
    const meter = await KeyMeter.open(options({ whenFull: "count" }));
    journal.full = true;
    for (let i = 0; i < 100; i += 1) {
      meter.use(key, "sign");
      await settled();
    }
    expect((await stateFile()).keys[0].reserved).toBeGreaterThanOrEqual(100);
    journal.full = false;
    await end(meter);
    expect(countsOf("key.used")).toMatchObject([{ total: "100", exact: "yes" }]);
  });

  it("keeps the exact count when even the last event is refused; the next start tells it", async () => {
    const meter = await KeyMeter.open(options());
    for (let i = 0; i < 3; i += 1) meter.use(key, "sign");
    await settled();
    journal.full = true;
    await end(meter);
    await expect(KeyMeter.open(options())).rejects.toThrow("journal.full");
    journal.full = false;
    journalled = [];
    await end(await KeyMeter.open(options()));
    expect(countsOf("key.used")).toEqual([
      { "key-id": keyId, operation: "sign", total: "3", uses: "3", exact: "yes" },
    ]);
    // Once: the start after that has nothing left to tell.
    await end(await KeyMeter.open(options()));
    expect(countsOf("key.used")).toHaveLength(1);
  });

  it("lets audit sign between its last report and its end; the next start tells that too", async () => {
    const meter = await KeyMeter.open(options({ whenFull: "count" }));
    meter.use(key, "sign");
    await meter.report();
    meter.use(key, "sign");
    await meter.settle();
    expect(codeOf(() => meter.use(key, "sign"))).toBe("sm.key-use-unrecorded");
    await end(await KeyMeter.open(options({ whenFull: "count" })));
    expect(countsOf("key.used").map(({ total, uses }) => [total, uses])).toEqual([
      ["1", "1"],
      ["2", "1"],
    ]);
  });

  it("refuses when the state folder cannot be written", async () => {
    const meter = await KeyMeter.open(options({ path: join(dir, "absent", "key-uses.json") }));
    expect(codeOf(() => meter.use(key, "sign"))).toBe("sm.key-use-unrecorded");
  });
});

describe("the file of counts", () => {
  it("stops the start when it is damaged", async () => {
    const row = { keyId: "0".repeat(32), operation: "sign", reserved: 5, used: 5, reported: 5 };
    const damaged: unknown[] = [
      "{",
      { format: 2, keys: [] },
      { format: 1 },
      { format: 1, keys: [{ ...row, used: 6 }] },
      { format: 1, keys: [{ ...row, reported: 6 }] },
      { format: 1, keys: [{ ...row, reserved: -1 }] },
      { format: 1, keys: [{ ...row, reserved: 1.5 }] },
      { format: 1, keys: [{ ...row, operation: "guess" }] },
      { format: 1, keys: [{ ...row, keyId: "../x" }] },
      { format: 1, keys: [null] },
      { format: 1, keys: [row, row] },
    ];
    for (const content of damaged) {
      const text = typeof content === "string" ? content : JSON.stringify(content);
      await writeFile(join(dir, "key-uses.json"), text);
      await expect(KeyMeter.open(options()), text).rejects.toThrow("sm.key-count-corrupt");
    }
  });
});
