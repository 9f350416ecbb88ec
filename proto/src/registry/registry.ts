/**
 * Guarantee: a {@link Registry} exists only for a document whose signature by
 * the configured authority was checked, and never with demonstration keys in
 * production mode.
 */
import { GatewayError } from "../errors/index.ts";
import { domainSeparated, type Sm2PublicKey, type SmProvider } from "../sm/index.ts";
import type {
  CallerEntry,
  GrantEntry,
  LaneEntry,
  NodeEntry,
  RegistryDocument,
  ServiceEntry,
} from "./document.ts";
import { parseRegistryDocument } from "./parse.ts";

export type Mode = "demo" | "production";

export class Registry {
  readonly document: RegistryDocument;
  readonly #nodes: ReadonlyMap<string, NodeEntry>;
  readonly #lanes: ReadonlyMap<string, LaneEntry>;
  readonly #services: ReadonlyMap<string, ServiceEntry>;
  readonly #callers: ReadonlyMap<string, CallerEntry>;
  readonly #grants: ReadonlyMap<string, GrantEntry>;

  private constructor(document: RegistryDocument) {
    this.document = document;
    this.#nodes = byId(document.nodes);
    this.#lanes = byId(document.lanes);
    this.#services = byId(document.services);
    this.#callers = byId(document.callers);
    this.#grants = byId(document.grants);
  }

  /**
   * Checks and loads a registry.
   * @param signature r || s over the document bytes, label "registry/1".
   * @throws GatewayError `registry.signature-invalid`, `registry.invalid`, `registry.demo-in-production`.
   */
  static load(
    provider: SmProvider,
    bytes: Uint8Array,
    signature: Uint8Array,
    anchor: Sm2PublicKey,
    options: { readonly mode: Mode },
  ): Registry {
    if (!provider.sm2Verify(anchor, domainSeparated("registry/1", bytes), signature)) {
      throw new GatewayError("registry.signature-invalid");
    }
    const document = parseRegistryDocument(bytes);
    if (document.demo && options.mode === "production") {
      throw new GatewayError("registry.demo-in-production", {
        detail: `registry ${document.number}`,
      });
    }
    return new Registry(document);
  }

  node(id: string): NodeEntry | undefined {
    return this.#nodes.get(id);
  }

  /** The node of a zone; a zone has exactly one here. */
  nodeOfZone(zone: string): NodeEntry | undefined {
    return this.document.nodes.find((node) => node.zone === zone);
  }

  lane(id: string): LaneEntry | undefined {
    return this.#lanes.get(id);
  }

  service(id: string): ServiceEntry | undefined {
    return this.#services.get(id);
  }

  caller(id: string): CallerEntry | undefined {
    return this.#callers.get(id);
  }

  grant(id: string): GrantEntry | undefined {
    return this.#grants.get(id);
  }

  grantsFor(caller: string, service: string, lane: string): GrantEntry[] {
    return this.document.grants.filter(
      (grant) => grant.caller === caller && grant.service === service && grant.lane === lane,
    );
  }
}

function byId<T extends { readonly id: string }>(entries: readonly T[]): ReadonlyMap<string, T> {
  return new Map(entries.map((entry) => [entry.id, entry]));
}

export const loadRegistry = Registry.load;
