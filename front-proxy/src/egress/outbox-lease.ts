/**
 * Guarantee: of a lane's bundles that wait a worker is given what it has room for, class by class, requests
 * before files and new ones before those that left before; each to one worker at a time. A bundle whose
 * lease ran out waits again, and stays its holder's until somebody is given it.
 *
 *   waiting ─Lease▶ leased ─run out▶ waiting ─Renew, Ack▶ leased
 */
import { GatewayError } from "@lightferry/proto/errors";
import type { lightferry } from "@lightferry/proto/gen";
import type pg from "pg";
import { query } from "../database.ts";
import type { OutboxRow } from "./outbox.ts";
import { succeeds } from "./worker-name.ts";

type LeaseRequest = InstanceType<typeof lightferry.ferry.v1.LeaseRequest>;

/** One answer stays small; a ferry that wants more asks again. */
const MAX_LEASED = 64;
/** `lease_order` of the rows of each class. */
const CLASSES = [
  { name: "urgent", from: 0, to: 0 },
  { name: "normal", from: 1, to: 1 },
  { name: "bulk", from: 2, to: 2 },
  { name: "repeated", from: 3, to: 5 },
] as const;
/**
 * As long as a pass takes on a slow line: half a minute, plus the bundle at 10 MB/s. A ferry renews what
 * it holds every ten seconds, so that only a dead one's bundles go to another. One that is given a
 * bundle again which it still carries goes on with it under the new lease.
 */
export const LEASE_MS = 30_000;
export const LEASE_BYTES_PER_MS = 10_000;
/** How often leases that ran out are looked for, for each worker: that reads all that are in force. */
const LOOK_MS = 1_000;
/** A worker that asked for nothing so long is not remembered. */
const FORGET_MS = 60_000;
/** What the database gives out as a lease. */
const LEASE_ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** What a worker has room for of one class. */
export interface LeaseRoom {
  readonly from: number;
  readonly to: number;
  readonly bundles: number;
  readonly anySize: number;
  readonly bytes: number;
}

export interface LeaseAsk {
  readonly lane: string;
  readonly worker: string;
  /** Of all classes together. */
  readonly max: number;
  readonly room: readonly LeaseRoom[];
}

/** @throws GatewayError `rpc.bad-message` without room for anything */
export function readLease(request: LeaseRequest): LeaseAsk {
  const room = CLASSES.flatMap(({ name, from, to }) => {
    const asked = request[name];
    const bundles = Math.min(asked?.bundles ?? 0, MAX_LEASED);
    const anySize = asked?.anySize ?? 0;
    const bytes = asked?.bytes ?? 0;
    const fits = bundles > 0 && (anySize > 0 || bytes > 0);
    return fits ? [{ from, to, bundles, anySize: Math.min(anySize, bundles), bytes }] : [];
  });
  if (room.length === 0) throw new GatewayError("rpc.bad-message", { detail: "room" });
  const { lane, worker } = request;
  const max = request.max === 0 ? MAX_LEASED : Math.min(request.max, MAX_LEASED);
  return { lane, worker, max, room };
}

/**
 * For each class its oldest that wait, as many as there is room for, by the index in this order; of those
 * the ones that fit by size, and of these the first of all classes together. What another worker is being
 * given at this moment is passed over.
 */
export const LEASE_SQL = `WITH next AS (
    SELECT w.*, r.any_size, r.bytes
      FROM unnest($2::int[], $3::int[], $4::int[], $5::int[], $6::bigint[])
             AS r (first, last, bundles, any_size, bytes)
     CROSS JOIN LATERAL (
       SELECT bundle_id, r.first AS class, lease_order, created_ms, sequence, size
         FROM outbox_bundle
        WHERE lane = $1 AND state = 'waiting' AND lease_order BETWEEN r.first AND r.last
        ORDER BY lease_order, created_ms, sequence LIMIT least(r.bundles, $7)
          FOR UPDATE SKIP LOCKED) AS w),
  fitting AS (
    SELECT bundle_id FROM (
      SELECT *, row_number() OVER queue AS number, sum(size) OVER queue - size AS before
        FROM next WINDOW queue AS (
          PARTITION BY class ORDER BY lease_order, created_ms, sequence ROWS UNBOUNDED PRECEDING)) AS q
     WHERE number <= any_size OR before < bytes
     ORDER BY lease_order, created_ms, sequence LIMIT $7)
  UPDATE outbox_bundle o SET state = 'leased', lease_id = gen_random_uuid(), lease_worker = $8,
      lease_expires_ms = $9::bigint + o.size / $10::bigint
    FROM fitting WHERE o.bundle_id = fitting.bundle_id RETURNING o.*`;

/** Values of {@link LEASE_SQL}. */
export function leaseValues({ lane, worker, max, room }: LeaseAsk, nowMs: number): unknown[] {
  return [
    lane,
    room.map(({ from }) => from),
    room.map(({ to }) => to),
    room.map(({ bundles }) => bundles),
    room.map(({ anySize }) => anySize),
    room.map(({ bytes }) => bytes),
    ...[max, worker, nowMs + LEASE_MS, LEASE_BYTES_PER_MS],
  ];
}

export class OutboxLeases {
  readonly #pool: pg.Pool;
  /** When leases that ran out were looked for, by lane and worker. */
  readonly #looked = new Map<string, number>();

  constructor(pool: pg.Pool) {
    this.#pool = pool;
  }

  async give(ask: LeaseAsk): Promise<readonly OutboxRow[]> {
    await this.#takeBack(ask);
    const values = leaseValues(ask, Date.now());
    const { rows } = await query<OutboxRow>(this.#pool, "outbox-lease", LEASE_SQL, values);
    return rows.toSorted(
      (a, b) =>
        a.lease_order - b.lease_order || a.created_ms - b.created_ms || a.sequence - b.sequence,
    );
  }

  /** Also of what ran out and was given to nobody else. @returns which are in force */
  async renew(lane: string, leaseIds: readonly string[]): Promise<ReadonlySet<string>> {
    const result = await query<{ lease_id: string }>(
      this.#pool,
      "outbox-renew",
      `UPDATE outbox_bundle SET state = 'leased',
           lease_expires_ms = greatest(lease_expires_ms, $3::bigint + size / $4::bigint)
        WHERE lane = $1 AND lease_id = ANY($2::uuid[]) AND lease_id IS NOT NULL
          AND state IN ('waiting', 'leased')
        RETURNING lease_id::text`,
      [
        lane,
        leaseIds.filter((leaseId) => LEASE_ID.test(leaseId)),
        Date.now() + LEASE_MS,
        LEASE_BYTES_PER_MS,
      ],
    );
    return new Set(result.rows.map((row) => row.lease_id));
  }

  /** What ran out, and what a killed ferry had that is back under its name: it goes on with that at once. */
  async #takeBack({ lane, worker }: LeaseAsk): Promise<void> {
    const now = performance.now();
    const who = `${lane} ${worker}`;
    const last = this.#looked.get(who);
    if (last !== undefined && now < last + LOOK_MS) return;
    for (const [other, at] of this.#looked) if (at + FORGET_MS <= now) this.#looked.delete(other);
    this.#looked.set(who, now);
    const former = last === undefined ? await this.#former(lane, worker) : [];
    await query(
      this.#pool,
      "outbox-take-back",
      `UPDATE outbox_bundle SET state = 'waiting'
        WHERE lane = $1 AND lease_id IS NOT NULL AND state = 'leased'
          AND (lease_expires_ms <= $2 OR lease_worker = ANY($3::text[]))`,
      [lane, Date.now(), former],
    );
  }

  /** Starts of a worker before this one that hold leases. */
  async #former(lane: string, worker: string): Promise<readonly string[]> {
    const held = await query<{ lease_worker: string }>(
      this.#pool,
      "outbox-holders",
      `SELECT DISTINCT lease_worker FROM outbox_bundle
        WHERE lane = $1 AND lease_id IS NOT NULL AND state = 'leased'`,
      [lane],
    );
    return held.rows.map((row) => row.lease_worker).filter((name) => succeeds(worker, name));
  }
}
