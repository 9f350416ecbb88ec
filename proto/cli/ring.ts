/** Guarantee: private keys that a verb works with are those of the folder its options name, and every use of them is on record beside it. */
import type { VerifiedHeader } from "../src/bundle/index.ts";
import type { CliInput, CliOption } from "../src/cli/index.ts";
import { KeyRing, type KeyUse } from "../src/keystore/index.ts";
import { type KeyAction, withKeyAction } from "../src/service/index.ts";
import { modeOf, needed } from "./evidence.ts";
import { idText } from "./words.ts";

export const RING_OPTIONS: Readonly<Record<string, CliOption>> = {
  ring: {
    type: "string",
    value: "DIR",
    summary: { zh: "收件节点的解密密钥目录", en: "folder of a recipient's decryption keys" },
  },
  unlock: {
    type: "string",
    value: "FILE",
    summary: { zh: "解锁该目录的文件", en: "unlock file of that folder" },
  },
  operator: {
    type: "string",
    value: "NAME",
    summary: {
      zh: "操作人，记入密钥操作记录；默认为系统用户",
      en: "who does this, for the record of key operations; the system's user by default",
    },
  },
};

/** A ring that the options name, and what its keys are wanted for. */
export interface RingWork {
  readonly use: KeyUse;
  /** For the record, e.g. `bundle prove`. */
  readonly verb: string;
  readonly about: Readonly<Record<string, string>>;
  /** Names of the two options. */
  readonly options?: { readonly dir: string; readonly unlock: string };
}

/**
 * Works with the keys of a ring, on record beside it; the provider of the action counts every use.
 * @throws GatewayError `cli.usage` when an option is missing; `key.*`, `sm.key-*`; what `work` throws.
 */
export async function withRing<T>(
  input: CliInput,
  { use, verb, about, options = { dir: "ring", unlock: "unlock" } }: RingWork,
  work: (ring: KeyRing, action: KeyAction) => T | Promise<T>,
): Promise<T> {
  const dir = needed(input, options.dir);
  const unlock = { file: needed(input, options.unlock) };
  const ring = KeyRing.open({ dir, unlock, use, mode: modeOf(input) });
  try {
    const wish = { keyFolder: dir, verb, operator: input.text("operator"), about };
    return await withKeyAction(wish, (action) => work(ring, action));
  } finally {
    ring.close();
  }
}

/**
 * Works with a recipient's decryption keys on a verified bundle.
 * @param out the file that the work makes, for the record.
 * @throws GatewayError as `withRing`.
 */
export function withRecipientRing<T>(
  input: CliInput,
  verb: string,
  { header }: VerifiedHeader,
  work: (ring: KeyRing, action: KeyAction) => T | Promise<T>,
  out?: string,
): Promise<T> {
  const about = { bundle: idText(header.bundleId), ...(out === undefined ? {} : { out }) };
  return withRing(input, { use: "node-encrypt", verb, about }, work);
}
