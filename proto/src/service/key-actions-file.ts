/**
 * Guarantee: what people did with keys by command stands in one file beside the
 * folder of the keys, `key-actions/actions.jsonl`: append-only, fsynced, chained
 * (keystore/chained-lines.ts), read strictly. Names, ids and counts; no secret.
 */
import { closeSync, fstatSync, openSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { GatewayError } from "../errors/index.ts";
import { type Chain, type ChainFields, type ChainRules, parseChain } from "../keystore/index.ts";
import { KEY_OPERATIONS, type KeyOperation } from "./key-uses-file.ts";

/** Some 20,000 operations: a key a week and a proof a day for decades. */
export const MAX_ACTIONS_BYTES = 16 * 1024 * 1024;
/** Names, paths and subjects; also bounds what a damaged line can put into an event. */
export const MAX_ACTION_TEXT = 256;
/** Keys, serials, uses or facts of one line: far above what one command touches. */
export const MAX_ACTION_LIST = 256;
const VERB = /^[a-z]+( [a-z-]+)*$/;
const FACT = /^[a-z][a-z0-9-]{0,31}$/;
const FILE = "actions.jsonl";

/** Who, and what about. */
interface Told {
  /** Noun and verb, e.g. `keys revoke`. */
  readonly verb: string;
  /** As given by `--operator`, else the user of the system: a claim, not a proof. */
  readonly operator: string;
  /** The user of the system that the command ran as. */
  readonly user: string;
  /** Names that explain: zone, CA, subject, reason. */
  readonly about: Readonly<Record<string, string>>;
}

/** Uses of one private key by one command. */
export interface CountedUse {
  readonly keyId: string;
  readonly operation: KeyOperation;
  readonly count: number;
}

/** The intent: durable before anything is done. One without an end is of unknown outcome. */
export type ActionBegun = Told & { readonly event: "begun" };

export type ActionEnded = Told & {
  readonly event: "ended";
  /** Line of its intent. */
  readonly begun: number;
  readonly outcome: "ok" | "error";
  /** Error code; "" when it was done. */
  readonly code: string;
  readonly keys: readonly string[];
  readonly serials: readonly string[];
  readonly uses: readonly CountedUse[];
};

export type KeyActionEvent = ActionBegun | ActionEnded;
export type KeyActionEntry = KeyActionEvent & ChainFields;
export type KeyActionChain = Chain<KeyActionEvent>;

/** Where operations with the keys of a folder (a ring, a CA) are recorded: beside it. */
export const actionsDirBeside = (keyFolder: string): string =>
  join(dirname(resolve(keyFolder)), "key-actions");

export const actionsFile = (dir: string): string => join(dir, FILE);

const isText = (value: unknown): value is string =>
  typeof value === "string" && value.length <= MAX_ACTION_TEXT && value.isWellFormed();

function isList(value: unknown, one: (item: unknown) => boolean): boolean {
  return Array.isArray(value) && value.length <= MAX_ACTION_LIST && value.every(one);
}

function isUse(value: unknown): boolean {
  const { keyId, operation, count } = (value ?? {}) as Partial<CountedUse>;
  const known = KEY_OPERATIONS.some((name) => name === operation);
  return isText(keyId) && known && Number.isSafeInteger(count) && (count ?? 0) > 0;
}

function fits(value: Readonly<Record<string, unknown>>): boolean {
  const { event, verb, operator, user, about } = value;
  const facts = Object.entries((about ?? { "": 0 }) as Record<string, unknown>);
  if (!isText(verb) || !VERB.test(verb) || !isText(operator) || !isText(user)) return false;
  if (facts.length > MAX_ACTION_LIST) return false;
  if (!facts.every(([name, text]) => FACT.test(name) && isText(text))) return false;
  if (event === "begun") return true;
  const { begun, outcome, code, keys, serials, uses, line } = value;
  return (
    event === "ended" &&
    Number.isSafeInteger(begun) &&
    (begun as number) >= 1 &&
    (begun as number) < (line as number) &&
    (outcome === "ok" || outcome === "error") &&
    isText(code) &&
    isList(keys, isText) &&
    isList(serials, isText) &&
    isList(uses, isUse)
  );
}

/** An end names an intent that has none yet, of the same verb. */
export function actionRules(path: string): ChainRules<KeyActionEvent> {
  const open = new Map<number, string>();
  return {
    maxBytes: MAX_ACTIONS_BYTES,
    damaged: (line) => actionsDamaged(`${path}: line ${line}`),
    fits,
    each: (entry) => {
      if (entry.event === "begun") {
        open.set(entry.line, entry.verb);
        return true;
      }
      return open.get(entry.begun) === entry.verb && open.delete(entry.begun);
    },
  };
}

export const actionsDamaged = (detail: string): GatewayError =>
  new GatewayError("key.actions-damaged", { detail });

/**
 * The record of a folder, its chain checked; empty when there is none.
 * @throws GatewayError `key.actions-damaged`
 */
export function readKeyActions(dir: string): KeyActionChain {
  const path = actionsFile(dir);
  return parseChain(contentOf(path), actionRules(path));
}

function contentOf(path: string): Uint8Array {
  try {
    const file = openSync(path, "r");
    try {
      // One byte more than may be is enough to be refused.
      if (fstatSync(file).size > MAX_ACTIONS_BYTES) return new Uint8Array(MAX_ACTIONS_BYTES + 1);
      return readFileSync(file);
    } finally {
      closeSync(file);
    }
  } catch (cause) {
    const { code = "unknown fault" } = cause as NodeJS.ErrnoException;
    if (code === "ENOENT") return new Uint8Array();
    throw new GatewayError("key.actions-damaged", { detail: `${path}: ${code}`, cause });
  }
}

/** Uses by key and operation over all lines up to and with this one. */
export function totalUses(entries: readonly KeyActionEntry[]): Map<string, CountedUse> {
  const totals = new Map<string, CountedUse>();
  for (const entry of entries) {
    if (entry.event !== "ended") continue;
    for (const { keyId, operation, count } of entry.uses) {
      const name = `${keyId}/${operation}`;
      const before = totals.get(name)?.count ?? 0;
      totals.set(name, { keyId, operation, count: before + count });
    }
  }
  return totals;
}
