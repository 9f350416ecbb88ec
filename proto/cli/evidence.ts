/**
 * Guarantee: what a bundle or proof is judged by comes from the operator's own
 * files: the root certificate always, lists and denials where given. What the
 * bundle itself presents counts only under that root.
 */
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import {
  type BundleKeys,
  readHeader,
  type VerifiedHeader,
  verifyHeader,
} from "../src/bundle/index.ts";
import { type CliInput, type CliOption, readUpTo } from "../src/cli/index.ts";
import { GatewayError } from "../src/errors/index.ts";
import { PKI_FILE_MAX_BYTES, type PkiItem, readPkiItems } from "../src/pki/index.ts";
import type { SmProvider } from "../src/sm/index.ts";
import { readTrustFolder, readTrustRoot, TrustStore } from "../src/trust/index.ts";
import { fileOf } from "./files.ts";

/** Written by the trust store into its folder; tells it from any folder of certificates. */
const TRUST_STATE = "state.json";
const PKI_FILE = /\.(pem|crt|cer|der|crl)$/i;
const KEY_ID = /^[0-9a-f]{32}$/;

export const TRUST_OPTIONS: Readonly<Record<string, CliOption>> = {
  root: {
    type: "string",
    value: "ROOT.pem",
    summary: { zh: "所信任的根证书（必需）", en: "the trusted root certificate (needed)" },
  },
  trust: {
    type: "string",
    value: "DIR|FILE",
    multiple: true,
    summary: {
      zh: "另有的证书与吊销列表，文件或目录；可多次",
      en: "more certificates and revocation lists, file or folder; repeatable",
    },
  },
  deny: {
    type: "string",
    value: "KEY-ID",
    multiple: true,
    summary: { zh: "不予采信的密钥编号；可多次", en: "a key id not to be believed; repeatable" },
  },
  "sender-zone": {
    type: "string",
    value: "NAME",
    summary: {
      zh: "发送节点所属网络：只采信该网络机构签发的证书",
      en: "zone of the sender: only certificates of that zone's CA count",
    },
  },
  production: {
    type: "boolean",
    summary: { zh: "不采信演示证书", en: "refuse demonstration certificates" },
  },
};

export const AT_OPTION: CliOption = {
  type: "string",
  value: "TIME",
  summary: {
    zh: "按该时间判断是否有效，如 2026-05-01T08:00",
    en: "judge as of this time, e.g. 2026-05-01T08:00",
  },
};

/** The file that may be given by one option alone. @throws GatewayError `cli.usage`. */
export function needed(input: CliInput, option: string): string {
  const value = input.text(option);
  if (value === undefined) throw new GatewayError("cli.usage", { detail: `--${option}` });
  return value;
}

/** @throws GatewayError `cli.usage` when the text is no time. */
export function timeOption(input: CliInput, option: string): number | undefined {
  const text = input.text(option);
  if (text === undefined) return undefined;
  const ms = Date.parse(text);
  if (Number.isNaN(ms)) throw new GatewayError("cli.usage", { detail: `--${option}: ${text}` });
  return ms;
}

export function modeOf(input: CliInput): "demo" | "production" {
  return input.flag("production") ? "production" : "demo";
}

/** The bundle that a verb is about. */
export const FILE_ARG = { name: "FILE", summary: { zh: "数据包文件", en: "the bundle" } } as const;

/**
 * The keys that root, lists and denials, as the options name them, let count.
 * @param presented certificates that came with what is judged: they may join a given list to the root.
 * @throws GatewayError `cli.usage`, `certificate.*`; also when a given item is not under the root, for
 * a list that is left out unnoticed is worse than none.
 */
export function keysOf(
  provider: SmProvider,
  input: CliInput,
  presented: readonly Uint8Array[],
): BundleKeys {
  const root = readTrustRoot(fileOf(needed(input, "root")));
  const given = many(input, "trust").map((path) => readTrustPath(provider, path));
  const denied = many(input, "deny").map((keyId) => {
    if (!KEY_ID.test(keyId)) throw new GatewayError("cli.usage", { detail: `--deny ${keyId}` });
    return { keyId };
  });
  const certificates = given.flatMap((items) => items.certificates);
  const revocationLists = given.flatMap((items) => items.revocationLists);
  const store = TrustStore.build(provider, {
    root,
    set: {
      certificates: [...certificates, ...presented],
      revocationLists,
      denials: [...denied, ...given.flatMap((items) => items.denials)],
    },
    mode: modeOf(input),
  });
  const own = [...certificates, ...revocationLists];
  const fault = store.rejected.find(
    ({ code, item }) =>
      code !== "trust.stale" && own.some((one) => Buffer.compare(one, item) === 0),
  );
  if (fault !== undefined) {
    throw new GatewayError(fault.code, { detail: `--trust: ${fault.detail}` });
  }
  const zone = input.text("sender-zone");
  return store.keyDirectory(zone === undefined ? undefined : () => zone);
}

interface TrustItems {
  readonly certificates: readonly Uint8Array[];
  readonly revocationLists: readonly Uint8Array[];
  readonly denials: readonly { readonly keyId: string }[];
}

function readTrustPath(provider: SmProvider, path: string): TrustItems {
  const names = entriesOf(path);
  if (names?.includes(TRUST_STATE) === true) return readTrustFolder(provider, path);
  const files = names?.filter((name) => PKI_FILE.test(name)).map((name) => join(path, name));
  const items = (files ?? [path]).flatMap(readItems);
  const ders = (label: PkiItem["label"]) =>
    items.filter((item) => item.label === label).map(({ der }) => der);
  return { certificates: ders("CERTIFICATE"), revocationLists: ders("X509 CRL"), denials: [] };
}

/** Names in a folder; undefined for what is none. */
function entriesOf(path: string): string[] | undefined {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true
    ? readdirSync(path)
    : undefined;
}

/** Certificates and lists of a file. @throws GatewayError `cli.usage`, `certificate.malformed`. */
export function readItems(path: string): PkiItem[] {
  return readPkiItems(readUpTo(path, PKI_FILE_MAX_BYTES));
}

export function many(input: CliInput, option: string): string[] {
  const value = input.values[option];
  return Array.isArray(value) ? value.map(String) : [];
}

/**
 * Reads and verifies a bundle as evidence: as of its sealing, unless `--at` says otherwise.
 * Expiry bounds acceptance, not what can be shown later.
 * @throws GatewayError of SPEC §8.1 and §8.2.
 */
export async function verifiedOf(
  provider: SmProvider,
  input: CliInput,
  path: string,
): Promise<VerifiedHeader> {
  const received = await readHeader(fileOf(path));
  const now = timeOption(input, "at") ?? received.header.createdMs;
  const keys = keysOf(provider, input, received.header.certificates);
  return verifyHeader(provider, received, { now, keys });
}
