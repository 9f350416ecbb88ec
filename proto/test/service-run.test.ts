import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { pino } from "pino";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { decodeCanonical } from "../src/canonical.ts";
import { lightferry } from "../src/gen/index.js";
import { AuditService, bind, type RpcServer, startRpcServer } from "../src/rpc/index.ts";
import {
  readAddress,
  readBaseConfig,
  readInteger,
  readOneOf,
  readString,
  refuseUnknownFields,
  takeStateLock,
} from "../src/service/index.ts";
import { type TestZone, testZone } from "../src/testing/index.ts";
import { serviceProgram, serviceSettings } from "./service-program.ts";

const { Event } = lightferry.audit.v1;

/** A service that opens two things, says so, and obeys a few words of its settings. */
const PROGRAM = serviceProgram(
  `
    shell.onClose(() => console.log("closed first-opened"));
    shell.onClose(() => console.log("closed last-opened"));
    if (shell.config.mishap === "at start") throw new TypeError("mishap");
    shell.log.info({ token: "t-123", nested: { password: "p-456" } }, "secrets");
    shell.ready({ port: 7 });
    if (shell.config.mishap === "later") setImmediate(() => { throw new TypeError("mishap"); });
    setInterval(() => undefined, 1000);
  `,
  `(raw) => ({ ...readBaseConfig(raw), mishap: readField(raw, "mishap") })`,
);

interface Running {
  readonly child: ChildProcess;
  readonly lines: string[];
  readonly ended: Promise<{ code: number | null; lines: string[] }>;
  until(text: string): Promise<void>;
}

let zone: TestZone;
let audit: RpcServer;
let dir: string;
const events: lightferry.audit.v1.Event.$Properties[] = [];
const running: Running[] = [];

beforeAll(async () => {
  zone = await testZone("extranet");
  dir = await mkdtemp(join(tmpdir(), "lf-service-"));
  await writeFile(join(dir, "program.mjs"), PROGRAM);
  const unused = async () => ({});
  audit = await startRpcServer({
    listen: { host: "127.0.0.1", port: 0 },
    tls: zone.tls.audit,
    zone: "extranet",
    log: pino({ level: "silent" }),
    services: [
      bind(
        AuditService,
        {
          append: async (request) => {
            events.push(...(request.events ?? []).map((bytes) => decodeCanonical(Event, bytes)));
            return {};
          },
          getCheckpoint: unused,
          witness: unused,
          listEvents: unused,
          getTrail: unused,
        },
        { append: ["policy"], getCheckpoint: [], witness: [], listEvents: [], getTrail: [] },
      ),
    ],
  });
});
afterEach(async () => {
  for (const one of running.splice(0)) {
    one.child.kill("SIGKILL");
    await one.ended;
  }
});
afterAll(async () => {
  await audit.close();
  await zone.cleanup();
  await rm(dir, { recursive: true, force: true });
});

function settings(more: object = {}): Record<string, unknown> {
  const peers = { audit: `127.0.0.1:${audit.port}` };
  return serviceSettings(dir, { tls: zone.tls.policy, peers, ...more });
}

async function start(config: unknown, supervised = false): Promise<Running> {
  const path = join(dir, `config-${Math.random()}.json`);
  await writeFile(path, JSON.stringify(config));
  const child = spawn(process.execPath, [join(dir, "program.mjs"), "--config", path], {
    stdio: ["pipe", "pipe", "inherit"],
    env: {
      ...process.env,
      LIGHTFERRY_SUPERVISED: supervised ? "1" : "",
      LIGHTFERRY_LOG_LEVEL: "info",
    },
  });
  const lines: string[] = [];
  const waiting: (() => void)[] = [];
  const reader = createInterface({ input: child.stdout });
  reader.on("line", (line) => {
    lines.push(line);
    for (const look of waiting) look();
  });
  const ended = Promise.all([once(child, "exit"), once(reader, "close")]).then(([[code]]) => ({
    code: code as number | null,
    lines,
  }));
  const until = (text: string): Promise<void> =>
    new Promise((resolve) => {
      const look = (): void => {
        if (lines.some((line) => line.includes(text))) resolve();
      };
      waiting.push(look);
      look();
    });
  const one = { child, lines, ended, until };
  running.push(one);
  return one;
}

describe("runService", () => {
  it("says ready, ends in order on SIGTERM and journals both", async () => {
    events.length = 0;
    const one = await start(settings());
    await one.until('"event":"ready"');
    const ready = JSON.parse(one.lines.find((line) => line.includes('"event":"ready"')) ?? "{}");
    expect(ready).toMatchObject({ service: "policy", zone: "extranet", port: 7 });
    one.child.kill("SIGTERM");
    const { code, lines } = await one.ended;
    expect(code).toBe(0);
    expect(lines.filter((line) => line.startsWith("closed"))).toEqual([
      "closed last-opened",
      "closed first-opened",
    ]);
    expect(lines.join()).not.toMatch(/t-123|p-456/);
    expect(events.map(({ type }) => type)).toEqual(["service.started", "service.stopped"]);
    expect(events[0]).toMatchObject({ emitter: "policy", node: "node-extranet" });
  });

  it("ends when its supervisor vanishes, and starts again after a kill", async () => {
    const one = await start(settings(), true);
    await one.until('"event":"ready"');
    const second = await start(settings());
    expect((await second.ended).code).toBe(1);
    expect(second.lines.join()).toContain("service.already-running");
    one.child.stdin?.end();
    expect((await one.ended).code).toBe(0);
    const killed = await start(settings());
    await killed.until('"event":"ready"');
    killed.child.kill("SIGKILL");
    await killed.ended;
    const again = await start(settings());
    await again.until('"event":"ready"');
    again.child.kill("SIGINT");
    expect((await again.ended).code).toBe(0);
  });

  it("starts while audit is down", async () => {
    const one = await start(
      settings({ stateDir: join(dir, "alone"), peers: { audit: "127.0.0.1:1" } }),
    );
    await one.until('"event":"ready"');
    one.child.kill("SIGTERM");
    expect((await one.ended).code).toBe(0);
  });

  it("exits with 2 and the name of a wrong setting, with 1 after a fault", async () => {
    const [wrong, other] = await Promise.all([
      start(settings({ mode: "trial" })),
      start(settings({ service: "audit" })),
    ]);
    expect((await wrong.ended).code).toBe(2);
    expect(wrong.lines.join()).toContain("mode: one of demo, production is expected");
    expect((await other.ended).code).toBe(2);
    for (const mishap of ["at start", "later"]) {
      events.length = 0;
      const faulty = await start(settings({ mishap }));
      const { code, lines } = await faulty.ended;
      expect(code).toBe(1);
      expect(events.at(-1)).toMatchObject({ type: "service.stopped", code: "internal.fault" });
      // The log is written beside it and may come later.
      const closed = lines.filter((line) => line.startsWith("closed"));
      expect(closed.at(-1)).toBe("closed first-opened");
    }
  });
});

describe("settings", () => {
  const codeOf = (read: () => unknown): string => {
    try {
      return String(read());
    } catch (error) {
      return (error as { code: string; detail: string }).detail;
    }
  };

  it("are named by their path when wrong", () => {
    const raw = { a: { b: "x", n: 5, address: "h:70000" }, list: [] };
    expect(readString(raw, "a.b")).toBe("x");
    expect(codeOf(() => readString(raw, "a.c"))).toMatch(/^a\.c: /);
    expect(codeOf(() => readString(raw, "list.length.x"))).toMatch(/^list\.length\.x: /);
    expect(readInteger(raw, "a.n", { min: 1, max: 5 })).toBe(5);
    expect(codeOf(() => readInteger(raw, "a.n", { min: 6, max: 7 }))).toMatch(/6 to 7/);
    expect(codeOf(() => readAddress(raw, "a.address"))).toMatch(/^a\.address: host:port/);
    expect(codeOf(() => readOneOf(raw, "a.b", ["y", "z"]))).toMatch(/one of y, z/);
    expect(codeOf(() => refuseUnknownFields(raw, "a", ["b", "n"]))).toMatch(/^a\.address: no such/);
    expect(codeOf(() => readString({}, "__proto__"))).toMatch(/^__proto__: /);
  });

  it("of every service are checked as a whole", () => {
    expect(readBaseConfig(settings())).toMatchObject({ zone: "extranet", service: "policy" });
    for (const [field, value] of Object.entries({
      zone: "Extranet",
      node: "",
      tls: { ca: "x" },
      peers: { audit: "nowhere" },
      listen: { host: "127.0.0.1", port: 70_000 },
      journalMaxBytes: 1,
    })) {
      expect(codeOf(() => readBaseConfig(settings({ [field]: value })))).toContain(field);
    }
  });
});

describe("state lock", () => {
  it("is held by one process, and a stale one is taken over", async () => {
    const folder = join(dir, "locked");
    const lock = takeStateLock(folder);
    expect(() => takeStateLock(folder)).toThrow(/service\.already-running/);
    lock.release();
    // A number that is in use, but by a process that began at another time.
    await writeFile(join(folder, "lock"), `${process.ppid} 1\n`);
    takeStateLock(folder).release();
  });
});
