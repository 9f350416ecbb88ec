/** Guarantee: the attacking process is started at the sending end of a line, told what to send, and ended. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { childEndsWithUs } from "../wire/ends.ts";
import { type Line, RX_ADDRESS } from "../wire/line.ts";
import { inNamespace } from "../wire/namespaces.ts";
import type { AttackReport, AttackRequest } from "./attack.ts";

const PROGRAM = fileURLToPath(new URL("./attack.ts", import.meta.url));

export class Attacker {
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  /** @param port of the receiver */
  static async start({ tx, rx }: Line, port: number, seed: number): Promise<Attacker> {
    const words = [rx.namespace, rx.device, RX_ADDRESS, String(port), String(seed)];
    const child = childEndsWithUs(
      inNamespace(tx.namespace, () =>
        spawn(process.execPath, [PROGRAM, ...words], {
          stdio: ["ignore", "inherit", "inherit", "ipc"],
        }),
      ),
    );
    const ended = once(child, "exit").then(([code]) => {
      throw new RangeError(`the attacker ended with ${code}`);
    });
    await Promise.race([once(child, "message"), ended]);
    ended.catch(() => undefined);
    return new Attacker(child);
  }

  /** Resolves when all were sent. */
  async attack(request: AttackRequest): Promise<AttackReport> {
    const report = once(this.#child, "message") as Promise<[AttackReport]>;
    const ended = once(this.#child, "exit").then(([code]) => {
      throw new RangeError(`the attacker ended with ${code}`);
    });
    this.#child.send(request);
    const [answer] = await Promise.race([report, ended]);
    ended.catch(() => undefined);
    return answer;
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exit = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await exit;
  }
}
