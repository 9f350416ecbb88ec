/**
 * Guarantee: a secret of its own for each receiving node and each encryption key of it that is in force, drawn in this
 * epoch and never written down; no set number is given twice (SPEC.md §13.2, §13.5).
 */
import { randomBytes } from "node:crypto";
import { GatewayError } from "@lightferry/proto/errors";
import { LINK_SECRET_BYTES, wrapLinkKey } from "@lightferry/proto/link-key";
import type { SmProvider } from "@lightferry/proto/sm";
import type { KeyDirectory } from "@lightferry/proto/trust";
import { isTagged, tagKey } from "../tags.ts";
import type { ObjectFacts } from "./source.ts";
import { Tagger } from "./tagger.ts";

/** As heartbeats tell it. */
export interface WrappedLinkKey {
  readonly keyId: string;
  readonly wrapped: Uint8Array;
}

export interface LinkKeyParts {
  readonly provider: SmProvider;
  readonly keys: () => KeyDirectory;
  /** This machine's clock, Unix milliseconds. */
  readonly clock: () => number;
}

interface Shared {
  readonly secret: Uint8Array;
  readonly told: WrappedLinkKey;
}

export class LinkSecrets {
  readonly #parts: LinkKeyParts;
  readonly #shared = new Map<string, Shared>();
  #set = 0;

  constructor(parts: LinkKeyParts) {
    this.#parts = parts;
  }

  /** What a heartbeat tells the node; undefined while no encryption key of it counts, or nothing can be wrapped for it. */
  told(node: string): WrappedLinkKey | undefined {
    const { provider, keys, clock } = this.#parts;
    const found = keys().encryptKey(node, clock());
    if (found === undefined) return undefined;
    const known = this.#shared.get(node);
    if (known?.told.keyId === found.keyId) return known.told;
    // A new one with each key: whoever stole the key before must not have what comes after it.
    const secret = randomBytes(LINK_SECRET_BYTES);
    try {
      const told = { keyId: found.keyId, wrapped: wrapLinkKey(provider, found.publicKey, secret) };
      this.#shared.set(node, { secret, told });
      return told;
    } catch (error) {
      // Heartbeats go on without it.
      if (error instanceof GatewayError) return undefined;
      throw error;
    }
  }

  /** For one pass over an object; undefined when it has no tags, or the node was told no key or has none any more. */
  tagger(node: string, facts: ObjectFacts, frameSize: number): Tagger | undefined {
    const { provider, keys, clock } = this.#parts;
    const { geometry, proof, objectId } = facts;
    const secret = this.#shared.get(node)?.secret;
    if (secret === undefined || !isTagged(geometry.size, proof.chunkBytes)) return undefined;
    // Denied since, or ended: heartbeats tell it no more.
    if (keys().encryptKey(node, clock()) === undefined) return undefined;
    const key = tagKey(provider, secret, objectId);
    return new Tagger(facts, { provider, key, frameSize, nextSet: () => (this.#set += 1) });
  }
}
