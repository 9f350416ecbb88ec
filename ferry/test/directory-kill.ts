/**
 * Guarantee: what must hold when either half of an appliance's link is killed at a step on its disk, and started
 * again, over and over: everything arrives, once, and the outbox is told so.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect } from "vitest";
import type { Appliance } from "./appliance.ts";
import { folders } from "./directory-world.ts";
import { digestOf, type Place } from "./fixture.ts";
import { idOf, queue } from "./media-world.ts";
import type { Peers } from "./peers.ts";

const CHILD = fileURLToPath(new URL("directory-child.ts", import.meta.url));

/** Settings of both programs for this driver. @param gate what is different in both */
export function directoryConfigs(
  at: Place,
  peers: Peers,
  profile: object,
  { tx = {}, rx = {} }: { readonly tx?: object; readonly rx?: object } = {},
): { readonly tx: string; readonly rx: string } {
  const { drop, pickUp, staging } = folders(at);
  const target = {
    kind: "folder",
    folder: drop,
    ...("renames" in profile && profile.renames === true ? { staging } : {}),
  };
  const put = (path: string, gate: object): string => {
    const config = JSON.parse(readFileSync(path, "utf8")) as object;
    writeFileSync(path, JSON.stringify({ ...config, gate: { driver: "directory", ...gate } }));
    return path;
  };
  const send = { target, profile, secondPassSeconds: 1, heartbeatSeconds: 1, ...tx };
  const take = {
    path: pickUp,
    pollMs: 100,
    heartbeatSeconds: 1,
    delaySeconds: 1,
    settleSeconds: 1,
    ...rx,
  };
  return { tx: put(peers.txConfig(9), send), rx: put(peers.rxConfig(0), take) };
}

/** A program that may be killed at a step, until it is ended; what it said is in the message of a failure. */
class Half {
  readonly #role: "tx" | "rx";
  readonly #config: string;
  /** Steps after which it dies, run by run; then it lives. */
  readonly #steps: number[];
  readonly #died: () => Promise<void>;
  #child: ReturnType<typeof spawn> | undefined;
  #ending = false;
  kills = 0;
  done: Promise<void> = Promise.resolve();

  constructor(
    role: "tx" | "rx",
    config: string,
    steps: readonly number[],
    died: () => Promise<void>,
  ) {
    this.#role = role;
    this.#config = config;
    this.#steps = [...steps];
    this.#died = died;
  }

  start(): void {
    this.done = this.#run();
  }

  async end(): Promise<void> {
    this.#ending = true;
    this.#child?.kill("SIGTERM");
    await this.done;
  }

  async #run(): Promise<void> {
    for (;;) {
      const step = this.#steps.shift() ?? 0;
      const words = [CHILD, String(step), this.#role, "--config", this.#config];
      const child = spawn(process.execPath, words, { stdio: ["ignore", "ignore", "inherit"] });
      this.#child = child;
      const [code, signal] = (await once(child, "exit")) as [number | null, string | null];
      if (signal !== "SIGKILL") {
        // Asked to end before it was ready, it ends by the signal itself.
        const end = this.#ending && signal === "SIGTERM" ? 0 : (code ?? signal);
        expect(`${this.#role} ${end}`).toBe(`${this.#role} 0`);
        return;
      }
      this.kills += 1;
      await this.#died();
    }
  }
}

export interface KillPlan {
  readonly sizes: readonly number[];
  readonly tx: readonly number[];
  readonly rx: readonly number[];
}

/** @returns how many kills there were */
export async function survivesKills(
  at: Place,
  configs: { readonly tx: string; readonly rx: string },
  between: Appliance,
  plan: KillPlan,
): Promise<number> {
  const bundles = await queue(at, ...plan.sizes);
  const tx = new Half("tx", configs.tx, plan.tx, () => at.outbox.leaseAgainAfterDeath());
  const rx = new Half("rx", configs.rx, plan.rx, async () => undefined);
  tx.start();
  rx.start();
  try {
    await Promise.race([
      at.inbox.until(bundles.length),
      // Only a program that ends by itself, which fails, is sooner.
      Promise.all([tx.done, rx.done]),
    ]);
    expect(at.inbox.delivered.map(idOf).sort()).toEqual(bundles.map(idOf).sort());
    for (const bundle of bundles) {
      expect(digestOf(at.inbox.bytesOf(bundle))).toBe(digestOf(at.sealed(bundle)));
    }
    const finished = () => new Set(at.outbox.acks.filter((ack) => ack.finished).map(idOf)).size;
    await expect.poll(finished, { timeout: 30_000 }).toBe(bundles.length);
    expect(between.faults).toEqual([]);
  } finally {
    await Promise.all([tx.end(), rx.end()]);
  }
  expect(at.arrivals()).toEqual([]);
  return tx.kills + rx.kills;
}
