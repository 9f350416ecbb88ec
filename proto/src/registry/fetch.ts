/** Guarantee: a registry that came over RPC is verified by the receiver itself against its own anchor. */
import { setTimeout as delay } from "node:timers/promises";
import { asGatewayError } from "../errors/index.ts";
import type { lightferry } from "../gen/index.js";
import type { SmProvider } from "../sm/index.ts";
import { readAnchor } from "./anchor.ts";
import { type Mode, Registry } from "./registry.ts";

/** First and longest pause between tries; policy may start after its clients. */
const RETRY_FIRST_MS = 100;
const RETRY_LONGEST_MS = 2_000;

/** The one method of the policy client that is needed here. */
export interface RegistrySource {
  getRegistry(
    request: lightferry.policy.v1.GetRegistryRequest.$Properties,
    options?: { readonly deadlineMs?: number; readonly signal?: AbortSignal },
  ): Promise<lightferry.policy.v1.GetRegistryResponse.$Properties>;
}

/**
 * Fetches, verifies and loads the registry; waits for policy as long as it takes.
 * @throws GatewayError of {@link Registry.load} at once: a bad signature is not retried.
 */
export async function fetchRegistry(
  source: RegistrySource,
  provider: SmProvider,
  config: { readonly anchorPath: string; readonly mode: Mode },
  signal?: AbortSignal,
): Promise<Registry> {
  const anchor = readAnchor(provider, config.anchorPath, config.mode);
  for (let pause = RETRY_FIRST_MS; ; pause = Math.min(pause * 2, RETRY_LONGEST_MS)) {
    let response: lightferry.policy.v1.GetRegistryResponse.$Properties;
    try {
      response = await source.getRegistry({}, signal === undefined ? {} : { signal });
    } catch (error) {
      const { code } = asGatewayError(error);
      if (code !== "rpc.unavailable" && code !== "rpc.deadline") throw error;
      await delay(pause, undefined, signal === undefined ? {} : { signal });
      continue;
    }
    return Registry.load(
      provider,
      response.document ?? new Uint8Array(),
      response.signature ?? new Uint8Array(),
      anchor,
      { mode: config.mode },
    );
  }
}
