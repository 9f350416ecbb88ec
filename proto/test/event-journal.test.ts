import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  appendFile,
  type FileHandle,
  mkdtemp,
  open as openFile,
  readdir,
  readFile,
  rm,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import fc from "fast-check";
import { pino } from "pino";
import { afterEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { decodeCanonical } from "../src/canonical.ts";
import { GatewayError } from "../src/errors/index.ts";
import {
  type AuditSink,
  EventJournal,
  type EventJournalOptions,
  MAX_BATCH_EVENTS,
} from "../src/event/index.ts";
import { lightferry } from "../src/gen/index.js";
import { newId } from "../src/ids.ts";

const { Event } = lightferry.audit.v1;
const log = pino({ level: "silent" });
const open: EventJournal[] = [];
const folders: string[] = [];

afterEach(async () => {
  for (const journal of open.splice(0)) await journal.close();
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
});

async function folder(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), "lf-journal-"));
  folders.push(dir);
  return dir;
}

async function journal(
  dir: string,
  more: Partial<EventJournalOptions> = {},
): Promise<EventJournal> {
  const opened = await EventJournal.open({
    dir,
    zone: "extranet",
    node: "node-extranet",
    emitter: "front-proxy",
    log,
    ...more,
  });
  open.push(opened);
  return opened;
}

/** An audit that dedupes by sequence as the real one does, and can be away. */
class Audit implements AuditSink {
  readonly bySequence = new Map<number, Uint8Array>();
  readonly trails: lightferry.audit.v1.PeerTrail.$Properties[] = [];
  readonly batches: number[] = [];
  away = false;
  repeated = 0;

  async append(request: lightferry.audit.v1.AppendRequest.$Properties): Promise<void> {
    if (this.away) throw new GatewayError("rpc.unavailable");
    const events = request.events ?? [];
    this.batches.push(events.length);
    for (const bytes of events) {
      const event = decodeCanonical(Event, bytes);
      const sequence = event.emitterSequence ?? 0;
      const known = this.bySequence.get(sequence);
      if (known !== undefined) {
        this.repeated += 1;
        expect(Buffer.compare(known, bytes)).toBe(0);
      }
      this.bySequence.set(sequence, bytes);
    }
    this.trails.push(...(request.peerTrails ?? []));
  }

  sequences(): number[] {
    return [...this.bySequence.keys()].sort((a, b) => a - b);
  }
}

const received = (actor = "bureau-01") =>
  ({ type: "exchange.received", outcome: "ok", actor, exchangeId: newId() }) as const;

const upTo = (n: number): number[] => Array.from({ length: n }, (_, index) => index + 1);

describe("recording", () => {
  it("fills in who, where, when and a sequence without holes", async () => {
    const one = await journal(await folder());
    const before = Date.now();
    const exchangeId = newId();
    const [bytes = new Uint8Array()] = await one.record([
      {
        type: "exchange.refused",
        outcome: "refused",
        code: "config.invalid",
        exchangeId,
        lane: "inbound",
        attributes: { second: "2", first: "登记" },
        ruleIds: ["r1"],
        size: 5_000_000_000,
      },
    ]);
    const event = decodeCanonical(Event, bytes);
    expect(event).toMatchObject({
      zone: "extranet",
      node: "node-extranet",
      emitter: "front-proxy",
      emitterSequence: 1,
      size: 5_000_000_000,
      attributes: [
        { name: "first", value: "登记" },
        { name: "second", value: "2" },
      ],
    });
    expect(event.timeMs).toBeGreaterThanOrEqual(before);
    expect(Buffer.from(event.exchangeId ?? [])).toEqual(Buffer.from(exchangeId));
    const more = await Promise.all(upTo(50).map(() => one.record([received(), received()])));
    const sequences = more.flat().map((b) => decodeCanonical(Event, b).emitterSequence);
    expect(sequences).toEqual(upTo(101).slice(1));
  });

  it("refuses what is not an event, without using up a sequence", async () => {
    const one = await journal(await folder());
    const bad: object[] = [
      { type: "no.such", outcome: "ok" },
      { type: "exchange.received", outcome: "fine" },
      { type: "exchange.received", outcome: "ok", exchangeId: new Uint8Array(15) },
      { type: "exchange.received", outcome: "ok", actor: "x".repeat(5_000) },
      { type: "exchange.received", outcome: "ok", actor: "\ud800" },
      { type: "exchange.received", outcome: "ok", size: -1 },
      { type: "exchange.received", outcome: "ok", attributes: { "": "x" } },
    ];
    for (const input of bad) {
      await expect(one.record([received(), input as never])).rejects.toMatchObject({
        code: "event.invalid",
      });
    }
    const [bytes = new Uint8Array()] = await one.record([received()]);
    expect(decodeCanonical(Event, bytes).emitterSequence).toBe(1);
    expect(await one.record([])).toEqual([]);
  });

  it("shares one disk write among callers", async () => {
    const audit = new Audit();
    const dir = await folder();
    const one = await journal(dir);
    const probe = await openFile(dir);
    const writes = vi.spyOn(Object.getPrototypeOf(probe) as FileHandle, "datasync");
    onTestFinished(() => writes.mockRestore());
    await probe.close();
    await Promise.all(
      upTo(64).map(async () => {
        for (let n = 0; n < 40; n++) await one.record([received(), received()]);
      }),
    );
    // All who wait are written at once: some 40 times for 2,560 records, whatever the disk's pace.
    expect(writes.mock.calls.length).toBeGreaterThanOrEqual(40);
    expect(writes.mock.calls.length).toBeLessThan(2_560 / 16);
    one.forwardTo(audit);
    await one.drained();
    expect(audit.sequences()).toEqual(upTo(5_120));
    expect(Math.max(...audit.batches)).toBeLessThanOrEqual(MAX_BATCH_EVENTS);
  });
});

describe("forwarding", () => {
  it("keeps everything while audit is away and sends it afterwards, over restarts", async () => {
    const dir = await folder();
    const audit = new Audit();
    audit.away = true;
    const first = await journal(dir, { sink: audit });
    for (let n = 0; n < 5; n++) await first.record(upTo(300).map(() => received()));
    await first.recordPeerTrail({
      zone: "business",
      exchangeId: newId(),
      bundleId: newId(),
      events: upTo(1_200).map((n) => Buffer.from(`event ${n}`)),
    });
    expect(first.backlog.records).toBe(1_503);
    await first.close();
    audit.away = false;
    const second = await journal(dir, { sink: audit });
    await second.record([received()]);
    await second.drained();
    expect(audit.sequences()).toEqual(upTo(1_501));
    expect(audit.repeated).toBe(0);
    expect(audit.trails.map((trail) => trail.events?.length)).toEqual([512, 512, 176]);
    expect(audit.trails[0]).toMatchObject({ zone: "business" });
    // A third start knows what was acknowledged.
    await second.close();
    const again = new Audit();
    const third = await journal(dir, { sink: again });
    await third.drained();
    expect(again.batches).toEqual([]);
  });

  it("sends again what it does not know to be acknowledged", async () => {
    const dir = await folder();
    const audit = new Audit();
    const first = await journal(dir, { sink: audit });
    await first.record(upTo(10).map(() => received()));
    await first.drained();
    await first.close();
    await writeFile(join(dir, "acknowledged"), "torn");
    const second = await journal(dir, { sink: audit });
    await second.record([received()]);
    await second.drained();
    expect(audit.repeated).toBe(10);
    expect(audit.sequences()).toEqual(upTo(11));
  });

  it("stops with journal.full at its limit, and goes on once audit is back", async () => {
    const dir = await folder();
    const audit = new Audit();
    audit.away = true;
    const one = await journal(dir, { sink: audit, maxBytes: 64 * 1024 });
    let accepted = 0;
    const fill = async (): Promise<never> => {
      for (;;) {
        await one.record([received(), received()]);
        accepted += 2;
      }
    };
    await expect(fill()).rejects.toMatchObject({ code: "journal.full" });
    expect(accepted).toBeGreaterThan(100);
    audit.away = false;
    await one.drained();
    await one.record([received()]);
    await one.drained();
    expect(audit.sequences()).toEqual(upTo(accepted + 1));
    // Acknowledged files are gone but for the one being written.
    expect((await readdir(dir)).filter((name) => name.endsWith(".journal"))).toHaveLength(1);
  });
});

describe("damage", () => {
  async function filled(): Promise<{ dir: string; path: string }> {
    const dir = await folder();
    const one = await journal(dir);
    for (let n = 0; n < 4; n++) await one.record([received(), received(), received()]);
    await one.close();
    const [name = ""] = (await readdir(dir)).filter((file) => file.endsWith(".journal"));
    return { dir, path: join(dir, name) };
  }

  it("forgets a torn tail, whatever of it reached the disk", async () => {
    const { path } = await filled();
    const whole = await readFile(path);
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 600 }),
        fc.uint8Array({ minLength: 0, maxLength: 40 }),
        async (cut, noise) => {
          const dir = await folder();
          const torn = join(dir, "0000000000000001.journal");
          await writeFile(torn, Buffer.concat([whole.subarray(0, whole.length - cut), noise]));
          const audit = new Audit();
          const one = await journal(dir, { sink: audit });
          await one.record([received()]);
          await one.drained();
          const sequences = audit.sequences();
          expect(sequences).toEqual(upTo(sequences.length));
          await one.close();
        },
      ),
      { numRuns: 25 },
    );
  });

  it("refuses to start when a record in the middle was altered", async () => {
    const { dir, path } = await filled();
    const bytes = await readFile(path);
    const middle = Math.floor(bytes.length / 2);
    bytes[middle] = (bytes[middle] ?? 0) ^ 1;
    await writeFile(path, bytes);
    await expect(journal(dir)).rejects.toMatchObject({ code: "journal.corrupt" });
  });

  it("refuses to start when acknowledged records or whole files are missing", async () => {
    const dir = await folder();
    const audit = new Audit();
    const one = await journal(dir, { sink: audit });
    await one.record([received(), received()]);
    await one.drained();
    await one.close();
    const path = join(dir, "0000000000000001.journal");
    const bytes = await readFile(path);
    await writeFile(path, bytes.subarray(0, bytes.length - 1));
    await expect(journal(dir)).rejects.toMatchObject({ code: "journal.corrupt" });

    const gap = await folder();
    audit.away = true;
    const small = await journal(gap, { sink: audit, maxBytes: 64 * 1024 });
    for (let n = 0; n < 150; n++) await small.record([received()]);
    await small.close();
    const names = (await readdir(gap)).filter((name) => name.endsWith(".journal")).sort();
    expect(names.length).toBeGreaterThan(2);
    await rm(join(gap, names[1] ?? ""));
    await expect(journal(gap)).rejects.toMatchObject({ code: "journal.corrupt" });
  });

  it("starts over a file whose creation a crash interrupted", async () => {
    const { dir } = await filled();
    await appendFile(join(dir, "0000000000000013.journal"), "LFJ");
    const audit = new Audit();
    const one = await journal(dir, { sink: audit });
    await one.record([received()]);
    await one.drained();
    expect(audit.sequences()).toEqual(upTo(13));
  });
});

describe("kill -9", () => {
  it("loses no event that was acknowledged to its caller", async () => {
    const dir = await folder();
    const script = `
      import { pino } from ${JSON.stringify(import.meta.resolve("pino"))};
      import { EventJournal } from ${JSON.stringify(new URL("../src/event/index.ts", import.meta.url).href)};
      const journal = await EventJournal.open({
        dir: ${JSON.stringify(dir)}, zone: "extranet", node: "n", emitter: "front-proxy", log: pino({ level: "silent" }),
      });
      let total = 0;
      const worker = async () => {
        for (;;) {
          const events = await journal.record([
            { type: "exchange.received", outcome: "ok" },
            { type: "exchange.permitted", outcome: "ok" },
          ]);
          process.stdout.write(events.map((e) => Buffer.from(e).toString("hex")).join("\\n") + "\\n");
          total += 2;
        }
      };
      await Promise.all(Array.from({ length: 16 }, worker));
    `;
    const promised: string[] = [];
    for (let round = 0; round < 3; round++) {
      const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      const wanted = promised.length + 400;
      const lines = createInterface({ input: child.stdout });
      lines.on("line", (line) => {
        // The last line may have been cut by the kill; a whole event is longer than that.
        if (line.length % 2 === 0) promised.push(line);
        if (promised.length === wanted) child.kill("SIGKILL");
      });
      await Promise.all([once(child, "exit"), once(lines, "close")]);
    }
    expect(promised.length).toBeGreaterThanOrEqual(1_200);
    const audit = new Audit();
    const survivor = await journal(dir, { sink: audit });
    await survivor.drained();
    const kept = new Set([...audit.bySequence.values()].map((b) => Buffer.from(b).toString("hex")));
    const complete = promised.filter((hex) => {
      try {
        return decodeCanonical(Event, Buffer.from(hex, "hex")).emitterSequence !== undefined;
      } catch {
        return false;
      }
    });
    expect(complete.length).toBeGreaterThanOrEqual(promised.length - 3);
    expect(complete.filter((hex) => !kept.has(hex))).toEqual([]);
    const sequences = audit.sequences();
    expect(sequences).toEqual(upTo(sequences.length));
  });
});
