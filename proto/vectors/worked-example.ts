/**
 * Guarantee: the values of SPEC §15, taken from the vector `valid-one-item` by
 * the formulas of the text and not by the code of proto/src/bundle.
 *
 * Run: node proto/vectors/worked-example.ts prints the table as it stands there.
 */
import { readFileSync } from "node:fs";
import { encodeCanonical } from "../src/canonical.ts";
import { lightferry } from "../src/gen/index.js";
import { loadProvider } from "../src/sm/index.ts";
import { readKeys } from "./keys.ts";
import type { Vector } from "./vector.ts";

const { Header, Manifest } = lightferry.bundle.v1;
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
const domain = (label: string, bytes: Uint8Array): Buffer =>
  Buffer.concat([Buffer.from(`lightferry/${label}`), Buffer.of(0), bytes]);

/** Name of the value, how it is made, the value in hexadecimal or as a number. */
export type Step = readonly [name: string, made: string, value: string];

/** @param vector `valid-one-item`: one item, one chunk, one recipient. */
export function workedExample(vector: Vector): Step[] {
  const provider = loadProvider();
  const bytes = Buffer.from(vector.bundle, "base64");
  const end = 8 + bytes.readUInt32BE(4);
  const headerBytes = bytes.subarray(8, end);
  const header = Header.decode(headerBytes);
  const table = bytes.subarray(end + 64, end + 96);
  const chunk = bytes.subarray(end + 96);
  const wrapped = header.recipients[0]?.wrappedSecret ?? Buffer.of();
  const secret = provider.sm2Decrypt(readKeys().recipient.key, wrapped);
  const key = provider.hmacSm3(secret, domain("bundle-key/1", header.bundleId)).subarray(0, 16);
  const commitment = provider.hmacSm3(secret, domain("bundle-key-commitment/1", header.bundleId));
  const preamble = encodeCanonical(Header, {
    version: header.version,
    bundleId: header.bundleId,
    lane: header.lane,
    sender: header.sender,
    chunkSize: header.chunkSize,
    recipients: header.recipients.map(({ nodeId, keyId }) => ({
      nodeId: nodeId ?? "",
      keyId: keyId ?? "",
    })),
  });
  const aad = provider.sm3(domain("bundle-preamble/1", preamble));
  const nonce = Buffer.alloc(12);
  nonce[11] = 1;
  const plaintext = Buffer.from(provider.sm4GcmDecrypt(key, nonce, chunk, aad));
  const manifest = Manifest.decode(plaintext.subarray(4, 4 + plaintext.readUInt32BE(0)));
  const salt = manifest.items[0]?.salt ?? Buffer.of();
  const entry = manifest.items[0]?.entry ?? Buffer.of();
  return [
    ["H", "bytes 4 … 7", String(headerBytes.length)],
    ["bundle_id", "header", hex(header.bundleId)],
    ["header digest", "SM3(header)", hex(provider.sm3(headerBytes))],
    ["signature", "over DS(bundle-header/1, header)", hex(bytes.subarray(end, end + 64))],
    ["secret", "SM2 decryption of wrapped_secret", hex(secret)],
    ["key", "§5.2", hex(key)],
    ["key_commitment", "§5.3", hex(commitment)],
    ["preamble", "§5.5", hex(preamble)],
    ["associated data", "§5.5", hex(aad)],
    ["nonce of chunk 0", "§5.4, the last chunk", hex(nonce)],
    ["tag", "last 16 bytes", hex(chunk.subarray(-16))],
    ["table entry 0", "SM3(0x00 ‖ chunk 0)", hex(table)],
    ["ciphertext_root", "one leaf: the entry itself", hex(header.ciphertextRoot)],
    ["M", "first 4 bytes of the plaintext", String(plaintext.readUInt32BE(0))],
    ["salt", "manifest", hex(salt)],
    ["SM3(entry)", "manifest", hex(provider.sm3(entry))],
    ["commitment", "SM3(0x00 ‖ salt ‖ entry)", hex(provider.sm3(Buffer.of(0), salt, entry))],
    ["item_root", "one leaf: the commitment itself", hex(header.itemRoot)],
  ];
}

export function readExample(): Vector {
  const path = new URL("bundle/valid-one-item.json", import.meta.url);
  return JSON.parse(readFileSync(path, "utf8")) as Vector;
}

export function exampleTable(steps: readonly Step[]): string {
  const rows = steps.map(([name, made, value]) => `| ${name} | ${made} | \`${value}\` |`);
  return ["| value | made by | |", "|---|---|---|", ...rows].join("\n");
}

if (import.meta.main) console.log(exampleTable(workedExample(readExample())));
