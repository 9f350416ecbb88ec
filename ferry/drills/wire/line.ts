/**
 * Guarantee: two network namespaces joined by veth, with static neighbours, on
 * which every frame on its way back is dropped at both ends; with a third one
 * in the middle when frames are to be lost by {@link Line.forwarder}, or with more
 * lines beside the first. Everything made here is taken away again, at the latest
 * when this process exits.
 *
 * Needs root, iproute2, nftables and ethtool.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { atTheEnd } from "./ends.ts";

/** Of the receiving end of a line that is the first of its ends. */
export const RX_ADDRESS = addressOf(1, 2);

export interface LineOptions {
  readonly mtu: number;
  /**
   * How what is sent at once crosses: kept together by the kernel up to 64 KB;
   * cut into frames before it leaves; or single, each with its own checksum too,
   * as on a fibre and as the forwarder needs them.
   */
  readonly frames: "together" | "cut" | "single";
  /** A namespace between both ends, for a process that forwards. */
  readonly middle: boolean;
  /** Bits per second that the sending end is shaped to. */
  readonly bitsPerSecond?: number;
  /** Another line between the ends of this one; gone with the first of them at the latest. */
  readonly beside?: Line;
}

export interface Line {
  /** Among those between the same ends, from 1. */
  readonly number: number;
  readonly rxAddress: string;
  readonly tx: { readonly namespace: string; readonly device: string };
  readonly rx: { readonly namespace: string; readonly device: string };
  readonly middle: { readonly namespace: string; readonly from: string; readonly to: string };
  /** From now on the receiving end loses each frame with this probability. */
  lose(share: number): void;
  /** From now on the receiving end loses every frame. */
  die(): void;
  /** Stops either. @returns frames lost since the line was made */
  loseNoMore(): number;
  /** Bytes that left the sending end, Ethernet headers included. */
  sentBytes(): number;
  /** Packets that came out of the receiving end's device so far: what crosses together is one. */
  receivedPackets(): number;
  /**
   * Counts from now on what reaches the receiving end, before any of it is lost.
   * @param match nftables expressions about an IPv4 packet with UDP in it; all of them when empty
   * @returns how many packets matched so far
   */
  count(name: string, match: string): () => number;
  /** Frames dropped on their way back. */
  droppedBack(): number;
  remove(): void;
}

/**
 * Bytes the shaper lets through at once, 10 ms of 1 Gb/s. With less, what it could
 * not send because the machine did something else would never be made up for, and
 * a queue would stand before it that no fibre has.
 */
const SHAPER_BURST = 1_250_000;
/** Parts of a million in the rule of random loss. */
const MILLION = 1_000_000;
let made = 0;

function run(command: string): string {
  const [program = "", ...args] = command.split(" ");
  return execFileSync(program, args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}

/** One rule file, applied as a whole. */
function rules(namespace: string, text: string): void {
  execFileSync("ip", ["netns", "exec", namespace, "nft", "-f", "-"], { input: text });
}

function addressOf(line: number, end: 1 | 2): string {
  return `10.78.${line - 1}.${end}`;
}

function counter(namespace: string, table: string, name: string): number {
  const text = run(`ip netns exec ${namespace} nft list counter netdev ${table} ${name}`);
  return Number(/packets (\d+)/.exec(text)?.[1]);
}

function join(from: readonly [string, string], to: readonly [string, string], mtu: number): void {
  run(`ip link add ${from[1]} netns ${from[0]} type veth peer name ${to[1]} netns ${to[0]}`);
  for (const [namespace, device] of [from, to]) {
    run(`ip netns exec ${namespace} sysctl -q -w net.ipv6.conf.${device}.disable_ipv6=1`);
    run(`ip -n ${namespace} link set ${device} mtu ${mtu} up`);
  }
}

function hardwareAddress(namespace: string, device: string): string {
  const text = run(`ip -n ${namespace} link show ${device}`);
  return /ether ([0-9a-f:]{17})/.exec(text)?.[1] ?? "";
}

function statistic(namespace: string, device: string, name: string): number {
  return Number(run(`ip netns exec ${namespace} cat /sys/class/net/${device}/statistics/${name}`));
}

export function makeLine(options: LineOptions): Line {
  made += 1;
  const { beside } = options;
  const tag = `${process.pid}-${made}`;
  const a = beside?.tx.namespace ?? `lf-tx-${tag}`;
  const b = beside?.rx.namespace ?? `lf-rx-${tag}`;
  const m = `lf-mid-${tag}`;
  const number = (beside?.number ?? 0) + 1;
  const nth = beside === undefined ? "" : String(number);
  const tx = { namespace: a, device: `lftx${nth}` };
  const rx = { namespace: b, device: `lfrx${nth}` };
  const table = `gate${nth}`;
  const [txAddress, rxAddress] = [addressOf(number, 1), addressOf(number, 2)];
  const middle = { namespace: m, from: "lfin", to: "lfout" };
  const namespaces = [...(beside === undefined ? [a, b] : []), ...(options.middle ? [m] : [])];
  const remove = () => {
    removed();
    if (beside !== undefined) {
      spawnSync("ip", ["-n", a, "link", "del", tx.device], { stdio: "ignore" });
    }
    for (const name of namespaces) spawnSync("ip", ["netns", "del", name], { stdio: "ignore" });
  };
  const removed = atTheEnd(remove);
  try {
    for (const name of namespaces) {
      run(`ip netns add ${name}`);
      run(`ip -n ${name} link set lo up`);
    }
    if (options.middle) {
      join([a, tx.device], [m, middle.from], options.mtu);
      join([m, middle.to], [b, rx.device], options.mtu);
    } else {
      join([a, tx.device], [b, rx.device], options.mtu);
    }
    const ends = [
      { own: tx, address: txAddress, other: rx, far: rxAddress },
      { own: rx, address: rxAddress, other: tx, far: txAddress },
    ];
    for (const { own, address, other, far } of ends) {
      const mac = hardwareAddress(other.namespace, other.device);
      run(`ip -n ${own.namespace} addr add ${address}/24 brd + dev ${own.device}`);
      run(
        `ip -n ${own.namespace} neigh replace ${far} lladdr ${mac} dev ${own.device} nud permanent`,
      );
      if (beside === undefined) {
        run(`ip -n ${own.namespace} route add 224.0.0.0/4 dev ${own.device}`);
      }
    }
    if (options.frames === "cut") run(`ip -n ${a} link set ${tx.device} gso_max_segs 1`);
    if (options.frames === "single") {
      // With checksums and cutting done before the device, each frame passes alone and complete.
      run(`ip netns exec ${a} ethtool -K ${tx.device} tx off gso off tso off`);
      run(`ip netns exec ${b} ethtool -K ${rx.device} gro off`);
    }
    if (options.bitsPerSecond !== undefined) {
      const rate = `rate ${options.bitsPerSecond}bit burst ${SHAPER_BURST} latency 100ms`;
      run(`tc -n ${a} qdisc add dev ${tx.device} root tbf ${rate}`);
    }
    // Dropped where it would leave and again where it would arrive: either rule alone suffices.
    const back = (hook: string, device: string) =>
      `add table netdev ${table}
       add counter netdev ${table} back
       add chain netdev ${table} back { type filter hook ${hook} device "${device}" priority 0; policy accept; }
       add rule netdev ${table} back counter name back drop\n`;
    rules(a, back("ingress", tx.device));
    rules(b, back("egress", rx.device));
    rules(
      b,
      `add counter netdev ${table} lost
       add chain netdev ${table} forth { type filter hook ingress device "${rx.device}" priority 0; policy accept; }\n`,
    );
  } catch (error) {
    remove();
    throw error;
  }
  const loses = (match: string) =>
    rules(b, `add rule netdev ${table} forth ip protocol udp ${match} counter name lost drop\n`);
  return {
    number,
    rxAddress,
    tx,
    rx,
    middle,
    lose: (share) => {
      const parts = Math.round(share * MILLION);
      loses(`numgen random mod ${MILLION} < ${parts}`);
    },
    die: () => loses(""),
    loseNoMore: () => {
      rules(b, `flush chain netdev ${table} forth\n`);
      return counter(b, table, "lost");
    },
    count: (name, match) => {
      rules(
        b,
        `add counter netdev ${table} ${name}
         add chain netdev ${table} ${name} { type filter hook ingress device "${rx.device}" priority -1; policy accept; }
         add rule netdev ${table} ${name} ip protocol udp ${match} counter name ${name}\n`,
      );
      return () => counter(b, table, name);
    },
    sentBytes: () => statistic(a, tx.device, "tx_bytes"),
    receivedPackets: () => statistic(b, rx.device, "rx_packets"),
    droppedBack: () => counter(a, table, "back") + counter(b, table, "back"),
    remove,
  };
}
