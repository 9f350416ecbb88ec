/**
 * Guarantee: a secret is used only in the epoch in which a signed heartbeat brought it, and lies in memory alone.
 * Whoever holds the node's encryption key is asked for it once at a time (SPEC.md §13.4).
 */
import { asGatewayError, GatewayError } from "@lightferry/proto/errors";
import type { lightferry } from "@lightferry/proto/gen";
import { LINK_SECRET_BYTES } from "@lightferry/proto/link-key";
import type { Log } from "../events.ts";
import { ferryOf } from "../object.ts";

type WrappedLinkKey = lightferry.ferry.v1.WrappedLinkKey.$Properties;

export interface OpenedKeysParts {
  /** @throws whatever keeps the secret from being told */
  readonly open: (told: WrappedLinkKey) => Promise<Uint8Array>;
  readonly log: Log;
}

interface Told {
  readonly epoch: number;
  secret: Uint8Array | undefined;
  /** What the secret came in. */
  wrapped: Uint8Array;
  asking: boolean;
}

export class OpenedKeys {
  readonly #parts: OpenedKeysParts;
  /** The newest epoch of each ferry. */
  readonly #ferries = new Map<number, Told>();
  /** Why the last one was not opened. */
  #fault = "";

  constructor(parts: OpenedKeysParts) {
    this.#parts = parts;
  }

  /** Of an accepted heartbeat. */
  told(epoch: number, linkKey: WrappedLinkKey): void {
    const ferry = ferryOf(epoch);
    let told = this.#ferries.get(ferry);
    if (told === undefined || told.epoch < epoch) {
      told = { epoch, secret: undefined, wrapped: new Uint8Array(), asking: false };
      this.#ferries.set(ferry, told);
    }
    if (told.epoch !== epoch || told.asking) return;
    // Another one in the same epoch: the node's key is another, and the secret with it.
    const wrapped = linkKey.wrapped ?? new Uint8Array();
    if (told.secret !== undefined && Buffer.compare(told.wrapped, wrapped) === 0) return;
    void this.#ask(told, linkKey);
  }

  /** Of the epoch; undefined while it is not known. */
  secret(epoch: number): Uint8Array | undefined {
    const told = this.#ferries.get(ferryOf(epoch));
    return told?.epoch === epoch ? told.secret : undefined;
  }

  /** "none": its sender told no key in this epoch. */
  state(epoch: number): "none" | "waiting" | "on" {
    const told = this.#ferries.get(ferryOf(epoch));
    if (told?.epoch !== epoch) return "none";
    return told.secret === undefined ? "waiting" : "on";
  }

  async #ask(told: Told, linkKey: WrappedLinkKey): Promise<void> {
    const { open, log } = this.#parts;
    told.asking = true;
    try {
      const secret = await open(linkKey);
      // One of no bytes would be a key that everybody has.
      if (secret.length !== LINK_SECRET_BYTES) throw new GatewayError("link-key.invalid");
      told.secret = secret;
      told.wrapped = linkKey.wrapped ?? new Uint8Array();
      this.#fault = "";
    } catch (error) {
      const { code, detail } = asGatewayError(error);
      // The next heartbeat that brings it asks again: every five seconds would be said too often.
      if (code !== this.#fault)
        log.warn({ code, detail }, "link key not opened, chunks are hashed");
      this.#fault = code;
    } finally {
      told.asking = false;
    }
  }
}
