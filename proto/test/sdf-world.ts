/**
 * Guarantee: tests of the GM/T 0018 binding have a software device, new at each test, and
 * providers on it that are closed after each. Without a C compiler they are skipped, with the reason.
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe } from "vitest";
import {
  loadProvider,
  openSdfProvider,
  type SdfProvider,
  type SdfSettings,
  type Sm2PrivateKey,
} from "../src/sm/index.ts";
import { buildDevice, noCompiler, type TestDevice } from "./sdf-device.ts";

export const software = loadProvider();
export const MESSAGE = Buffer.from("a message");

export let built: TestDevice;
let opened: SdfProvider[] = [];

export function describeWithDevice(name: string, tests: () => void): void {
  if (noCompiler !== undefined) console.warn(`skipped: ${noCompiler}`);
  describe.skipIf(noCompiler !== undefined)(name, () => {
    beforeAll(() => {
      built = buildDevice();
    });
    beforeEach(() => built.reset());
    afterEach(() => {
      built.failWith(0);
      for (const one of opened) one.close();
      opened = [];
    });
    afterAll(() => built.remove());
    tests();
  });
}

export function closeAfterwards(one: SdfProvider): SdfProvider {
  opened.push(one);
  return one;
}

export function settings(more: Partial<SdfSettings> = {}): SdfSettings {
  return {
    library: built.library,
    keys: {
      sign: [{ index: 1, passwordFile: built.passwordFile(1) }],
      encrypt: [{ index: 2, passwordFile: built.passwordFile(2) }],
    },
    ...more,
  };
}

export function open(more: Partial<SdfSettings> = {}): SdfProvider {
  return closeAfterwards(openSdfProvider(settings(more)));
}

export function onlyKey(keys: SdfProvider["signKeys"]): Sm2PrivateKey {
  const key = keys?.privateKey(keys.keyIds()[0] ?? "");
  if (key === undefined) throw new RangeError("no key");
  return key;
}
