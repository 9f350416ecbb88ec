/**
 * Guarantee: ferry-rx has link keys opened (ferry/SPEC.md §13.2), and by this call nothing else that was ever
 * encrypted to a key of this node.
 *
 * The call decrypts with the keys that bundles are sealed for, so it must not be an oracle for them. It answers 32
 * bytes of a plaintext of 60 that begins with the label of a link key, and refuses everything else with one code and
 * no word of what came out. The wrapped secret of a bundle is 32 bytes, so ferry-rx, which has every bundle's header,
 * learns none by handing it in; and SM2 ciphertexts cannot be altered into others that decrypt (`proto/link-key`).
 * Every use, a refused one too, is counted by the provider before it happens (`key.used`).
 *
 * What is refused is an officer's business, not an attack's way to fill the journal: `service.impaired` once a
 * condition and at most every ten seconds, `service.restored` when a link key opens again.
 */
import { GatewayError } from "@lightferry/proto/errors";
import type { lightferry } from "@lightferry/proto/gen";
import { MAX_WRAPPED_BYTES, unwrapLinkKey } from "@lightferry/proto/link-key";
import { Troubles } from "@lightferry/proto/service";
import type { Sm2PrivateKey } from "@lightferry/proto/sm";
import { describeFault } from "../failures.ts";
import type { KeyDesk } from "./retire.ts";

const KEY_ID = /^[0-9a-f]{32}$/;
/** The folder of keys is read again for unknown key ids no more often: each file in it that does not open costs a derivation. */
const REFRESH_EVERY_MS = 1_000;
/** A condition that comes and goes leaves two events in this time, whatever ferry-rx asks. */
const TOLD_EVERY_MS = 10_000;
const WORK = "opening link keys";

type Request = lightferry.ferry.v1.OpenLinkKeyRequest.$Properties;

export class LinkKeys {
  readonly #desk: KeyDesk;
  readonly #nowMs: () => number;
  readonly #troubles: Troubles;
  #refreshedMs = Number.NEGATIVE_INFINITY;
  #toldMs = Number.NEGATIVE_INFINITY;

  /** @param nowMs a clock that never steps back. */
  constructor(desk: KeyDesk, nowMs: () => number = () => performance.now()) {
    this.#desk = desk;
    this.#nowMs = nowMs;
    const { journal, log } = desk.context.shell;
    this.#troubles = new Troubles(journal, (error) =>
      log.error(describeFault(error), "trouble could not be journalled"),
    );
  }

  /**
   * @returns the link key's secret, 32 bytes.
   * @throws GatewayError `rpc.bad-message`, before any key is touched; `link-key.unknown-key`, `link-key.invalid`;
   * `sm.*`, `key.*` when our own key or folder is at fault, which says nothing of the request
   */
  async open({ keyId, wrapped }: Request): Promise<Uint8Array> {
    if (!KEY_ID.test(keyId ?? "")) throw badMessage("key_id");
    const length = wrapped?.length ?? 0;
    if (length === 0 || length > MAX_WRAPPED_BYTES) throw badMessage("wrapped");
    try {
      const { provider } = this.#desk.context.shell;
      const secret = unwrapLinkKey(provider, this.#key(keyId ?? ""), wrapped ?? new Uint8Array());
      await this.#troubles.over(WORK);
      return secret;
    } catch (error) {
      await this.#tell(error);
      throw error;
    }
  }

  #key(keyId: string): Sm2PrivateKey {
    const { ring } = this.#desk;
    const now = this.#nowMs();
    if (!ring.has(keyId) && now - this.#refreshedMs >= REFRESH_EVERY_MS) {
      this.#refreshedMs = now;
      // Put into the folder since the last change of trust.
      ring.refresh();
    }
    const key = ring.decryptKey(keyId);
    if (key === undefined) throw new GatewayError("link-key.unknown-key", { detail: keyId });
    return key;
  }

  async #tell(error: unknown): Promise<void> {
    const now = this.#nowMs();
    if (now - this.#toldMs < TOLD_EVERY_MS) return;
    this.#toldMs = now;
    this.#desk.context.shell.log.warn(describeFault(error), "a link key was not opened");
    await this.#troubles.met(WORK, error);
  }
}

function badMessage(detail: string): GatewayError {
  return new GatewayError("rpc.bad-message", { detail });
}
