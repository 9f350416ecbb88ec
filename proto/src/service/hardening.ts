/**
 * Guarantee: a process that called {@link hardenProcess} leaves no core file and
 * no diagnostic report with its environment, its memory cannot be read by another
 * process of the same user, and SIGUSR1 does not open an inspector. What could
 * not be done is named, and {@link refuseExposure} stops production there.
 *
 * Not done: `mlockall` (the heap of V8 is far above the usual limit of 8 MiB of
 * locked memory, and a partial lock would promise what it does not keep), so run
 * without swap or with an encrypted one. Nothing here holds against root.
 */
import inspector from "node:inspector";
import koffi from "koffi";
import { GatewayError } from "../errors/index.ts";

/** bits/resource.h of Linux and sys/resource.h of macOS agree. */
const RLIMIT_CORE = 4;
/** linux/prctl.h. Not dumpable: no core, no ptrace, no /proc/<pid>/mem for the same user. */
const PR_GET_DUMPABLE = 3;
const PR_SET_DUMPABLE = 4;

/**
 * Options of Node and V8 that show memory, or run code of whoever connects: the inspector, heap
 * snapshots, profiles, reports (but for those that only leave something out), a core on a fault; and those
 * that write the session keys or the traffic of TLS, callers' tokens among it, to a file or the log.
 */
const EXPOSING =
  /^--(inspect|debug|heapsnapshot|heap-prof|cpu-prof|prof(?!ile-)|perf|report(?!-exclude-)|diagnostic-report|abort-on-uncaught|trace-event|tls-keylog|trace-tls)/;

/** They make Node print headers of requests, past the redaction of the log. */
const DEBUG_VARIABLES = ["NODE_DEBUG", "NODE_DEBUG_NATIVE"] as const;

export interface Hardening {
  /** What the system refused; empty when everything is in force. */
  readonly faults: readonly string[];
}

/**
 * Switches off core files, reports, foreign memory readers and the inspector's signal, for this
 * process and for as long as it lives. Call it before a private key is loaded; calling again does
 * no harm. A child inherits the core limit, and is dumpable again after its `exec`.
 * @param onDebugSignal told of every SIGUSR1, which then does nothing else.
 */
export function hardenProcess(onDebugSignal: () => void = () => undefined): Hardening {
  // A listener takes the place of Node's own handler, the one that opens an inspector.
  process.on("SIGUSR1", onDebugSignal);
  process.report.reportOnFatalError = false;
  process.report.reportOnSignal = false;
  process.report.reportOnUncaughtException = false;
  process.report.excludeEnv = true;
  const faults: string[] = [];
  const attempt = (name: string, step: () => boolean): void => {
    try {
      if (!step()) faults.push(name);
    } catch {
      faults.push(name);
    }
  };
  attempt("core files", withoutCore);
  // macOS has no such switch: there a debugger of the same user is not kept out.
  if (process.platform === "linux") attempt("memory readers", withoutReaders);
  return { faults };
}

function withoutCore(): boolean {
  const system = koffi.load(null);
  const set = system.func("int setrlimit(int resource, const void *limit)") as (
    resource: number,
    limit: BigUint64Array,
  ) => number;
  const get = system.func("int getrlimit(int resource, void *limit)") as (
    resource: number,
    limit: BigUint64Array,
  ) => number;
  // struct rlimit: soft and hard limit, 64 bits each. The hard one too, so that nothing raises it again.
  set(RLIMIT_CORE, BigUint64Array.of(0n, 0n));
  const now = BigUint64Array.of(1n, 1n);
  return get(RLIMIT_CORE, now) === 0 && now[0] === 0n && now[1] === 0n;
}

function withoutReaders(): boolean {
  const prctl = koffi.load(null).func("int prctl(int option, ...)") as (
    option: number,
    ...rest: unknown[]
  ) => number;
  const zeros = ["unsigned long", 0, "unsigned long", 0, "unsigned long", 0];
  prctl(PR_SET_DUMPABLE, "unsigned long", 0, ...zeros);
  return prctl(PR_GET_DUMPABLE, "unsigned long", 0, ...zeros) === 0;
}

/** What makes this process readable from outside: an open inspector, options and variables that show memory or traffic. */
export function exposures(
  execArgv: readonly string[] = process.execArgv,
  nodeOptions: string = process.env.NODE_OPTIONS ?? "",
  debug: readonly (string | undefined)[] = DEBUG_VARIABLES.map((name) => process.env[name]),
): readonly string[] {
  const found = inspector.url() === undefined ? [] : ["an inspector is open"];
  for (const word of [...execArgv, ...nodeOptions.split(/\s+/)]) {
    // Node takes `_` for `-` in names of options, and quotes in NODE_OPTIONS.
    const option = word.replaceAll(/^["']|["']$/g, "").replaceAll("_", "-");
    if (EXPOSING.test(option)) found.push(option.split("=")[0] ?? option);
  }
  DEBUG_VARIABLES.forEach((name, at) => {
    if ((debug[at] ?? "") !== "") found.push(name);
  });
  return found;
}

/**
 * Whether a process may go on to load keys.
 * @returns what is wrong, for a warning, in demo mode; in production nothing is ever wrong here
 * @throws GatewayError `service.exposed` in production, naming all of it
 */
export function refuseExposure(
  mode: "demo" | "production",
  hardening: Hardening,
): readonly string[] {
  const found = [...exposures(), ...hardening.faults];
  if (found.length > 0 && mode === "production") {
    throw new GatewayError("service.exposed", { detail: found.join(", ") });
  }
  return found;
}
