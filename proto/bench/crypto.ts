/**
 * Guarantee: what the SM algorithms cost here, one thread, the default provider
 * beside the portable reference, and for SM4 also beside the same provider kept
 * to OpenSSL alone; and what the payload stream adds to its bare
 * cipher. The sides take turns round by round, so a change in the machine's
 * load hits both; the median round counts.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createVaultFile, PayloadVault } from "../src/keystore/index.ts";
import { loadProvider, type SmProvider } from "../src/sm/index.ts";
import { gcmDecrypt, gcmEncrypt } from "../src/sm/openssl/symmetric.ts";

const MIB = 1024 * 1024;
/** The chunk of bundles and payload streams: the size that bulk work really has. */
const CHUNK_BYTES = 256 * 1024;
/** About a canonical verdict batch. */
const MESSAGE_BYTES = 256;
/** What a bundle header wraps per recipient. */
const WRAPPED_BYTES = 32;
const ROUNDS = 5;
const FULL_ROUND_MS = 500;
const QUICK_ROUND_MS = 120;

interface Figure {
  readonly name: string;
  readonly unit: "op/s" | "MB/s";
  /** Units that one call of a side is worth: 1, or its megabytes. */
  readonly worth: number;
  readonly peer: string;
  readonly conditions: string;
  readonly ours: () => unknown;
  readonly theirs: () => unknown;
  /** OpenSSL alone, where another library does our side. */
  readonly openssl?: () => unknown;
}

interface Result {
  readonly figure: Figure;
  readonly value: number;
  readonly peerValue: number;
  readonly opensslValue: number | undefined;
  /** Calls of our side that were timed. */
  readonly n: number;
}

/** Calls `body` for about `ms` milliseconds, at least twice. */
async function round(
  body: () => unknown,
  ms: number,
): Promise<{ calls: number; perSecond: number }> {
  const start = performance.now();
  let calls = 0;
  let elapsed = 0;
  while (elapsed < ms || calls < 2) {
    const result = body();
    if (result instanceof Promise) await result;
    calls++;
    elapsed = performance.now() - start;
  }
  return { calls, perSecond: (calls * 1000) / elapsed };
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

async function measure(figure: Figure, ms: number): Promise<Result> {
  await round(figure.ours, ms / 5);
  await round(figure.theirs, ms / 5);
  if (figure.openssl !== undefined) await round(figure.openssl, ms / 5);
  const ours: number[] = [];
  const theirs: number[] = [];
  const alone: number[] = [];
  let n = 0;
  for (let i = 0; i < ROUNDS; i++) {
    const mine = await round(figure.ours, ms);
    n += mine.calls;
    ours.push(mine.perSecond * figure.worth);
    theirs.push((await round(figure.theirs, ms)).perSecond * figure.worth);
    if (figure.openssl !== undefined) {
      alone.push((await round(figure.openssl, ms)).perSecond * figure.worth);
    }
  }
  return {
    figure,
    value: median(ours),
    peerValue: median(theirs),
    opensslValue: alone.length === 0 ? undefined : median(alone),
    n,
  };
}

/** The six operations of one provider, each on its own key and the same data. */
function operations(provider: SmProvider): Record<string, () => unknown> {
  const key = provider.generateSm2();
  const publicKey = key.publicKey;
  const message = new Uint8Array(MESSAGE_BYTES).fill(1);
  const secret = new Uint8Array(WRAPPED_BYTES).fill(2);
  const signature = provider.sm2Sign(key, message);
  const wrapped = provider.sm2Encrypt(publicKey, secret);
  const chunk = new Uint8Array(CHUNK_BYTES).fill(3);
  const sm4Key = new Uint8Array(16).fill(4);
  const nonce = new Uint8Array(12);
  const aad = new Uint8Array(32);
  const sealed = provider.sm4GcmEncrypt(sm4Key, nonce, chunk, aad);
  return {
    "sm2-sign": () => provider.sm2Sign(key, message),
    "sm2-verify": () => provider.sm2Verify(publicKey, message, signature),
    "sm2-encrypt": () => provider.sm2Encrypt(publicKey, secret),
    "sm2-decrypt": () => provider.sm2Decrypt(key, wrapped),
    sm3: () => provider.sm3(chunk),
    "sm4-gcm-encrypt": () => provider.sm4GcmEncrypt(sm4Key, nonce, chunk, aad),
    "sm4-gcm-decrypt": () => provider.sm4GcmDecrypt(sm4Key, nonce, sealed, aad),
  };
}

function providerFigures(): Figure[] {
  const provider = loadProvider("openssl");
  const ours = operations(provider);
  const theirs = operations(loadProvider("sm-crypto"));
  const alone = operations({
    ...provider,
    sm4GcmEncrypt: gcmEncrypt,
    sm4GcmDecrypt: gcmDecrypt,
  });
  return Object.entries(ours).map(([name, body]) => {
    const bulk = !name.startsWith("sm2");
    return {
      name,
      unit: bulk ? "MB/s" : "op/s",
      worth: bulk ? CHUNK_BYTES / 1e6 : 1,
      peer: "sm-crypto 0.5",
      conditions: bulk ? "256 KiB blocks" : "256-byte message, 32-byte secret",
      ours: body,
      theirs: theirs[name] ?? body,
      ...(name.startsWith("sm4") && alone[name] ? { openssl: alone[name] } : {}),
    };
  });
}

function payloadFigure(folder: string): Figure {
  createVaultFile(join(folder, "vault"));
  const { key } = PayloadVault.open(join(folder, "vault")).newKey(new Uint8Array(16));
  const provider = loadProvider();
  const part = new Uint8Array(64 * 1024).fill(5);
  const size = 8 * MIB;
  async function* source(): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < size; at += part.length) yield part;
  }
  const chunk = new Uint8Array(CHUNK_BYTES).fill(5);
  const sm4Key = new Uint8Array(16).fill(6);
  const [nonce, aad] = [new Uint8Array(12), new Uint8Array(32)];
  return {
    name: "payload-encrypt",
    unit: "MB/s",
    worth: size / 1e6,
    peer: "bare SM4-GCM, same provider",
    conditions: "8 MiB streams in 64 KiB parts, 256 KiB chunks",
    ours: async () => {
      for await (const sealed of key.encryptStream(source())) if (sealed.length === 0) return;
    },
    theirs: () => {
      for (let at = 0; at < size; at += CHUNK_BYTES) {
        provider.sm4GcmEncrypt(sm4Key, nonce, chunk, aad);
      }
    },
  };
}

function print(results: readonly Result[], quick: boolean): void {
  const number = (value: number): string =>
    value >= 1000 ? Math.round(value).toLocaleString("en") : value.toPrecision(3);
  const rows = results.map(({ figure, value, peerValue, opensslValue }) => [
    figure.name,
    `${number(value)} ${figure.unit}`,
    opensslValue === undefined ? "" : `${number(opensslValue)} ${figure.unit}`,
    `${number(peerValue)} ${figure.unit}`,
    `${(value / peerValue).toFixed(2)}×`,
    figure.peer,
  ]);
  const table = [["figure", "lightferry", "openssl alone", "peer", "ratio", "peer is"], ...rows];
  const widths = table[0]?.map((_, column) =>
    Math.max(...table.map((row) => (row[column] ?? "").length)),
  );
  for (const row of table) {
    const cells = row.map((cell, i) => cell.padEnd(widths?.[i] ?? 0));
    process.stdout.write(`${cells.join("  ").trimEnd()}\n`);
  }
  const machine = `Node ${process.version}, OpenSSL ${process.versions.openssl}, bulk SM4 by ${loadProvider().bulk}, one thread`;
  for (const { figure, value, peerValue, opensslValue, n } of results) {
    const line = {
      bench: "crypto",
      figure: `crypto.${figure.name}${quick ? ".quick" : ""}`,
      value: Number(value.toPrecision(5)),
      unit: figure.unit,
      peer: figure.peer,
      peer_value: Number(peerValue.toPrecision(5)),
      ratio: Number((value / peerValue).toPrecision(4)),
      ...(opensslValue === undefined ? {} : { openssl_value: Number(opensslValue.toPrecision(5)) }),
      n,
      conditions: `${machine}, ${figure.conditions}, median of ${ROUNDS} alternating rounds`,
    };
    process.stdout.write(`${JSON.stringify(line)}\n`);
  }
}

/** Prints a table, then one JSON object per figure. @param quick shorter rounds, other figure names. */
export async function run({ quick }: { quick: boolean }): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "lf-bench-"));
  try {
    const results: Result[] = [];
    for (const figure of [...providerFigures(), payloadFigure(folder)]) {
      results.push(await measure(figure, quick ? QUICK_ROUND_MS : FULL_ROUND_MS));
    }
    print(results, quick);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

if (import.meta.main) await run({ quick: process.argv.includes("--quick") });
