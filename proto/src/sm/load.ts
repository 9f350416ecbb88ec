/**
 * Guarantee: a provider is loaded once per thread and handed out only after its
 * self-test; a failure is an error each time, never a weaker substitute.
 */
import { GatewayError } from "../errors/index.ts";
import { OPENSSL_PROVIDER } from "./openssl/index.ts";
import type { SmProvider } from "./provider.ts";
import { selfTest } from "./self-test.ts";
import { SM_CRYPTO_PROVIDER } from "./sm-crypto/index.ts";

const PROVIDERS = { openssl: OPENSSL_PROVIDER, "sm-crypto": SM_CRYPTO_PROVIDER } as const;
const tested = new Set<SmProvider>();

/**
 * The provider of that name; openssl unless asked otherwise. sm-crypto is the
 * reference that tests compare with: it is not constant time and must not be
 * given a node's private key. One with a device is opened by `openSdfProvider`.
 * @throws GatewayError `sm.unavailable` when a native function is missing,
 * `sm.self-test-failed` when a published result is not reproduced.
 */
export function loadProvider(name: keyof typeof PROVIDERS = "openssl"): SmProvider {
  const provider = PROVIDERS[name];
  if (provider === undefined) throw new GatewayError("sm.unavailable", { detail: String(name) });
  if (!tested.has(provider)) {
    selfTest(provider);
    // The choice is made here and now, on the thread that starts, not under the first bulk call.
    void provider.bulk;
    tested.add(provider);
  }
  return provider;
}
