/**
 * Guarantee: no device is handed out before it has reproduced published results
 * and agreed with the software provider on every key it is to use, both ways.
 * Key uses of the test go through the provider that counts them.
 */
import { createCipheriv } from "node:crypto";
import { GatewayError } from "../../errors/index.ts";
import type { SmProvider } from "../provider.ts";
import { selfTest } from "../self-test.ts";
import { domainSeparated } from "../signing-input.ts";
import type { SdfDevice } from "./device.ts";
import { createEnvelope, openEnvelope, type SdfSessionKey } from "./envelope.ts";
import type { SdfKeys } from "./keys.ts";

/** GB/T 32905-2016 annex A.1: SM3 of "abc". */
const SM3_ABC = "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0";
/** As long as the secrets of bundles: some devices open only 16 bytes. */
const SECRET_BYTES = 32;
const SM4_BYTES = 16;

export interface SdfTestSubject {
  readonly device: SdfDevice;
  readonly provider: SmProvider;
  readonly software: SmProvider;
  readonly sign: SdfKeys;
  readonly encrypt: SdfKeys;
  readonly encryptIndices: readonly number[];
}

function check(name: string, passed: boolean): void {
  if (!passed) throw new GatewayError("sm.self-test-failed", { detail: `sdf: ${name}` });
}

const same = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;

/** @throws GatewayError `sm.self-test-failed` naming what is wrong, `sm.hsm-*` */
export function testDevice(subject: SdfTestSubject): void {
  const { device, provider } = subject;
  selfTest(provider);
  const digest = device.operation((session) => session.digest(Buffer.from("abc", "ascii")));
  check("SM3", Buffer.from(digest).toString("hex") === SM3_ABC);
  const [first, second] = [device.random(SECRET_BYTES), device.random(SECRET_BYTES)];
  // A generator that stands still is the fault this finds; its quality is the device's business.
  check("random", !same(first, second) && first.some((byte) => byte !== first[0]));
  testKeys(subject);
  testEnvelopes(subject);
}

function testKeys({ device, provider, software, sign, encrypt }: SdfTestSubject): void {
  const message = domainSeparated("hsm-self-test", device.random(SECRET_BYTES));
  for (const keyId of sign.keyIds()) {
    const key = sign.privateKey(keyId);
    const agreed =
      key !== undefined &&
      software.sm2Verify(key.publicKey, message, provider.sm2Sign(key, message));
    check(`signature of ${keyId}`, agreed);
  }
  for (const keyId of encrypt.keyIds()) {
    const key = encrypt.privateKey(keyId);
    const secret = device.random(SECRET_BYTES);
    const agreed =
      key !== undefined &&
      same(provider.sm2Decrypt(key, software.sm2Encrypt(key.publicKey, secret)), secret);
    check(`decryption with ${keyId}`, agreed);
  }
}

/** No service needs these calls today: a device that says it has them not may start without. */
function testEnvelopes(subject: SdfTestSubject): void {
  const { device, software, encrypt, encryptIndices } = subject;
  const own = software.generateSm2();
  const open: SdfSessionKey[] = [];
  try {
    const { key, envelope } = createEnvelope(device, own.publicKey);
    open.push(key);
    const bytes = software.sm2Decrypt(own, envelope);
    check("length of an SM4 key", bytes.length === SM4_BYTES);
    checkSm4(key, bytes, device.random(SM4_BYTES));
    bytes.fill(0);
    const [index] = encryptIndices;
    const [keyId = ""] = encrypt.keyIds();
    const recipient = encrypt.privateKey(keyId)?.publicKey;
    if (index !== undefined && encryptIndices.length === 1 && recipient !== undefined) {
      const given = device.random(SM4_BYTES);
      const imported = openEnvelope(device, index, software.sm2Encrypt(recipient, given));
      open.push(imported);
      checkSm4(imported, given, device.random(SM4_BYTES));
    }
  } catch (error) {
    if (!(error instanceof GatewayError) || error.code !== "sm.hsm-unsupported") throw error;
  } finally {
    own.destroy();
    for (const key of open) key.destroy();
  }
}

function checkSm4(key: SdfSessionKey, bytes: Uint8Array, iv: Uint8Array): void {
  const plain = Buffer.alloc(3 * SM4_BYTES, "lightferry");
  const cipher = createCipheriv("sm4-cbc", bytes, iv).setAutoPadding(false);
  const expected = Buffer.concat([cipher.update(plain), cipher.final()]);
  check("SM4-CBC", same(key.encrypt(plain, iv), expected));
  check("SM4-CBC back", same(key.decrypt(expected, iv), plain));
}
