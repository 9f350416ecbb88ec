/**
 * Guarantee: two network namespaces joined by one veth pair on which every
 * frame from the business end is dropped at both ends, with static neighbours,
 * and one system user for each zone. Everything made here is taken away again.
 *
 * Needs root, iproute2 and nftables.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ZoneName } from "../src/layout.ts";
import { REPOSITORY } from "../src/repository.ts";

export interface Cell {
  readonly zone: ZoneName;
  readonly namespace: string;
  readonly user: string;
  readonly uid: number;
  readonly device: string;
  readonly address: string;
  /** 0700, owned by the user. */
  readonly home: string;
  /** Command prefix that runs a program in this namespace as this user. */
  readonly prefix: readonly string[];
}

export interface Cells {
  readonly extranet: Cell;
  readonly business: Cell;
  /** The repository where both users can read it. */
  readonly code: string;
  /** Packets that the rules dropped on their way back. */
  droppedBack(): number;
  remove(): void;
}

function run(command: string, ...args: string[]): string {
  return execFileSync(command, args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}

/** Undoing goes on when a step finds its thing gone. */
function attempt(command: string, ...args: string[]): void {
  spawnSync(command, args, { stdio: "ignore" });
}

function makeCell(zone: ZoneName, tag: string, address: string, root: string): Cell {
  const short = zone === "extranet" ? "e" : "b";
  const user = `lf-${short}-${tag}`;
  const namespace = `lf-${short}-${tag}`;
  run("useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", user);
  const uid = Number(run("id", "-u", user));
  const home = join(root, zone);
  mkdirSync(home, { mode: 0o700 });
  run("chown", `${user}:`, home);
  run("ip", "netns", "add", namespace);
  run("ip", "-n", namespace, "link", "set", "lo", "up");
  return {
    zone,
    namespace,
    user,
    uid,
    device: `lf${short}${tag}`,
    address,
    home,
    prefix: [
      "ip",
      "netns",
      "exec",
      namespace,
      "setpriv",
      `--reuid=${user}`,
      `--regid=${user}`,
      "--init-groups",
      "--no-new-privs",
      "env",
      // Whoever runs the drill may keep compiled code where this user may not look.
      "--unset=NODE_COMPILE_CACHE",
      `HOME=${home}`,
    ],
  };
}

const macOf = (cell: Cell) =>
  run("ip", "-n", cell.namespace, "link", "show", cell.device).match(
    /ether ([0-9a-f:]{17})/,
  )?.[1] ?? "";

function joinCells(extranet: Cell, business: Cell): void {
  run(
    "ip",
    "link",
    "add",
    extranet.device,
    "netns",
    extranet.namespace,
    "type",
    "veth",
    "peer",
    "name",
    business.device,
    "netns",
    business.namespace,
  );
  for (const cell of [extranet, business]) {
    run("ip", "-n", cell.namespace, "addr", "add", `${cell.address}/24`, "dev", cell.device);
    run("ip", "-n", cell.namespace, "link", "set", cell.device, "up");
  }
  for (const [from, to] of [
    [extranet, business],
    [business, extranet],
  ] as const) {
    run(
      "ip",
      "-n",
      from.namespace,
      "neigh",
      "replace",
      to.address,
      "lladdr",
      macOf(to),
      "dev",
      from.device,
      "nud",
      "permanent",
    );
  }
  // Dropped where it would leave and again where it would arrive: either rule alone suffices.
  const drop = (cell: Cell, hook: "ingress" | "egress") => {
    run("ip", "netns", "exec", cell.namespace, "nft", "add", "table", "netdev", "gate");
    run(
      "ip",
      "netns",
      "exec",
      cell.namespace,
      "nft",
      `add chain netdev gate back { type filter hook ${hook} device "${cell.device}" priority 0; policy accept; }`,
    );
    run(
      "ip",
      "netns",
      "exec",
      cell.namespace,
      "nft",
      "add",
      "rule",
      "netdev",
      "gate",
      "back",
      "counter",
      "drop",
    );
  };
  drop(business, "egress");
  drop(extranet, "ingress");
}

export function makeCells(): Cells {
  const tag = String(process.pid % 100_000);
  const root = mkdtempSync(join(tmpdir(), "lightferry-cells-"));
  run("chmod", "0755", root);
  const undo: (() => void)[] = [() => rmSync(root, { recursive: true, force: true })];
  const remove = () => {
    for (const step of undo.reverse()) step();
  };
  try {
    // A clone may lie below a folder that only its owner may enter; a bind mount is reached without it.
    const code = join(root, "code");
    mkdirSync(code);
    run("mount", "--bind", REPOSITORY, code);
    undo.push(() => attempt("umount", "-l", code));
    const cell = (zone: ZoneName, address: string) => {
      const short = zone === "extranet" ? "e" : "b";
      undo.push(() => {
        attempt("ip", "netns", "del", `lf-${short}-${tag}`);
        attempt("userdel", `lf-${short}-${tag}`);
      });
      return makeCell(zone, tag, address, root);
    };
    const extranet = cell("extranet", "10.77.0.1");
    const business = cell("business", "10.77.0.2");
    joinCells(extranet, business);
    const droppedBack = () =>
      [extranet, business]
        .map(({ namespace }) =>
          run("ip", "netns", "exec", namespace, "nft", "list", "table", "netdev", "gate"),
        )
        .reduce((sum, text) => sum + Number(text.match(/counter packets (\d+)/)?.[1] ?? 0), 0);
    return { extranet, business, code, droppedBack, remove };
  } catch (error) {
    remove();
    throw error;
  }
}
