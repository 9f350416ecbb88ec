import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { readHeader } from "@lightferry/proto/bundle";
import { afterAll, beforeAll, expect, it } from "vitest";
import { cli } from "../drills/cli.ts";
import { freePortBase } from "../drills/zones.ts";
import { ZONES, zonePaths, zonePorts } from "../src/layout.ts";
import { REPOSITORY } from "../src/repository.ts";

const parent = mkdtempSync(join(tmpdir(), "lightferry-start-"));
const home = join(parent, "home");
let portBase = 0;

interface Started {
  readonly child: ChildProcess;
  readonly lines: string[];
  /** Resolves when a line contains the text, or the program has ended. */
  until(text: string): Promise<boolean>;
  readonly ended: Promise<number | null>;
}

function start(...args: string[]): Started {
  const child = spawn(
    process.execPath,
    [
      join(REPOSITORY, "deploy/src/start.ts"),
      "--home",
      home,
      "--port-base",
      String(portBase),
      ...args,
    ],
    { stdio: ["ignore", "pipe", "pipe"] },
  );
  const lines: string[] = [];
  const waiting = new Set<() => void>();
  for (const stream of [child.stdout, child.stderr]) {
    if (stream === null) continue;
    createInterface({ input: stream }).on("line", (line) => {
      lines.push(line);
      for (const wake of waiting) wake();
    });
  }
  const ended = new Promise<number | null>((resolve) => {
    child.on("close", (code) => {
      resolve(code);
      for (const wake of waiting) wake();
    });
  });
  return {
    child,
    lines,
    ended,
    until: (text) =>
      new Promise((resolve) => {
        const look = () => {
          const found = lines.some((line) => line.includes(text));
          if (!found && child.exitCode === null) return;
          waiting.delete(look);
          resolve(found);
        };
        waiting.add(look);
        look();
      }),
  };
}

/** Every process of both zones as the supervisors wrote them down. */
function pids(): number[] {
  return ZONES.flatMap((zone) => {
    const path = join(zonePaths(home, zone).state, "supervisor.json");
    const { pid, postgresPid, services } = JSON.parse(readFileSync(path, "utf8")) as {
      pid: number;
      postgresPid: number;
      services: Record<string, { pid: number }>;
    };
    return [pid, postgresPid, ...Object.values(services).map((service) => service.pid)];
  });
}

const alive = (pid: number) => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

async function receivedRecords(): Promise<number> {
  const { receiver } = zonePorts("business", portBase);
  const answer = await fetch(`http://127.0.0.1:${receiver}/records`);
  return ((await answer.json()) as { total: number }).total;
}

/** The one warning of the demonstration, as a zone shows it. */
async function warning(zone: string) {
  const search = ["exchange", "list", "--service", "hazard-warning", "--zone", zone, "--json"];
  const { exchanges } = JSON.parse((await cli(home, search)).out);
  expect(exchanges).toHaveLength(1);
  return exchanges[0];
}

beforeAll(async () => {
  portBase = await freePortBase();
});

afterAll(() => {
  rmSync(parent, { recursive: true, force: true });
});

it("starts, refuses a second start, stops, resumes, and ends on Ctrl-C", {
  timeout: 240_000,
}, async () => {
  const first = start();
  expect(await first.until("npx lightferry stop")).toBe(true);
  expect(first.lines.filter((line) => line.includes("✘"))).toEqual([]);
  expect(await receivedRecords()).toBe(60);
  // What the registry calls urgent crossed in a bundle of the urgent stream; nothing else is in it.
  const sent = await warning("extranet");
  expect(sent).toMatchObject({ priority: "urgent", state: "emitted" });
  const file = join(zonePaths(home, "extranet").outbox, `${sent.bundleId}.lfb`);
  const { header } = await readHeader(file);
  expect([header.stream, header.items.length]).toEqual(["inbound/node-extranet/urgent", 1]);
  const received = await warning("business");
  expect(received).toMatchObject({ exchangeId: sent.exchangeId, state: "delivered" });
  expect((await cli(home, ["status", "--json"])).code).toBe(0);

  const second = start();
  expect(await second.ended).toBe(1);
  expect(second.lines.join("\n")).toContain("已在运行");

  const running = pids();
  expect((await cli(home, ["stop"])).code).toBe(0);
  expect(await first.ended).toBe(0);
  expect(running.filter(alive)).toEqual([]);
  expect((await cli(home, ["stop"])).code).toBe(4);

  const third = start();
  expect(await third.until("npx lightferry stop")).toBe(true);
  // The same pieces under the same keys are the same exchanges: nothing crossed twice.
  expect(await receivedRecords()).toBe(60);
  const again = pids();
  third.child.kill("SIGINT");
  expect(await third.ended).toBe(0);
  expect(again.filter(alive)).toEqual([]);
});

it("leaves nothing behind when it is killed", { timeout: 240_000 }, async () => {
  const killed = start();
  expect(await killed.until("npx lightferry stop")).toBe(true);
  const running = pids();
  killed.child.kill("SIGKILL");
  await killed.ended;
  // Supervisors see their standard input end, services theirs, PostgreSQL its starter's death.
  await expect.poll(() => running.filter(alive), { timeout: 120_000, interval: 100 }).toEqual([]);
});
