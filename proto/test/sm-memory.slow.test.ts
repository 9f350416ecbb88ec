/** Guarantee checked: native objects are freed on every path, also the failing ones. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { loadProvider } from "@lightferry/proto/sm";
import { expect, it } from "vitest";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

/** Resident bytes with the garbage collector's part taken out: what only native code can hold. */
function nativeBytes(): number {
  collect();
  const { rss, heapTotal, external } = process.memoryUsage();
  return rss - heapTotal - external;
}

it("keys, signatures and ciphertexts leave no native memory behind", { timeout: 600_000 }, () => {
  const provider = loadProvider("openssl");
  const message = new Uint8Array(64);
  const round = (): void => {
    const key = provider.generateSm2();
    const signature = provider.sm2Sign(key, message);
    provider.sm2Verify(key.publicKey, message, signature);
    provider.sm2Verify(key.publicKey, message.subarray(1), signature);
    const sealed = provider.sm2Encrypt(key.publicKey, message);
    provider.sm2Decrypt(key, sealed);
    sealed[sealed.length - 1] = (sealed[sealed.length - 1] ?? 0) ^ 1;
    expect(() => provider.sm2Decrypt(key, sealed)).toThrow();
    provider.importSm2(provider.exportSm2(key)).destroy();
    key.destroy();
  };
  // The first thousand fill the caches and the allocator; a leak of one small
  // context (about 200 bytes) in any step would show in the next four thousand.
  for (let i = 0; i < 1000; i++) round();
  const before = nativeBytes();
  for (let i = 0; i < 4000; i++) round();
  expect(nativeBytes() - before).toBeLessThan(24 * 1024 * 1024);
});

it("bulk SM4-GCM leaves no native memory behind, whichever library does it", {
  timeout: 600_000,
}, () => {
  const provider = loadProvider("openssl");
  const [key, nonce, aad] = [new Uint8Array(16), new Uint8Array(12), new Uint8Array(32)];
  const round = (): void => {
    const sealed = provider.sm4GcmEncrypt(key, nonce, new Uint8Array(1024), aad);
    provider.sm4GcmDecrypt(key, nonce, sealed, aad);
    sealed[7] = (sealed[7] ?? 0) ^ 1;
    expect(() => provider.sm4GcmDecrypt(key, nonce, sealed, aad)).toThrow();
  };
  // A cipher handle takes some 3 KB: three leaked in a round would be 90 MB.
  for (let i = 0; i < 2000; i++) round();
  const before = nativeBytes();
  for (let i = 0; i < 10_000; i++) round();
  expect(nativeBytes() - before).toBeLessThan(24 * 1024 * 1024);
});
