/**
 * Guarantee: two network namespaces joined by one veth pair with static
 * neighbours, on which nothing passes from the far end to the near one, by a
 * rule at either end. Everything made here is taken away again.
 *
 * Needs root, iproute2 and nftables.
 */
import { execFileSync, spawnSync } from "node:child_process";

export interface LinkEnd {
  readonly namespace: string;
  readonly device: string;
  readonly address: string;
  /** Command prefix that runs a program in this namespace. */
  readonly prefix: readonly string[];
}

export interface Link {
  readonly near: LinkEnd;
  readonly far: LinkEnd;
  readonly mtu: number;
  /**
   * With `true` the near end cuts bursts into packets before they leave, as for a
   * network card without segmentation; with `false` they cross as they are.
   */
  cutBursts(cut: boolean): void;
  /** Packets that came out of the far end's device so far. */
  packets(): number;
  remove(): void;
}

/** More than one send carries; what a device allows by itself. */
const ANY_SEGMENTS = "65535";
let made = 0;

function run(command: string, ...args: readonly string[]): string {
  return execFileSync(command, args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}

function makeEnd(name: string, address: string): LinkEnd {
  // One link after the other in one process; device names have at most 15 characters.
  const namespace = `lf${name}${process.pid}-${made}`;
  run("ip", "netns", "add", namespace);
  const prefix = ["ip", "netns", "exec", namespace];
  run("ip", "netns", "exec", namespace, "sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1");
  return { namespace, device: `lf${name}`, address, prefix };
}

function inside(end: LinkEnd, ...command: string[]): string {
  const [first = "", ...rest] = [...end.prefix, ...command];
  return run(first, ...rest);
}

const macOf = (end: LinkEnd): string =>
  run("ip", "-n", end.namespace, "link", "show", end.device).match(/ether ([0-9a-f:]{17})/)?.[1] ??
  "";

function dropAll(end: LinkEnd, hook: "ingress" | "egress"): void {
  const chain = `type filter hook ${hook} device "${end.device}" priority 0; policy drop;`;
  inside(end, "nft", "add", "table", "netdev", "gate");
  inside(end, "nft", `add chain netdev gate back { ${chain} }`);
}

function join(near: LinkEnd, far: LinkEnd, mtu: number): void {
  run(
    ...["ip", "link", "add", near.device, "netns", near.namespace, "type", "veth"],
    ...["peer", "name", far.device, "netns", far.namespace],
  );
  for (const end of [near, far]) {
    const link = ["-n", end.namespace, "link", "set", "dev", end.device];
    run("ip", ...link, "mtu", String(mtu));
    run("ip", "-n", end.namespace, "addr", "add", `${end.address}/24`, "dev", end.device);
    run("ip", ...link, "up");
  }
  run(
    ...["ip", "-n", near.namespace, "neigh", "replace", far.address, "lladdr", macOf(far)],
    ...["dev", near.device, "nud", "permanent"],
  );
  dropAll(near, "ingress");
  dropAll(far, "egress");
}

/** @param mtu bytes */
export function makeLink(mtu: number): Link {
  made += 1;
  const ends: LinkEnd[] = [];
  const remove = (): void => {
    // Undoing goes on when a namespace is gone already.
    for (const { namespace } of ends) spawnSync("ip", ["netns", "del", namespace]);
  };
  try {
    const near = makeEnd("n", "10.78.0.1");
    ends.push(near);
    const far = makeEnd("f", "10.78.0.2");
    ends.push(far);
    join(near, far, mtu);
    const cutBursts = (cut: boolean): void => {
      const segments = cut ? "1" : ANY_SEGMENTS;
      run("ip", "-n", near.namespace, "link", "set", near.device, "gso_max_segs", segments);
    };
    const counter = `/sys/class/net/${far.device}/statistics/rx_packets`;
    const packets = (): number => Number(inside(far, "cat", counter));
    return { near, far, mtu, cutBursts, packets, remove };
  } catch (error) {
    remove();
    throw error;
  }
}
