/**
 * Guarantee: a key that was put into its folder is taken up when trust changes,
 * which is when its certificate comes, and no restart is needed for it.
 */
import { asGatewayError } from "@lightferry/proto/errors";
import { KeyRing, type KeyUse } from "@lightferry/proto/keystore";
import {
  type BaseConfig,
  invalidField,
  requireUnlock,
  type Shell,
} from "@lightferry/proto/service";
import type { TrustSource } from "@lightferry/proto/trust";

/**
 * Opens the ring of one use; the caller closes it.
 * @throws GatewayError `config.invalid`, `key.ring-missing`, `key.demo-in-production`, `sm.key-*`.
 */
export function openRing(config: BaseConfig, dir: string | undefined, use: KeyUse): KeyRing {
  if (dir === undefined) return invalidField("key ring", "no folder for it");
  return KeyRing.open({ dir, unlock: requireUnlock(config), use, mode: config.mode });
}

/** Takes new files up, now and after every change of trust. A bad file is told and stops no other. */
export function renewWithTrust(
  { log }: Pick<Shell<BaseConfig>, "log">,
  trust: TrustSource,
  ring: Pick<KeyRing, "refresh">,
): void {
  const refresh = () => {
    try {
      ring.refresh();
    } catch (error) {
      const { code, detail } = asGatewayError(error);
      log.error({ code, detail }, "a key file was not taken up");
    }
  };
  trust.changed(refresh);
  refresh();
}
