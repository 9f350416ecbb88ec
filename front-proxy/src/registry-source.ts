/**
 * Guarantee: there is always a verified registry, and a newer one takes effect
 * within seconds; one that does not verify, or is older, changes nothing.
 */
import { setInterval as every } from "node:timers/promises";
import { asGatewayError } from "@lightferry/proto/errors";
import { fetchRegistry, type Registry } from "@lightferry/proto/registry";
import type { Client, PolicyService } from "@lightferry/proto/rpc";
import type { BaseConfig, Shell } from "@lightferry/proto/service";

/** A revoked certificate or closed lane must not linger; policy itself decides by its newest anyway. */
const RENEW_MS = 10_000;

export interface RegistrySource {
  readonly current: () => Registry;
}

/** Waits for policy, then keeps the registry up to date until the shell closes. */
export async function openRegistry(
  shell: Shell<BaseConfig>,
  policy: Client<typeof PolicyService>,
): Promise<RegistrySource> {
  const { provider, config, closing, log } = shell;
  let registry = await fetchRegistry(policy, provider, config, closing);
  const renew = async () => {
    try {
      for await (const _ of every(RENEW_MS, undefined, { signal: closing, ref: false })) {
        const newer = await fetchRegistry(policy, provider, config, closing).catch(
          (error: unknown) => {
            if (!closing.aborted)
              log.warn({ code: asGatewayError(error).code }, "registry not renewed");
            return undefined;
          },
        );
        if (newer !== undefined && newer.document.number > registry.document.number) {
          registry = newer;
        }
      }
    } catch (error) {
      if (!closing.aborted) shell.fail(error);
    }
  };
  void renew();
  return { current: () => registry };
}
