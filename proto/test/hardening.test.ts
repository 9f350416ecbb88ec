/** What a process that holds keys shows to the world: real child processes, looked at from outside. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { exposures, refuseExposure } from "../src/service/index.ts";

const module = new URL("../src/service/index.ts", import.meta.url).href;
const linux = process.platform === "linux";
const root = process.getuid?.() === 0;
/** nobody: an ordinary user that owns nothing here. */
const NOBODY = 65534;

/** A service that holds a secret in memory and says where. */
const SERVICE = `
  import koffi from "koffi";
  import { readBaseConfig, runService } from ${JSON.stringify(module)};
  await runService({
    name: "policy",
    parse: readBaseConfig,
    start: async (shell) => {
      const secret = Buffer.from("canary-" + "in-memory");
      globalThis.kept = secret;
      shell.ready({
        address: String(koffi.address(secret)),
        report: [process.report.excludeEnv, process.report.reportOnFatalError],
      });
      setInterval(() => undefined, 1000);
    },
  });
`;
/** The same memory without any hardening: what the tests must find readable. */
const PLAIN = `
  import koffi from "koffi";
  const secret = Buffer.from("canary-" + "in-memory");
  globalThis.kept = secret;
  console.log(JSON.stringify({ event: "ready", address: String(koffi.address(secret)) }));
  setInterval(() => undefined, 1000);
`;
/** Reads another process as a debugger without ptrace would. */
const READER = `
  const { openSync, readSync } = require("node:fs");
  const bytes = Buffer.alloc(16);
  readSync(openSync("/proc/" + process.argv[1] + "/mem", "r"), bytes, 0, 16, BigInt(process.argv[2]));
  process.stdout.write(bytes);
`;

let dir: string;
const children: ChildProcess[] = [];

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "lf-hardening-"));
  await chmod(dir, 0o777);
  // Beside the packages it imports, so that bare names resolve.
  await writeFile(join(dir, "service.mjs"), withPackages(SERVICE));
  await writeFile(join(dir, "plain.mjs"), withPackages(PLAIN));
});
afterEach(async () => {
  for (const child of children.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    child.kill("SIGKILL");
    await once(child, "exit");
  }
});
afterAll(() => rm(dir, { recursive: true, force: true }));

function withPackages(program: string): string {
  return program.replace('"koffi"', JSON.stringify(import.meta.resolve("koffi")));
}

interface Ready {
  readonly pid: number;
  readonly child: ChildProcess;
  readonly said: Readonly<Record<string, unknown>>;
  readonly lines: readonly string[];
  readonly exited: Promise<unknown>;
}

interface Start {
  readonly mode?: string;
  readonly flags?: readonly string[];
  readonly uid?: number;
  readonly env?: Record<string, string>;
  /** A shell line in front, for limits; `exec` keeps the process number. */
  readonly before?: string;
}

async function start(program: "service" | "plain", how: Start = {}): Promise<Ready> {
  const own = await mkdtemp(join(dir, `${program}-`));
  await chmod(own, 0o777);
  const config = join(own, "config.json");
  await writeFile(
    config,
    JSON.stringify({
      zone: "extranet",
      node: "node-extranet",
      service: "policy",
      mode: how.mode ?? "production",
      stateDir: join(own, "state"),
      tls: { ca: "unused", cert: "unused", key: "unused" },
      anchorPath: join(own, "anchor.json"),
      trustRootPath: join(own, "root.pem"),
    }),
  );
  const words = [...(how.flags ?? []), join(dir, `${program}.mjs`), "--config", config];
  const child = spawn(
    "/bin/sh",
    ["-c", `${how.before ?? ":"}; exec "$0" "$@"`, process.execPath, ...words],
    {
      cwd: own,
      stdio: ["ignore", "pipe", "pipe"],
      env: {
        PATH: process.env.PATH,
        NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE,
        LIGHTFERRY_LOG_LEVEL: "info",
        ...how.env,
      },
      ...(how.uid === undefined ? {} : { uid: how.uid, gid: how.uid }),
    },
  );
  children.push(child);
  const exited = once(child, "exit");
  const lines: string[] = [];
  child.stderr?.on("data", (chunk: Buffer) => lines.push(chunk.toString()));
  const said = await new Promise<Record<string, unknown>>((resolve) => {
    const reader = createInterface({ input: child.stdout as NodeJS.ReadableStream });
    reader.on("line", (line) => {
      lines.push(line);
      if (line.includes('"event":"ready"')) resolve(JSON.parse(line));
    });
    child.once("close", () => resolve({}));
  });
  return { pid: child.pid ?? 0, child, said, lines, exited };
}

/** What a reader of the given user finds at the secret's place, or the error it meets. */
function readFrom(pid: number, address: unknown, uid?: number): string {
  try {
    return execFileSync(process.execPath, ["-e", READER, String(pid), String(address)], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
      ...(uid === undefined ? {} : { uid, gid: uid }),
    });
  } catch (error) {
    return /EACCES|EPERM/.exec(String(error))?.[0] ?? String(error);
  }
}

async function coresIn(folder: string): Promise<string[]> {
  const names = await readdir(folder);
  return names.filter((name) => name.startsWith("core"));
}

/** Ports on which the process listens, by its sockets' inodes: only its own user or root can ask. */
function listens(pid: number): boolean {
  const out = execFileSync("ss", ["-ltnpH"], { encoding: "utf8" });
  return out.includes(`pid=${pid},`);
}
const hasSs = (() => {
  try {
    execFileSync("ss", ["-V"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
})();

/** Whether an ordinary user can run the program at all: the repository may lie in a private folder. */
const nobodyRuns = (() => {
  if (!linux || !root) return false;
  try {
    const path = new URL("../src/service/index.ts", import.meta.url).pathname;
    execFileSync(process.execPath, ["-e", `require("fs").accessSync(${JSON.stringify(path)})`], {
      uid: NOBODY,
      gid: NOBODY,
      stdio: "ignore",
    });
    return true;
  } catch {
    return false;
  }
})();
const yama = linux
  ? await readFile("/proc/sys/kernel/yama/ptrace_scope", "utf8").catch(() => "0")
  : "0";
const pattern = linux ? await readFile("/proc/sys/kernel/core_pattern", "utf8") : "";

describe("a service in production", () => {
  it.runIf(linux)(
    "has no core limit above zero, no dump, no report of its environment",
    async () => {
      const { pid, said } = await start("service", { before: "ulimit -c unlimited" });
      const limits = await readFile(`/proc/${pid}/limits`, "utf8");
      expect(limits).toMatch(/^Max core file size +0 +0 +bytes/m);
      expect(said.report).toEqual([true, false]);
      // What tools of the zone read stays readable, to every user.
      expect(await readFile(`/proc/${pid}/stat`, "utf8")).toContain(`${pid} (`);
      expect(await readFile(`/proc/${pid}/status`, "utf8")).toMatch(/VmHWM:\s+\d+ kB/);
    },
  );

  it.runIf(linux && hasSs)(
    "opens no port on SIGUSR1, goes on, and says that it was asked",
    async () => {
      const [{ pid, child, lines }, plain] = await Promise.all([start("service"), start("plain")]);
      child.kill("SIGUSR1");
      // The answer is a log line: an event to wait for.
      await expect.poll(() => lines.join("\n"), { interval: 20 }).toContain("SIGUSR1");
      expect(listens(pid)).toBe(false);
      expect(child.exitCode ?? child.signalCode).toBeNull();
      plain.child.kill("SIGUSR1");
      await expect.poll(() => plain.lines.join("\n"), { interval: 20 }).toContain("ws://");
      expect(listens(plain.pid)).toBe(true);
    },
  );

  it.runIf(nobodyRuns && yama.trim() === "0")(
    "cannot be read by another process of its own user; an ordinary program can",
    async () => {
      const [service, plain] = await Promise.all([
        start("service", { uid: NOBODY }),
        start("plain", { uid: NOBODY }),
      ]);
      expect(readFrom(plain.pid, plain.said.address, NOBODY)).toBe("canary-in-memory");
      expect(readFrom(service.pid, service.said.address, NOBODY)).toBe("EACCES");
      // Locks and status of the zone read these of one another's processes, as ordinary users.
      for (const file of ["stat", "status", "cmdline"]) {
        const path = `/proc/${service.pid}/${file}`;
        const read = `require("fs").readFileSync(${JSON.stringify(path)})`;
        execFileSync(process.execPath, ["-e", read], { uid: NOBODY, gid: NOBODY });
      }
      // Against root nothing helps, and the page says so.
      expect(readFrom(service.pid, service.said.address)).toBe("canary-in-memory");
    },
  );

  it.runIf(linux && !pattern.startsWith("|") && !pattern.startsWith("/"))(
    "leaves no core file when it is aborted; an ordinary program leaves one",
    async () => {
      // 64 KiB are enough to see that there is one.
      const before = "ulimit -c 128";
      const left = async (program: "service" | "plain") => {
        const folder = join(dir, `cores-${program}`);
        await mkdir(folder, { mode: 0o777 });
        const { child, said, exited } = await start(program, {
          before: `${before}; cd '${folder}'`,
        });
        expect(said.event).toBe("ready");
        child.kill("SIGABRT");
        await exited;
        return (await coresIn(folder)).length;
      };
      expect(await Promise.all([left("service"), left("plain")])).toEqual([0, 1]);
    },
  );

  it("refuses to start with an inspector or a profile, by flag or by NODE_OPTIONS", async () => {
    const starts: Start[] = [
      { flags: ["--inspect=127.0.0.1:0"] },
      { env: { NODE_OPTIONS: "--heapsnapshot-signal=SIGUSR2" } },
    ];
    // A demonstration may be debugged; it says so.
    const inspected = start("service", { mode: "demo", flags: ["--inspect=127.0.0.1:0"] });
    await Promise.all(
      starts.map(async (how) => {
        const { child, lines, said, exited } = await start("service", how);
        await exited;
        expect(said).toEqual({});
        expect(child.exitCode).toBe(1);
        expect(lines.join("\n")).toContain("service.exposed");
      }),
    );
    const demo = await inspected;
    expect(demo.said.event).toBe("ready");
    expect(demo.lines.join("\n")).toContain("an inspector is open");
  });
});

describe.runIf(linux)("a command", () => {
  it("is as closed as a service before its verb runs", () => {
    const cli = new URL("../src/cli/index.ts", import.meta.url).href;
    const words = { "zh-CN": "x", en: "x" };
    const program = `
      import { readFileSync } from "node:fs";
      import { runNoun } from ${JSON.stringify(cli)};
      const words = ${JSON.stringify(words)};
      const run = async () => {
        process.stdout.write(readFileSync("/proc/self/limits", "utf8"));
        process.stdout.write("listeners " + process.listenerCount("SIGUSR1"));
        return 0;
      };
      await runNoun({ name: "probe", summary: words, verbs: [{ name: "", summary: words, run }] }, []);
    `;
    const out = execFileSync(
      "/bin/sh",
      [
        "-c",
        `ulimit -c unlimited; exec "$0" "$@"`,
        process.execPath,
        "--input-type=module",
        "-e",
        program,
      ],
      { encoding: "utf8" },
    );
    expect(out).toMatch(/^Max core file size +0 +0 +bytes/m);
    expect(out).toContain("listeners 1");
  });
});

describe("exposing options", () => {
  it("are known in every spelling, and harmless ones pass", () => {
    const bad = [
      "--inspect",
      "--inspect-brk=0.0.0.0:9229",
      "--inspect_wait",
      "--debug-port=1",
      "--heapsnapshot-signal=SIGUSR2",
      "--heapsnapshot-near-heap-limit=3",
      "--heap-prof",
      "--cpu_prof",
      "--prof",
      "--perf-basic-prof",
      "--report-on-signal",
      "--report-uncaught-exception",
      "--abort-on-uncaught-exception",
      "--tls-keylog=keys.log",
      "--trace_tls",
    ];
    for (const option of bad) {
      expect(exposures([option], ""), option).toHaveLength(1);
      expect(exposures([], `--no-warnings "${option}"`), option).toHaveLength(1);
    }
    const good = ["--disable-sigusr1", "--report-exclude-env", "--max-old-space-size=512"];
    expect(exposures([...good, "--no-warnings"], good.join(" "), [])).toEqual([]);
    // Node's own debug lines have the headers of requests, tokens among them.
    expect(exposures([], "", ["http,tls", undefined])).toEqual(["NODE_DEBUG"]);
    expect(exposures([], "", ["", "HTTP2"])).toEqual(["NODE_DEBUG_NATIVE"]);
  });

  it("stop production and are named to a demonstration", () => {
    const hardening = { faults: ["core files"] };
    expect(() => refuseExposure("production", hardening)).toThrow("service.exposed");
    expect(refuseExposure("demo", hardening)).toContain("core files");
    expect(refuseExposure("demo", { faults: [] })).toEqual([]);
  });
});
