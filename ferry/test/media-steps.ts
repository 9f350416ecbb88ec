/**
 * Guarantee: counts every step on a disk that code under test takes, and at one
 * of them lets it freeze for good (as a kill does: no clean-up runs), fail (as a
 * medium that was pulled out or is full), or kill the process.
 */
import fs, { type FileHandle } from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";

type Act = "freeze" | "kill" | { readonly fail: string; readonly under: string };

const PATH_CALLS = ["open", "opendir", "rename", "statfs", "unlink", "writeFile"] as const;
const HANDLE_CALLS = ["appendFile", "datasync", "read", "sync", "write", "writeFile"] as const;
type Call = (...args: unknown[]) => unknown;

export class Steps {
  taken = 0;
  /** Resolves when the work was frozen. */
  readonly frozen: Promise<void>;
  #freeze: () => void = () => undefined;
  #at = Number.POSITIVE_INFINITY;
  #act: Act = "freeze";
  readonly #paths = new WeakMap<object, string>();
  readonly #handles = new Set<FileHandle>();
  readonly #undo: (() => void)[] = [];

  constructor() {
    this.frozen = new Promise((resolve) => {
      this.#freeze = resolve;
    });
  }

  /** From now on the `at`-th step, and all after it, meet this. */
  arm(at: number, act: Act): void {
    this.taken = 0;
    this.#at = at;
    this.#act = act;
  }

  async install(): Promise<this> {
    const probe = await fs.open("/dev/null");
    const handles = Object.getPrototypeOf(probe) as Record<string, Call>;
    await probe.close();
    const calls = fs as unknown as Record<string, Call>;
    for (const name of PATH_CALLS) {
      this.#wrap(calls, name, (path) => String(path));
    }
    for (const name of HANDLE_CALLS) {
      this.#wrap(handles, name, (_, handle) => {
        // Also those that a call of its own has opened.
        this.#handles.add(handle as FileHandle);
        return this.#paths.get(handle as object) ?? "";
      });
    }
    syncBuiltinESMExports();
    return this;
  }

  /** As it was; files that frozen work holds are closed. */
  async remove(): Promise<void> {
    for (const undo of this.#undo) undo();
    syncBuiltinESMExports();
    for (const handle of this.#handles) await handle.close().catch(() => undefined);
  }

  /** A step that is not one on a disk. */
  async step<T>(work: () => Promise<T>): Promise<T> {
    return (await this.#take("", work)) as T;
  }

  #wrap(
    owner: Record<string, Call>,
    name: string,
    pathOf: (path: unknown, self: unknown) => string,
  ): void {
    const original = owner[name] as Call;
    const steps = this;
    owner[name] = async function (this: unknown, ...args: unknown[]) {
      const path = pathOf(args[0], this);
      const result = await steps.#take(path, () => original.apply(this, args));
      if (owner === (fs as unknown) && name === "open") {
        steps.#paths.set(result as object, path);
        steps.#handles.add(result as FileHandle);
      }
      return result;
    };
    this.#undo.push(() => {
      owner[name] = original;
    });
  }

  async #take(path: string, work: () => unknown): Promise<unknown> {
    const act = this.#act;
    const concerned = typeof act === "string" || path.startsWith(act.under);
    if (!concerned) return await work();
    this.taken += 1;
    if (this.taken < this.#at) return await work();
    if (act === "kill") process.kill(process.pid, "SIGKILL");
    if (typeof act !== "string") throw Object.assign(new Error(act.fail), { code: act.fail });
    this.#freeze();
    return await new Promise(() => undefined);
  }
}
