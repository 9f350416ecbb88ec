/** Guarantee: the status of every ferry program of a home is read from its own file, and an old picture is called old. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** A running program writes every second; three missed are a stopped or hanging one. */
const FRESH_MS = 4_000;
/** A status file is some kilobytes; anything larger is not one. */
const MAX_BYTES = 1 << 20;

export interface Gap {
  readonly stream: string;
  readonly missing: string;
  readonly count: number;
  /** What is known of them: a later pass may bring them, a ticket should be written, the sender has them no more. */
  readonly state: "open" | "unrepaired" | "unrepairable";
}

interface Base {
  readonly timeMs: number;
  readonly lane: string;
  readonly driver: string;
  readonly locked: boolean;
  readonly epoch: number;
}

export interface TxStatus extends Base {
  readonly role: "tx";
  readonly nextFrame: number;
  readonly sent: { readonly frames: number; readonly bytes: number; readonly failed: number };
  readonly bundles: {
    readonly emitted: number;
    readonly finished: number;
    readonly refused: number;
    readonly sending: number;
    readonly held: number;
  };
}

export interface RxStatus extends Base {
  readonly role: "rx";
  readonly frames: number;
  readonly accounted: { readonly settled: number; readonly lost: number };
  readonly heartbeat: { readonly silent: boolean; readonly secondsAgo: number | null };
  readonly bundles: {
    readonly arrived: number;
    readonly delivered: number;
    readonly refused: number;
    readonly waiting: number;
  };
  /** Absent in the picture of an older program. */
  readonly quarantine?: {
    readonly bundles: number;
    readonly bytes: number;
    readonly sinceMs: number | null;
  };
  readonly objects: number;
  readonly rejected: Readonly<Record<string, number>>;
  readonly gaps: readonly Gap[];
}

export interface Seen {
  readonly zone: string;
  readonly service: string;
  /** Written within the last seconds. */
  readonly running: boolean;
  readonly status: TxStatus | RxStatus;
}

/** Status of the ferry programs of one zone or of all; those never started are left out. */
export function readStatuses(home: string, zone: string | undefined): Seen[] {
  const zones = zone === undefined ? zonesOf(home) : [zone];
  const seen: Seen[] = [];
  for (const name of zones) {
    for (const service of ["ferry-tx", "ferry-rx"]) {
      const status = readStatus(join(home, name, "state", service, "status.json"));
      if (status === undefined) continue;
      const running = Math.abs(Date.now() - status.timeMs) < FRESH_MS;
      seen.push({ zone: name, service, running, status });
    }
  }
  return seen;
}

function zonesOf(home: string): string[] {
  return existsSync(home) ? readdirSync(home).sort() : [];
}

function readStatus(path: string): TxStatus | RxStatus | undefined {
  try {
    const text = readFileSync(path, "utf8");
    return text.length > MAX_BYTES ? undefined : (JSON.parse(text) as TxStatus | RxStatus);
  } catch {
    return undefined;
  }
}
