/** Guarantee checked: nothing is done with a key before its intent is on the disk, and no line of the record changes unseen. */
import { fork } from "node:child_process";
import { once } from "node:events";
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { GatewayError } from "../src/errors/index.ts";
import {
  actionsDirBeside,
  actionsFile,
  readKeyActions,
  totalUses,
  withKeyAction,
} from "../src/service/index.ts";
import { formatKeyId, loadProvider } from "../src/sm/index.ts";

const provider = loadProvider();
let folder = "";
let count = 0;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "lf-key-actions-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A folder of keys of its own. */
const fresh = (): string => join(folder, `home-${count++}`, "sign");
const linesOf = (keyFolder: string) => readKeyActions(actionsDirBeside(keyFolder)).entries;
const wish = (keyFolder: string, about: Record<string, string> = {}) => ({
  ...{ keyFolder, verb: "keys rotate", operator: "王工", about },
});
const damaged = expect.objectContaining({ code: "key.actions-damaged" });

describe("intent and end", () => {
  test("the intent is there while the work is done; the end names keys, serials and counted uses", async () => {
    const keys = fresh();
    const key = provider.generateSm2();
    const keyId = formatKeyId(key.publicKey);
    await withKeyAction(wish(keys, { use: "sign" }), (action) => {
      expect(linesOf(keys)).toMatchObject([{ event: "begun", line: 1, operator: "王工" }]);
      const signature = action.provider.sm2Sign(key, Buffer.from("a"));
      action.provider.sm2Sign(key, Buffer.from("b"));
      expect(action.provider.sm2Verify(key.publicKey, Buffer.from("a"), signature)).toBe(true);
      const sealed = provider.sm2Encrypt(key.publicKey, Buffer.from("c"));
      action.counted(provider).sm2Decrypt(key, sealed);
      action.note({ keys: [keyId], serials: ["0a"], about: { list: "7" } });
    });
    const [, ended] = linesOf(keys);
    expect(ended).toMatchObject({
      ...{ event: "ended", begun: 1, outcome: "ok", code: "", keys: [keyId], serials: ["0a"] },
      about: { use: "sign", list: "7" },
    });
    await withKeyAction({ ...wish(keys), operator: undefined }, ({ provider: counted }) =>
      counted.sm2Sign(key, Buffer.from("d")),
    );
    const entries = linesOf(keys);
    expect(entries[2]?.operator).toBe(entries[2]?.user);
    expect([...totalUses(entries).values()]).toEqual([
      { keyId, operation: "sign", count: 3 },
      { keyId, operation: "decrypt", count: 1 },
    ]);
    key.destroy();
  });

  test("a fault of the work is told as it is, and stands in the record with its code", async () => {
    const keys = fresh();
    const fault = new GatewayError("sm.key-locked");
    await expect(withKeyAction(wish(keys), () => Promise.reject(fault))).rejects.toBe(fault);
    expect(linesOf(keys)[1]).toMatchObject({ outcome: "error", code: "sm.key-locked" });
  });

  test("steering characters and long texts cannot rewrite what is shown", async () => {
    const keys = fresh();
    const operator = `a\u001b[2J\u202eb\n${"长".repeat(400)}`;
    await withKeyAction({ ...wish(keys), operator }, () => undefined);
    const said = linesOf(keys)[0]?.operator ?? "";
    expect(said).toHaveLength(255);
    expect(said).toMatch(/^a \[2J b 长+…$/);
  });

  test("what cannot be recorded is not done", async () => {
    const keys = fresh();
    let done = 0;
    const work = () => {
      done += 1;
    };
    // A file where the folder should be: full disks and missing rights end the same way.
    mkdirSync(join(keys, ".."), { recursive: true });
    writeFileSync(actionsDirBeside(keys), "");
    const unrecorded = expect.objectContaining({ code: "key.action-unrecorded" });
    await expect(withKeyAction(wish(keys), work)).rejects.toEqual(unrecorded);
    rmSync(actionsDirBeside(keys));
    await withKeyAction(wish(keys), work);
    const file = actionsFile(actionsDirBeside(keys));
    writeFileSync(file, readFileSync(file, "utf8").replace("王工", "李工"));
    await expect(withKeyAction(wish(keys), work)).rejects.toEqual(damaged);
    expect(done).toBe(1);
  });

  test("many at once take turns, and only the owner reads it", async () => {
    const keys = fresh();
    await Promise.all(
      Array.from({ length: 12 }, (_, i) =>
        withKeyAction(wish(keys, { turn: String(i) }), () => new Promise(setImmediate)),
      ),
    );
    const entries = linesOf(keys);
    expect(entries).toHaveLength(24);
    const ended = entries.filter(({ event }) => event === "ended");
    expect(new Set(ended.map(({ about }) => about.turn)).size).toBe(12);
    const dir = actionsDirBeside(keys);
    expect(statSync(dir).mode & 0o777).toBe(0o700);
    expect(statSync(actionsFile(dir)).mode & 0o777).toBe(0o600);
  });

  test("killed in the middle: the intent stays, the next command goes on behind it", async () => {
    const keys = fresh();
    const child = fork(join(import.meta.dirname, "key-action-child.ts"), [keys]);
    await once(child, "message");
    child.kill("SIGKILL");
    await once(child, "exit");
    // And a line that a power cut left unfinished was never acknowledged.
    appendFileSync(actionsFile(actionsDirBeside(keys)), '{"line":2,"atMs":1');
    await withKeyAction(wish(keys), () => undefined);
    expect(linesOf(keys)).toMatchObject([
      { event: "begun", verb: "keys destroy" },
      { event: "begun", verb: "keys rotate" },
      { event: "ended", begun: 2 },
    ]);
  });
});

describe("the chain", () => {
  let whole: Buffer;
  beforeAll(async () => {
    const keys = fresh();
    for (const turn of ["one", "two", "three"]) {
      await withKeyAction(wish(keys, { turn }), (action) => action.note({ keys: [turn] }));
    }
    whole = readFileSync(actionsFile(actionsDirBeside(keys)));
  });

  function read(bytes: Uint8Array) {
    const dir = actionsDirBeside(fresh());
    mkdirSync(dir, { recursive: true });
    writeFileSync(actionsFile(dir), bytes);
    return readKeyActions(dir);
  }

  test("every changed bit of every line but the last is found", () => {
    // The last line's digest stands nowhere in the file: its head is for whoever keeps it.
    const last = whole.lastIndexOf(0x0a, whole.length - 2) + 1;
    fc.assert(
      fc.property(fc.nat(last - 1), fc.integer({ min: 0, max: 7 }), (at, bit) => {
        const changed = Buffer.from(whole);
        changed[at] = (changed[at] ?? 0) ^ (1 << bit);
        expect(() => read(changed)).toThrow(damaged);
      }),
      { numRuns: 200 },
    );
    const { head } = read(whole);
    const other = Buffer.from(whole);
    other[last + whole.subarray(last).indexOf("three")] = 0x54;
    expect(read(other).head).not.toBe(head);
  });

  test("a line that is missing, moved, doubled or ends what never began is found", () => {
    const lines = whole.toString().split("\n").slice(0, -1);
    const [a = "", b = "", c = "", ...rest] = lines;
    for (const order of [
      [b, c],
      [a, c, ...rest],
      [a, a, b],
      [b, a, c],
      [a, c, b, ...rest],
    ]) {
      expect(() => read(Buffer.from(`${order.join("\n")}\n`))).toThrow(damaged);
    }
    expect(read(Buffer.from(`${a}\n${b}\n`)).entries).toHaveLength(2);
    const orphan = JSON.stringify({ ...JSON.parse(b), line: 1, previous: "0".repeat(64) });
    expect(() => read(Buffer.from(`${orphan}\n`))).toThrow(damaged);
  });

  test("what is no record is refused, not read as an empty one", () => {
    for (const text of ["null\n", "[]\n", "{}\n", "x\n", '{"line":1}\n']) {
      expect(() => read(Buffer.from(text)), text).toThrow(damaged);
    }
    expect(read(new Uint8Array()).entries).toEqual([]);
  });
});
