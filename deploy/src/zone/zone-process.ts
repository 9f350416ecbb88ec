/**
 * Guarantee: a zone's supervisor as seen from the all-in-one start: started,
 * awaited by event, ended in order. It lives no longer than its parent.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { GatewayError } from "@lightferry/proto/errors";
import { type ZoneName, zonePaths } from "../layout.ts";
import { REPOSITORY } from "../repository.ts";

export interface ZoneEvent {
  readonly event: "service-ready" | "service-exit" | "zone-ready" | "zone-failed";
  readonly zone: ZoneName;
  readonly service?: string;
  readonly pid?: number;
  readonly code?: string | number | null;
  readonly detail?: string;
}

/** A zone that is not up by then will not come up: first start measured at 6 s on two busy cores. */
const READY_MS = 120_000;
/** Holds the last words of a service many times over. */
const LOG_TAIL_CHARS = 65_536;
/** A service that died this often before the zone was ready has a lasting fault. */
const MAX_EARLY_EXITS = 5;

export class ZoneProcess {
  readonly zone: ZoneName;
  readonly #child: ChildProcess;
  readonly #gone: Promise<void>;
  readonly ready: Promise<void>;

  constructor(
    home: string,
    zone: ZoneName,
    onEvent: (event: ZoneEvent) => void,
    place: { readonly prefix: readonly string[]; readonly code: string } = {
      prefix: [],
      code: REPOSITORY,
    },
  ) {
    this.zone = zone;
    const [command = process.execPath, ...args] = [
      ...place.prefix,
      join(place.code, "node_modules/.bin/node"),
      join(place.code, "deploy/src/zone/supervisor.ts"),
      "--home",
      home,
      "--zone",
      zone,
    ];
    this.#child = spawn(command, args, {
      cwd: place.code,
      stdio: ["pipe", "pipe", "pipe"],
      detached: true,
      env: { ...process.env, LIGHTFERRY_SUPERVISED: "1" },
    });
    this.#child.stdin?.on("error", () => undefined);
    let trouble = "";
    this.#child.stderr?.on("data", (chunk: Buffer) => {
      trouble = (trouble + chunk.toString()).slice(-2_000);
    });
    this.#gone = new Promise((resolve) => {
      this.#child.on("exit", () => resolve());
    });
    let exits = 0;
    this.ready = new Promise<void>((resolve, reject) => {
      const fail = (detail: string) => {
        clearTimeout(timer);
        reject(new GatewayError("setup.service-failed", { detail }));
      };
      const timer = setTimeout(() => fail(`zone ${zone}: not ready in time`), READY_MS);
      if (this.#child.stdout !== null) {
        createInterface({ input: this.#child.stdout }).on("line", (line) => {
          const event = parseEvent(line);
          if (event === undefined) return;
          onEvent(event);
          if (event.event === "zone-ready") {
            clearTimeout(timer);
            resolve();
          } else if (event.event === "zone-failed") {
            fail(event.detail ?? zone);
          } else if (event.event === "service-exit") {
            exits += 1;
            if (exits >= MAX_EARLY_EXITS) {
              const log = join(zonePaths(home, zone).logs, `${event.service ?? "?"}.log`);
              fail(`${zone}/${event.service ?? "?"} keeps ending: ${lastFault(log)} ${log}`);
            }
          }
        });
      }
      this.#child.on("exit", (code) => fail(`zone ${zone} ended (${code}) ${trouble}`));
    });
    // The promise may be awaited late or never (a stop before ready).
    this.ready.catch(() => undefined);
  }

  async stop(): Promise<void> {
    this.#child.kill("SIGTERM");
    await this.#gone;
  }
}

function parseEvent(line: string): ZoneEvent | undefined {
  try {
    const value = JSON.parse(line) as { event?: unknown };
    return typeof value.event === "string" ? (value as ZoneEvent) : undefined;
  } catch {
    return undefined;
  }
}

/** Code and detail of the newest line of a service's log that has a code; "" when there is none. */
function lastFault(log: string): string {
  try {
    for (const line of readFileSync(log, "utf8").slice(-LOG_TAIL_CHARS).split("\n").reverse()) {
      const [, code, detail = ""] =
        /"code":"([a-z0-9.-]+)"(?:,"detail":"([^"]*)")?/.exec(line) ?? [];
      if (code !== undefined) return detail === "" ? code : `${code} (${detail})`;
    }
  } catch {
    // Without a log the path alone is told.
  }
  return "";
}
