/**
 * Guarantee: whether the clock can be right, and whether anything keeps it
 * right. Certificates, revocation lists and the audit trail of both zones are
 * read by it; the zones cannot ask one another for the time.
 */
import { type Finding, NOTHING, UNKNOWN } from "./finding.ts";
import type { Machine } from "./machine.ts";

/** Nothing of this product is older, and no certificate of it lives longer. */
const FIRST_YEAR = 2026;
const LAST_YEAR = 2099;
/** Trails of the two zones are compared by the second. */
const LARGEST_OFFSET_S = 1;
/** Field of the system's offset in `chronyc -c tracking`, and of the leap status, last of all. */
const CHRONY_OFFSET = 4;

interface Sync {
  readonly source: string;
  readonly synchronised: boolean;
  readonly offsetSeconds?: number;
}

function chrony(machine: Machine): Sync | undefined {
  const asked = machine.run("chronyc", ["-c", "tracking"]);
  if (asked === undefined || asked.status !== 0) return undefined;
  const fields = asked.stdout.split(",");
  const offsetSeconds = Number(fields[CHRONY_OFFSET]);
  if (!Number.isFinite(offsetSeconds)) return undefined;
  return { source: "chrony", synchronised: fields.at(-1) !== "Not synchronised", offsetSeconds };
}

/** The kernel's own word (adjtimex), by whichever program here tells it. */
function kernel(machine: Machine): Sync | undefined {
  const said = machine.run("timedatectl", ["show", "-p", "NTPSynchronized", "--value"]);
  if (said?.status === 0 && /^(yes|no)$/.test(said.stdout)) {
    return { source: "timedatectl", synchronised: said.stdout === "yes" };
  }
  const printed = machine.run("adjtimex", ["--print"])?.stdout ?? "";
  const status = /^\s*return value = (\d+)/m.exec(printed)?.[1];
  // TIME_ERROR of adjtimex(2).
  if (status !== undefined) return { source: "adjtimex", synchronised: status !== "5" };
  if (machine.read("/run/systemd/timesync/synchronized") !== undefined) {
    return { source: "systemd-timesyncd", synchronised: true };
  }
  return undefined;
}

function year(machine: Machine): Finding {
  const now = new Date(machine.now);
  const ok = now.getUTCFullYear() >= FIRST_YEAR && now.getUTCFullYear() <= LAST_YEAR;
  return {
    check: "clock.time",
    state: ok ? "ok" : "fail",
    name: { zh: "系统时钟", en: "system clock" },
    found: now.toISOString(),
    means: ok
      ? { zh: "年份合理", en: "a plausible year" }
      : {
          zh: "证书与吊销列表会被误判",
          en: "certificates and revocation lists would be misjudged",
        },
    advice: ok ? NOTHING : { zh: "校准系统时钟", en: "set the system clock" },
  };
}

function synchronised(machine: Machine): Finding {
  const sync = chrony(machine) ?? kernel(machine);
  const offset = sync?.offsetSeconds;
  const far = offset !== undefined && Math.abs(offset) > LARGEST_OFFSET_S;
  const ok = sync?.synchronised === true && !far;
  const words =
    sync === undefined ? UNKNOWN : `${sync.source}: ${sync.synchronised ? "yes" : "no"}`;
  return {
    check: "clock.synchronised",
    state: ok ? "ok" : "warn",
    name: { zh: "时钟同步", en: "clock synchronisation" },
    found: offset === undefined ? words : `${words}, ${offset.toFixed(6)} s`,
    means: ok
      ? { zh: "与时间源同步", en: "kept by a time source" }
      : sync === undefined
        ? { zh: "看不出有程序在校时", en: "nothing seems to keep it" }
        : { zh: "未同步或偏差超过一秒", en: "not synchronised, or off by more than a second" },
    advice: ok
      ? NOTHING
      : {
          zh: "在本网络内部署时间源（每网各自一个，不得跨网），用 chrony 或 systemd-timesyncd 同步",
          en: "synchronise by chrony or systemd-timesyncd with a source inside this network, one for each, never across",
        },
  };
}

export function clock(machine: Machine): Finding[] {
  return [year(machine), synchronised(machine)];
}
