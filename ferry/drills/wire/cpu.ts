/** Guarantee: CPU seconds and memory of a running process with all its threads, as the kernel counts them. */
import { readFileSync } from "node:fs";

/** Clock ticks a second in /proc/<pid>/stat: USER_HZ, 100 on every Linux that Node runs on. */
const TICKS = 100;

/** User and system CPU seconds; undefined when it is gone. */
export function cpuSeconds(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return (Number(fields[11]) + Number(fields[12])) / TICKS;
  } catch {
    return undefined;
  }
}

const KIB = 1_024;

/** Most bytes it ever had in memory. @throws RangeError when it is gone */
export function peakMemory(pid: number): number {
  const peak = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  if (peak === undefined) throw new RangeError(`process ${pid} has no memory any more`);
  return Number(peak) * KIB;
}
