/**
 * Guarantee: with each zone in its own network namespace and under its own
 * user, joined only by a veth pair whose reverse direction is dropped, the
 * same transfer completes; and neither user can read a file of the other zone,
 * reach one of its ports, or signal one of its processes.
 *
 * count = requests; a file of 100 kB for each crosses beside them.
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { tcpPorts, ZONES, type ZoneName, zonePaths } from "../src/layout.ts";
import { issueDemo } from "../src/setup/authority.ts";
import type { Introduction } from "../src/setup/introduction.ts";
import { ZoneProcess } from "../src/zone/zone-process.ts";
import { type Cell, type Cells, makeCells } from "./namespaces.ts";
import { seededDigest } from "./random.ts";

export const FULL_COUNT = 2_000;
const FILE_BYTES_PER_REQUEST = 100_000;
const PORT_BASE = 7100;
const COMMAND_LIMIT_MS = 200_000;
/** A busy machine opens a connection to itself in this time. */
const CONNECT_LIMIT_S = 3;

export interface IsolationReport {
  readonly states: Readonly<Record<string, number>>;
  readonly fileIdentical: boolean;
  /** What one zone's user could reach of the other's: must be empty. */
  readonly leaks: readonly string[];
  /** How many of the same probes succeed against the own zone: none would mean blind probes. */
  readonly controls: number;
  readonly droppedBack: number;
}

function inCell(
  cell: Cell,
  ...command: string[]
): { readonly code: number; readonly out: string; readonly err: string } {
  const [program = "", ...args] = [...cell.prefix, ...command];
  const { status, stdout, stderr } = spawnSync(program, args, {
    encoding: "utf8",
    timeout: COMMAND_LIMIT_MS,
    maxBuffer: 64 * 1024 * 1024,
  });
  return { code: status ?? 1, out: stdout, err: stderr };
}

function inCellJson<T>(cells: Cells, cell: Cell, file: string, ...args: string[]): T {
  const node = join(cells.code, "node_modules/.bin/node");
  const { code, out, err } = inCell(cell, node, join(cells.code, file), ...args);
  if (code !== 0) throw new RangeError(`${file} in ${cell.zone}: ${err.slice(-2_000)}`);
  return JSON.parse(out.trim().split("\n").at(-1) ?? "null") as T;
}

/** Each zone makes its own keys as its own user; the authority sees only introductions. */
async function setUp(cells: Cells): Promise<void> {
  const options = JSON.stringify({
    portBase: PORT_BASE,
    gateHost: cells.business.address,
    gateFrameSize: 1456,
    gateRateBytesPerSecond: 60_000_000,
    gateSecondPassSeconds: 4,
  });
  const introductions = ZONES.map((zone) =>
    inCellJson<Introduction>(
      cells,
      cells[zone],
      "deploy/src/setup/introduce.ts",
      "--home",
      cells[zone].home,
      "--zone",
      zone,
      "--options",
      options,
    ),
  );
  const authority = mkdtempSync(join(tmpdir(), "lightferry-authority-"));
  await issueDemo(authority, introductions);
  for (const zone of ZONES) {
    const from = zonePaths(authority, zone);
    const to = zonePaths(cells[zone].home, zone);
    for (const folder of ["registry", "trust"] as const) {
      cpSync(from[folder], to[folder], { recursive: true });
      spawnSync("chown", ["-R", `${cells[zone].user}:`, to[folder]]);
    }
  }
  rmSync(authority, { recursive: true, force: true });
}

/** Tries, as a zone's user and from its namespace, to get at a zone: its files, processes, ports. */
function probe(pairs: readonly (readonly [Cell, Cell])[]): string[] {
  const leaks: string[] = [];
  for (const [own, other] of pairs) {
    const readable = inCell(own, "find", other.home, "-readable").out.trim();
    if (readable !== "")
      leaks.push(`${own.user} reads ${readable.split("\n").length} of ${other.zone}`);
    const pids = JSON.parse(
      readFileSync(join(zonePaths(other.home, other.zone).state, "supervisor.json"), "utf8"),
    ) as { pid: number; services: Record<string, { pid: number }> };
    for (const pid of [pids.pid, ...Object.values(pids.services).map((service) => service.pid)]) {
      if (inCell(own, "kill", "-0", String(pid)).code === 0)
        leaks.push(`${own.user} may signal ${pid}`);
      if (inCell(own, "cat", `/proc/${pid}/environ`).code === 0)
        leaks.push(`${own.user} reads environ of ${pid}`);
    }
    const places = tcpPorts(other.zone, PORT_BASE).flatMap((port) =>
      ["127.0.0.1", other.address].map((host) => `${host}/${port}`),
    );
    // All at once: where every answer is dropped, each try lasts as long as it may.
    const tries = places.map(
      (place) =>
        `timeout ${CONNECT_LIMIT_S} bash -c "exec 3<>/dev/tcp/${place}" && echo ${place} &`,
    );
    const reached = inCell(own, "bash", "-c", `${tries.join("\n")}\nwait`).out.trim();
    for (const place of reached === "" ? [] : reached.split("\n")) {
      leaks.push(`${own.user} reaches ${place}`);
    }
  }
  return leaks;
}

function deliveredDigest(home: string): string {
  const folder = join(zonePaths(home, "business").drop, "bulk-data");
  const [name = ""] = readdirSync(folder).filter((entry) => !entry.startsWith("."));
  return createHash("sm3")
    .update(readFileSync(join(folder, name)))
    .digest("hex");
}

export async function drill(options: {
  readonly count: number;
  readonly seed: number;
}): Promise<IsolationReport> {
  const cells = makeCells();
  const zones: ZoneProcess[] = [];
  try {
    await setUp(cells);
    for (const zone of ZONES) {
      zones.push(
        new ZoneProcess(cells[zone].home, zone, () => undefined, {
          prefix: cells[zone].prefix,
          code: cells.code,
        }),
      );
    }
    await Promise.all(zones.map((zone) => zone.ready));
    const bytes = options.count * FILE_BYTES_PER_REQUEST;
    const ids = inCellJson<string[]>(
      cells,
      cells.extranet,
      "deploy/drills/cell-side.ts",
      "submit",
      cells.extranet.home,
      String(PORT_BASE),
      String(options.count),
      String(bytes),
      String(options.seed),
    );
    const states: Record<string, number> = {};
    for (const [zone, wanted] of [
      ["extranet", "emitted"],
      ["business", "delivered"],
    ] as const satisfies readonly (readonly [ZoneName, string])[]) {
      const got = inCellJson<string[]>(
        cells,
        cells[zone],
        "deploy/drills/cell-side.ts",
        "await",
        cells[zone].home,
        zone,
        wanted,
        ...ids,
      );
      for (const state of got) states[`${zone} ${state}`] = (states[`${zone} ${state}`] ?? 0) + 1;
    }
    return {
      states,
      fileIdentical: deliveredDigest(cells.business.home) === seededDigest(options.seed, bytes),
      leaks: probe([
        [cells.extranet, cells.business],
        [cells.business, cells.extranet],
      ]),
      controls: probe([
        [cells.extranet, cells.extranet],
        [cells.business, cells.business],
      ]).length,
      droppedBack: cells.droppedBack(),
    };
  } finally {
    await Promise.all(zones.map((zone) => zone.stop()));
    cells.remove();
  }
}
