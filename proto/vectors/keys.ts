/**
 * Guarantee: the conformance kit always uses the same key pairs. They are
 * published, for tests only, and worthless for anything else.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { formatKeyId, loadProvider, type Sm2PrivateKey } from "../src/sm/index.ts";

const FILE = new URL("keys.json", import.meta.url);
const NAMES = ["sender", "policy", "recipient", "releaser", "stranger"] as const;
const NODES = {
  sender: "node-extranet",
  policy: "node-extranet",
  recipient: "node-business",
  releaser: "node-releaser",
  stranger: "node-stranger",
} as const;

export type PartyName = (typeof NAMES)[number];

export interface VectorParty {
  readonly nodeId: string;
  readonly keyId: string;
  readonly key: Sm2PrivateKey;
}

interface StoredParty {
  readonly nodeId: string;
  readonly keyId: string;
  readonly publicKey: string;
  readonly privateKey: string;
}

interface StoredKeys {
  readonly warning: string;
  readonly parties: Record<PartyName, StoredParty>;
}

let held: Record<PartyName, VectorParty> | undefined;

/** The published key pairs; read once, for each handle is native memory. */
export function readKeys(): Record<PartyName, VectorParty> {
  held ??= readParties();
  return held;
}

function readParties(): Record<PartyName, VectorParty> {
  const stored = JSON.parse(readFileSync(FILE, "utf8")) as StoredKeys;
  const provider = loadProvider();
  const read = (name: PartyName): VectorParty => {
    const { nodeId, keyId, privateKey } = stored.parties[name];
    return { nodeId, keyId, key: provider.importSm2(Buffer.from(privateKey, "hex")) };
  };
  return Object.fromEntries(NAMES.map((name) => [name, read(name)])) as Record<
    PartyName,
    VectorParty
  >;
}

/** Makes the key pairs once; an existing file is kept. */
export function makeKeysOnce(): void {
  if (existsSync(FILE)) return;
  const provider = loadProvider();
  const make = (name: PartyName): StoredParty => {
    const key = provider.generateSm2();
    return {
      nodeId: NODES[name],
      keyId: formatKeyId(key.publicKey),
      publicKey: Buffer.from(key.publicKey).toString("hex"),
      privateKey: Buffer.from(provider.exportSm2(key)).toString("hex"),
    };
  };
  const stored: StoredKeys = {
    warning: "TEST ONLY, PUBLISHED / 仅供测试，已公开: never register these keys anywhere",
    parties: Object.fromEntries(NAMES.map((name) => [name, make(name)])) as Record<
      PartyName,
      StoredParty
    >,
  };
  writeFileSync(FILE, `${JSON.stringify(stored, null, 2)}\n`);
}
