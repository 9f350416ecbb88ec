/**
 * Guarantee: the parts of the front-proxy meet only here. Each part is given
 * what was opened once at start and gives back what the others may call.
 */
import type { PayloadVault } from "@lightferry/proto/keystore";
import type { Registry } from "@lightferry/proto/registry";
import type {
  AuditService,
  Client,
  PolicyService,
  ServiceBinding,
  TrustService,
} from "@lightferry/proto/rpc";
import type { Shell } from "@lightferry/proto/service";
import type { TrustSource } from "@lightferry/proto/trust";
import type { Pool } from "pg";
import type { TokenDesk } from "./auth/desk.ts";
import type { BacklogDocument } from "./backlog-document.ts";
import type { FrontProxyConfig } from "./config.ts";
import type { ExchangeDocument, ExchangeFilter } from "./document.ts";
import type { QuarantinedBundle } from "./ingress/inbox/quarantine.ts";

export interface FrontProxyContext {
  /** config, log, journal, provider, onClose, ready, fail. */
  readonly shell: Shell<FrontProxyConfig>;
  readonly config: FrontProxyConfig;
  /** The zone's own database; migrated before any part starts. */
  readonly pool: Pool;
  /** The registry as last verified; ask again for every piece of work, it may be renewed. */
  readonly registry: () => Registry;
  /** Certificates, revocation lists and denials of both zones; ask again for every piece of work. */
  readonly trust: TrustSource;
  /** Takes what came about them from the other zone. */
  readonly trustService: Pick<Client<typeof TrustService>, "importTrust">;
  /** Wraps the keys of payloads at rest (spool, inbox staging). */
  readonly vault: PayloadVault;
  readonly policy: Client<typeof PolicyService>;
  readonly audit: Client<typeof AuditService>;
  /** Issue, rotate, revoke and list API tokens; journals what it does. */
  readonly tokens: TokenDesk;
}

/** What the sending side (src/egress) gives to API and administration. */
export interface EgressDesk {
  readonly bindings: readonly ServiceBinding[];
  /** undefined when unknown, or when `caller` is given and it is another's. */
  find(exchangeId: Uint8Array, caller?: string): Promise<ExchangeDocument | undefined>;
  /** Newest first. */
  list(filter: ExchangeFilter): Promise<readonly ExchangeDocument[]>;
  /**
   * Ends an exchange that has not been sealed.
   * @returns the new state.
   * @throws GatewayError `exchange.not-found`, `exchange.wrong-state`.
   */
  cancel(exchangeId: Uint8Array, reason: string, actor: string): Promise<string>;
  /**
   * What waits for the gate.
   * @param lane empty = every lane that leads out of this zone.
   * @param bytesPerSecond what the line is taken to carry; 0 = as observed.
   * @throws GatewayError `submit.lane-unknown`.
   */
  backlog(lane: string, bytesPerSecond: number): Promise<BacklogDocument>;
  /** Decides a failed or expired exchange anew; same errors as cancel. */
  retry(exchangeId: Uint8Array, actor: string): Promise<string>;
}

/** What the receiving side (src/ingress) gives. Same meaning as in {@link EgressDesk}. */
export interface IngressDesk {
  readonly bindings: readonly ServiceBinding[];
  findDelivery(exchangeId: Uint8Array, caller?: string): Promise<ExchangeDocument | undefined>;
  listDeliveries(filter: ExchangeFilter): Promise<readonly ExchangeDocument[]>;
  /**
   * Sends a failed or in-doubt exchange to its target again, by decision of `actor`.
   * @returns the new state.
   * @throws GatewayError `exchange.not-found`, `exchange.not-retryable`, `exchange.payload-gone`.
   */
  retry(exchangeId: Uint8Array, actor: string): Promise<string>;
  /**
   * Closes a failed or in-doubt exchange as returned and destroys its content.
   * @throws GatewayError `exchange.not-found`, `exchange.not-returnable`.
   */
  giveBack(exchangeId: Uint8Array, reason: string, actor: string): Promise<string>;
  /** Bundles kept because a key of theirs was withdrawn, oldest first; all, or those with this id. */
  listQuarantine(bundleId: Uint8Array | undefined): Promise<readonly QuarantinedBundle[]>;
  /**
   * Destroys one of them, named by id and header digest, by decision of `actor`.
   * @throws GatewayError `inbox.not-quarantined`.
   */
  discard(
    which: { readonly bundleId: Uint8Array; readonly headerDigest: Uint8Array },
    reason: string,
    actor: string,
  ): Promise<void>;
}
