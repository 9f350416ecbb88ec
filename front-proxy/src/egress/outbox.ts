/**
 * Guarantee: seal queue and ferry service know the outbox by what stands here
 * alone; the embedded one is spool-outbox.ts.
 */
import type { lightferry } from "@lightferry/proto/gen";
import type { Priority } from "@lightferry/proto/registry";
import type pg from "pg";
import type { LeaseAsk } from "./outbox-lease.ts";
import type { Recalled, Wanted } from "./outbox-recall.ts";

export interface SealedEntry {
  readonly lane: string;
  readonly priority: Priority;
  readonly bundleId: string;
  readonly request: InstanceType<typeof lightferry.seal.v1.CommitRequest>;
}

export interface OutboxRow extends pg.QueryResultRow {
  readonly bundle_id: string;
  readonly lane: string;
  readonly stream: string;
  readonly sequence: number;
  readonly priority: string;
  readonly file: string;
  readonly size: number;
  readonly header_digest: Buffer;
  readonly expires_ms: number;
  readonly state: string;
  readonly lease_id: string | null;
  readonly lease_worker: string;
  readonly lease_expires_ms: number;
  readonly passes_done: number;
  readonly emitted_ms: number | null;
  /** Recalled for a repair ticket. */
  readonly repair: boolean;
  readonly created_ms: number;
  /** By class, and of what left before by priority; ascending. */
  readonly lease_order: number;
}

/** What seal queue and ferry service need of an outbox; a clustered one would stand here too. */
export interface Outbox {
  /** True when this very bundle is in already. */
  has(bundleId: string, headerDigest: Uint8Array): Promise<boolean>;
  /** @throws GatewayError `outbox.file-invalid`. */
  checkFile(file: string, size: number): Promise<void>;
  /** Takes a bundle in, in the transaction of its commit. */
  put(client: pg.PoolClient, entry: SealedEntry): Promise<void>;
  /** Bundles of a lane that one worker has room for, in the order in which they are to go; as in outbox-lease.ts. */
  lease(ask: LeaseAsk): Promise<readonly OutboxRow[]>;
  /** Lets leases that are nobody else's by now last as long again. @returns which are */
  renew(lane: string, leaseIds: readonly string[]): Promise<ReadonlySet<string>>;
  /** The bundle, locked, if this lease on it is nobody else's by now. @throws GatewayError `outbox.lease-lost`. */
  hold(client: pg.PoolClient, bundleId: string, leaseId: string): Promise<OutboxRow>;
  /** Writes how far a held bundle has come and renews its lease. */
  progress(client: pg.PoolClient, row: OutboxRow, step: OutboxStep): Promise<void>;
  /** What may be sent again; as in outbox-inventory.ts. */
  listEmitted(ask: EmittedQuestion): Promise<lightferry.ferry.v1.ListEmittedResponse.$Properties>;
  /** Queues again what a repair ticket names; as in outbox-recall.ts. */
  recall(client: pg.PoolClient, wanted: Wanted): Promise<Recalled>;
  /** Removes files whose retention is over: what was finished before this moment. @returns how many. */
  expire(beforeMs: (lane: string) => number): Promise<number>;
  /** Removes files of this age that no row names: seals whose commit never came. @returns how many. */
  removeOrphans(minAgeMs: number): Promise<number>;
  /** Bytes of all files: waiting, under way, kept for repair. */
  readonly bytes: number;
  /** Bytes removed since the start. */
  readonly freedBytes: number;
  /** Wakes who waits for a bundle. */
  ring(): void;
  /** As in doorbell.ts. */
  readonly rings: number;
  wait(since: number, ms: number, signal: AbortSignal): Promise<void>;
}

export interface EmittedQuestion {
  readonly lane: string;
  readonly sinceMs: number;
  readonly after: string;
}

export interface OutboxStep {
  readonly passesDone: number;
  readonly emitted: boolean;
  readonly finished: boolean;
  /** Empty unless the ferry refuses the bundle. */
  readonly refuseCode: string;
}
