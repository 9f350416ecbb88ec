/** Guarantee: the forwarding process of a line is started, asked and ended; what it counts is exact when it answers. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { childEndsWithUs } from "./ends.ts";
import type { ForwardCounts, ForwardRequest } from "./forward.ts";
import type { Line } from "./line.ts";
import type { LossModel } from "./loss-model.ts";
import { inNamespace } from "./namespaces.ts";

const PROGRAM = fileURLToPath(new URL("./forward.ts", import.meta.url));

export class Forwarder {
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  static async start({ middle }: Line): Promise<Forwarder> {
    const child = childEndsWithUs(
      inNamespace(middle.namespace, () =>
        spawn(process.execPath, [PROGRAM, middle.from, middle.to], {
          stdio: ["ignore", "inherit", "inherit", "ipc"],
        }),
      ),
    );
    const ended = once(child, "exit").then(([code]) => {
      throw new RangeError(`the forwarder ended with ${code} before it was ready`);
    });
    await Promise.race([once(child, "message"), ended]);
    ended.catch(() => undefined);
    return new Forwarder(child);
  }

  /** From the next frame on; undefined loses none. */
  async lose(model: LossModel | undefined): Promise<ForwardCounts> {
    return await this.#ask({ ask: "lose", model: model ?? null });
  }

  async counts(): Promise<ForwardCounts> {
    return await this.#ask({ ask: "count" });
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exit = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await exit;
  }

  async #ask(request: ForwardRequest): Promise<ForwardCounts> {
    const answer = once(this.#child, "message") as Promise<[ForwardCounts]>;
    this.#child.send(request);
    return (await answer)[0];
  }
}
