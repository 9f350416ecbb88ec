/**
 * Guarantee: what Linux tells in its files about a socket and a route, for the
 * drivers without the binding; elsewhere, or where a file is missing, undefined.
 */
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { networkInterfaces } from "node:os";
import type { GateAddress } from "./gate.ts";

/** Columns of /proc/net/udp. */
const LOCAL_ADDRESS = 1;
const DROPS = 12;

/** IPv4 and port as the kernel prints them: the address as a number of this machine, little-endian. */
function printed(host: string, port: number): string {
  const hex = (value: number, digits: number) =>
    value.toString(16).toUpperCase().padStart(digits, "0");
  const bytes = host.split(".").map((part) => hex(Number(part), 2));
  return `${bytes.reverse().join("")}:${hex(port, 4)}`;
}

/**
 * The drop counter, modulo 2^32, of the socket bound to this address.
 * @param table content of /proc/net/udp
 */
export function dropsOf(table: string, host: string, port: number): number | undefined {
  const wanted = printed(host, port);
  for (const line of table.split("\n")) {
    const columns = line.trim().split(/\s+/);
    if (columns[LOCAL_ADDRESS] === wanted) return Number(columns[DROPS]);
  }
  return undefined;
}

/** As {@link dropsOf}, now. */
export function procDrops(host: string, port: number): number | undefined {
  try {
    return dropsOf(readFileSync("/proc/net/udp", "latin1"), host, port);
  } catch {
    return undefined;
  }
}

function mtuOf(device: string): number | undefined {
  try {
    return Number(readFileSync(`/sys/class/net/${device}/mtu`, "latin1"));
  } catch {
    return undefined;
  }
}

/** MTU in bytes of the device that has this address; undefined where it cannot be told, as for "any". */
export function localMtu(address: string): number | undefined {
  const mtus = Object.entries(networkInterfaces())
    .filter(([, addresses]) => addresses?.some((entry) => entry.address === address))
    // An alias ("eth0:1") is a name for an address, not a device.
    .map(([name]) => mtuOf(name.replace(/:.*/, "")))
    .filter((mtu) => mtu !== undefined);
  return mtus.length === 0 ? undefined : Math.min(...mtus);
}

/**
 * MTU in bytes of the device that the kernel would send through, found by the
 * address that it would send from.
 * @throws Error of the system when there is no route
 */
export async function deviceMtu(address: GateAddress): Promise<number | undefined> {
  const socket = createSocket("udp4");
  try {
    socket.connect(address.port, address.host);
    await once(socket, "connect");
    const local = socket.address().address;
    // What goes to an address of this machine never reaches the device that has it.
    if (local === address.host) return mtuOf("lo");
    return localMtu(local);
  } finally {
    socket.close();
  }
}
