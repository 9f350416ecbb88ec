/**
 * Guarantee: one service of a zone as a child process: its log in a file, its
 * readiness known by event, started again when it dies, ended when asked.
 *
 * States: starting → ready → (exited → starting …) → stopped.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { createWriteStream, type WriteStream } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { REPOSITORY } from "../repository.ts";

/** First and longest pause before a service that died is started again. */
const RESTART_FIRST_MS = 200;
const RESTART_LONGEST_MS = 5_000;
/** A service that ran this long counts as healthy: its next restart is quick again. */
const HEALTHY_MS = 30_000;
/** How long an ordered end may take before the process is killed. */
const STOP_MS = 10_000;

export interface ChildEvents {
  onReady(service: string, pid: number): void;
  onExit(service: string, code: number | null, signal: string | null): void;
}

export class ServiceChild {
  readonly name: string;
  readonly #entry: string;
  readonly #config: string;
  readonly #compiled: string;
  readonly #log: WriteStream;
  readonly #events: ChildEvents;
  #child: ChildProcess | undefined;
  #timer: NodeJS.Timeout | undefined;
  #stopping = false;
  #ready = false;
  #restarts = 0;
  #pause = RESTART_FIRST_MS;
  #startedAt = 0;

  constructor(
    name: string,
    entry: string,
    config: string,
    paths: { readonly logs: string; readonly compiled: string },
    events: ChildEvents,
  ) {
    this.name = name;
    this.#compiled = paths.compiled;
    this.#entry = entry;
    this.#config = config;
    this.#events = events;
    this.#log = createWriteStream(join(paths.logs, `${name}.log`), { flags: "a", mode: 0o600 });
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }
  get ready(): boolean {
    return this.#ready;
  }
  get restarts(): number {
    return this.#restarts;
  }

  start(): void {
    this.#startedAt = Date.now();
    const child = spawn(
      process.execPath,
      // The service takes SIGUSR1 for itself; until it runs, Node would open an inspector on it.
      ["--disable-sigusr1", join(REPOSITORY, this.#entry), "--config", this.#config],
      {
        cwd: REPOSITORY,
        stdio: ["pipe", "pipe", "pipe"],
        // Own process group: Ctrl-C in the terminal reaches the supervisor alone, which ends all in order.
        detached: true,
        env: {
          ...process.env,
          LIGHTFERRY_SUPERVISED: "1",
          // Compiled code is kept: a restart then loads in half the time.
          NODE_COMPILE_CACHE: this.#compiled,
        },
      },
    );
    this.#child = child;
    child.stderr?.on("data", (chunk: Buffer) => this.#log.write(chunk));
    if (child.stdout !== null) {
      createInterface({ input: child.stdout }).on("line", (line) => {
        this.#log.write(`${line}\n`);
        if (!this.#ready && line.includes('"event":"ready"') && child.pid !== undefined) {
          this.#ready = true;
          this.#events.onReady(this.name, child.pid);
        }
      });
    }
    child.stdin?.on("error", () => undefined);
    child.on("error", (error) => this.#log.write(`${String(error)}\n`));
    child.on("exit", (code, signal) => {
      this.#ready = false;
      this.#child = undefined;
      this.#events.onExit(this.name, code, signal);
      if (!this.#stopping) this.#again();
    });
  }

  #again(): void {
    if (Date.now() - this.#startedAt > HEALTHY_MS) this.#pause = RESTART_FIRST_MS;
    this.#timer = setTimeout(() => {
      this.#restarts += 1;
      this.start();
    }, this.#pause);
    this.#pause = Math.min(this.#pause * 2, RESTART_LONGEST_MS);
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    clearTimeout(this.#timer);
    const child = this.#child;
    if (child !== undefined) {
      const gone = new Promise<void>((resolve) => {
        child.once("exit", () => resolve());
      });
      child.kill("SIGTERM");
      const killer = setTimeout(() => child.kill("SIGKILL"), STOP_MS);
      await gone;
      clearTimeout(killer);
    }
    await new Promise<void>((resolve) => {
      this.#log.end(() => resolve());
    });
  }
}
