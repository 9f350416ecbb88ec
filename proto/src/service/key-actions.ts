/**
 * Guarantee: a command does nothing with a private key before the intent is on
 * the disk, and says afterwards what came of it: which keys and serials, which
 * error, and how often each key signed or decrypted. Where the intent cannot be
 * written nothing is done. An intent without an end (a kill, a power cut) stays
 * as it is: outcome and uses of that command are unknown, and are shown so.
 */
import { existsSync, mkdirSync } from "node:fs";
import { userInfo } from "node:os";
import { dirname } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { asGatewayError, GatewayError } from "../errors/index.ts";
import { appendChain, syncFolder } from "../keystore/index.ts";
import { formatKeyId, loadProvider, type Sm2PrivateKey, type SmProvider } from "../sm/index.ts";
import {
  actionRules,
  actionsDirBeside,
  actionsFile,
  type CountedUse,
  type KeyActionEvent,
  MAX_ACTION_LIST,
  MAX_ACTION_TEXT,
  readKeyActions,
} from "./key-actions-file.ts";
import { meterProvider } from "./key-meter.ts";
import type { KeyOperation } from "./key-uses-file.ts";
import { takeStateLock } from "./state-lock.ts";

/** Another command holds the file for one line, some milliseconds. */
const LOCK_TRIES = 100;
const LOCK_PAUSE_MS = 20;
/** Steering characters would rewrite what an auditor sees on a terminal. */
const STEERING = /\p{Cc}|\p{Cf}|\p{Zl}|\p{Zp}/gu;

export interface KeyActionWish {
  /** Folder of the keys (a ring, a CA): the record lies beside it. */
  readonly keyFolder: string;
  /** Noun and verb, e.g. `keys issue`. */
  readonly verb: string;
  /** As the person gave it; the user of the system when undefined. */
  readonly operator: string | undefined;
  readonly about: Readonly<Record<string, string>>;
}

/** What a command under way adds to its end. */
export interface KeyAction {
  /** Counts every signature and decryption. */
  readonly provider: SmProvider;
  /** The same for another provider, a cipher machine's. */
  counted(provider: SmProvider): SmProvider;
  note(found: {
    readonly keys?: readonly string[];
    readonly serials?: readonly string[];
    readonly about?: Readonly<Record<string, string>>;
  }): void;
}

/**
 * Runs `body` between intent and end.
 * @throws GatewayError `key.action-unrecorded`, `key.actions-damaged`: before `body`, nothing was done;
 * after it, what was done stays done and its intent alone is on record. Else what `body` throws.
 */
export async function withKeyAction<T>(
  wish: KeyActionWish,
  body: (action: KeyAction) => T | Promise<T>,
): Promise<T> {
  const dir = actionsDirBeside(wish.keyFolder);
  const user = systemUser();
  const told = {
    verb: wish.verb,
    operator: plain(wish.operator ?? user),
    user,
    about: plainFacts(wish.about),
  };
  const begun = await append(dir, { event: "begun", ...told });
  const taken = new Taken();
  const end = (outcome: "ok" | "error", code: string) =>
    append(dir, {
      ...{ event: "ended", begun, ...told, about: { ...told.about, ...taken.about } },
      ...{ outcome, code, keys: [...taken.keys], serials: [...taken.serials] },
      uses: taken.uses(),
    });
  let result: T;
  try {
    result = await body(taken);
  } catch (error) {
    // The fault of the work is the one to tell; its intent is on record either way.
    await end("error", asGatewayError(error).code).catch(() => undefined);
    throw error;
  }
  await end("ok", "");
  return result;
}

class Taken implements KeyAction {
  readonly keys = new Set<string>();
  readonly serials = new Set<string>();
  readonly about: Record<string, string> = {};
  readonly provider: SmProvider;
  readonly #counts = new Map<string, CountedUse>();

  constructor() {
    this.provider = this.counted(loadProvider());
  }

  counted(provider: SmProvider): SmProvider {
    const use = (key: Sm2PrivateKey, operation: KeyOperation): void => {
      const keyId = formatKeyId(key.publicKey);
      const name = `${keyId}/${operation}`;
      const count = (this.#counts.get(name)?.count ?? 0) + 1;
      this.#counts.set(name, { keyId, operation, count });
    };
    return meterProvider(provider, { use });
  }

  note({ keys = [], serials = [], about = {} }: Parameters<KeyAction["note"]>[0]): void {
    for (const keyId of keys) within(this.keys).add(keyId);
    for (const serial of serials) within(this.serials).add(serial);
    Object.assign(this.about, plainFacts(about));
  }

  uses(): CountedUse[] {
    return [...this.#counts.values()].slice(0, MAX_ACTION_LIST);
  }
}

/** A command that touched more than a line can name ends with an error instead of leaving some out. */
function within(names: Set<string>): Set<string> {
  if (names.size < MAX_ACTION_LIST) return names;
  throw unrecorded(`more than ${MAX_ACTION_LIST} keys at once`);
}

/** One line, alone in the folder. @returns its number. */
async function append(dir: string, event: KeyActionEvent): Promise<number> {
  try {
    prepare(dir);
    const lock = await locked(dir);
    try {
      const path = actionsFile(dir);
      const chain = readKeyActions(dir);
      const rules = { ...actionRules(path), damaged: () => unrecorded(`${path} is full`) };
      const { entries } = appendChain(path, chain, event, Date.now(), rules);
      // The name of a new file is as durable as its content.
      if (chain.length === 0) syncFolder(dir);
      return entries.length;
    } finally {
      lock.release();
    }
  } catch (cause) {
    if (cause instanceof GatewayError && cause.code.startsWith("key.action")) throw cause;
    const { code, detail } = asGatewayError(cause);
    const why = (cause as NodeJS.ErrnoException).code ?? `${code} ${detail ?? ""}`;
    throw unrecorded(`${dir}: ${why}`, cause);
  }
}

function prepare(dir: string): void {
  if (existsSync(dir)) return;
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  syncFolder(dirname(dir));
}

async function locked(dir: string): Promise<ReturnType<typeof takeStateLock>> {
  for (let tries = 1; ; tries++) {
    try {
      return takeStateLock(dir);
    } catch (error) {
      const busy = asGatewayError(error).code === "service.already-running";
      if (!busy || tries === LOCK_TRIES) throw error;
      await delay(LOCK_PAUSE_MS);
    }
  }
}

function unrecorded(detail: string, cause?: unknown): GatewayError {
  return new GatewayError("key.action-unrecorded", { detail, cause });
}

function systemUser(): string {
  try {
    return plain(userInfo().username);
  } catch {
    // A user id without a name, as in a container.
    return `uid ${process.getuid?.() ?? "unknown"}`;
  }
}

/** Cut and without steering characters: what stands here is read on terminals. */
function plain(text: string): string {
  const clean = text.toWellFormed().replaceAll(STEERING, " ");
  return clean.length <= MAX_ACTION_TEXT
    ? clean
    : `${clean.slice(0, MAX_ACTION_TEXT - 2).toWellFormed()}…`;
}

function plainFacts(about: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(about).map(([name, text]) => [name, plain(text)]));
}
