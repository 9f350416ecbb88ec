/**
 * Guarantee: the verifier reads the tables themselves, in one read-only
 * snapshot and in constant memory, through server-side cursors.
 */
import { GatewayError } from "@lightferry/proto/errors";
import pg from "pg";

/** About 1 MiB of rows at a time. */
const FETCH_ROWS = 1_000;
const CONNECT_TIMEOUT_MS = 5_000;
const INT8_OID = 20;

export interface EventRow {
  readonly seq: number;
  readonly logged_ms: number;
  readonly event_id: Buffer;
  readonly event_ms: number;
  readonly node: string;
  readonly emitter: string;
  readonly emitter_sequence: number;
  readonly type: string;
  readonly outcome: string;
  readonly code: string;
  readonly exchange_id: Buffer | null;
  readonly bundle_id: Buffer | null;
  readonly lane: string;
  readonly actor: string;
  readonly client_address: string;
  readonly service: string;
  readonly grade: string;
  readonly leaf: Buffer;
  readonly canonical: Buffer;
}

export interface CheckpointRow {
  readonly size: number;
  readonly previous_size: number;
  readonly logged_ms: number;
  readonly root: Buffer;
  readonly note: string;
}

export interface TileRow {
  readonly level: number;
  readonly index: number;
  readonly hashes: Buffer;
}

export interface TrailRow {
  readonly cover_seq: number;
  readonly position: number;
  readonly logged_ms: number;
  readonly zone: string;
  readonly exchange_id: Buffer;
  readonly bundle_id: Buffer;
  readonly canonical: Buffer;
}

export interface WitnessRow {
  readonly cover_seq: number;
  readonly logged_ms: number;
  readonly zone: string;
  readonly size: number;
  readonly root: Buffer;
  readonly old_size: number;
  readonly consistency: Buffer;
  readonly bundle_id: Buffer | null;
  readonly note: string;
  readonly verdict: string;
}

/** A cursor that can be looked at one row ahead. */
export class Rows<Row extends pg.QueryResultRow> {
  readonly #client: pg.Client;
  readonly #name: string;
  #rows: Row[] = [];
  #at = 0;
  #done = false;

  constructor(client: pg.Client, name: string) {
    this.#client = client;
    this.#name = name;
  }

  /** The next row without taking it; undefined at the end. */
  async peek(): Promise<Row | undefined> {
    if (this.#at >= this.#rows.length && !this.#done) {
      const { rows } = await this.#client.query<Row>(`fetch ${FETCH_ROWS} from ${this.#name}`);
      this.#rows = rows;
      this.#at = 0;
      this.#done = rows.length < FETCH_ROWS;
    }
    return this.#rows[this.#at];
  }

  take(): void {
    this.#at += 1;
  }
}

export interface Snapshot {
  readonly events: Rows<EventRow & pg.QueryResultRow>;
  readonly checkpoints: Rows<CheckpointRow & pg.QueryResultRow>;
  readonly leafTiles: Rows<TileRow & pg.QueryResultRow>;
  readonly tiles: Rows<TileRow & pg.QueryResultRow>;
  readonly trails: Rows<TrailRow & pg.QueryResultRow>;
  readonly witnesses: Rows<WitnessRow & pg.QueryResultRow>;
  close(): Promise<void>;
}

const CURSORS = {
  events: "select * from audit.event order by seq",
  checkpoints: "select * from audit.checkpoint order by size",
  leafTiles: "select * from audit.tile where level = 0 order by index",
  tiles: "select * from audit.tile order by level, index",
  trails: "select * from audit.peer_trail order by cover_seq, position",
  witnesses: "select * from audit.witness order by cover_seq",
} as const;

/** @throws GatewayError `audit.database-unavailable`. */
export async function openSnapshot(url: string): Promise<Snapshot> {
  const client = await openReadOnly(url, async (opened) => {
    for (const [name, text] of Object.entries(CURSORS)) {
      await opened.query(`declare ${name.toLowerCase()} no scroll cursor for ${text}`);
    }
  });
  const rows = <Row extends pg.QueryResultRow>(name: keyof typeof CURSORS): Rows<Row> =>
    new Rows<Row>(client, name.toLowerCase());
  return {
    events: rows("events"),
    checkpoints: rows("checkpoints"),
    leafTiles: rows("leafTiles"),
    tiles: rows("tiles"),
    trails: rows("trails"),
    witnesses: rows("witnesses"),
    close: () => client.end().catch(() => {}),
  };
}

const NEWEST = {
  checkpoint: "select note from audit.checkpoint order by size desc limit 1",
  witness: "select note from audit.witness order by size desc, cover_seq desc limit 1",
} as const;

/**
 * The longest checkpoint of this log, or of the other zone's as it was witnessed here; undefined when there is none.
 * @throws GatewayError `audit.database-unavailable`.
 */
export async function newestNote(
  url: string,
  of: keyof typeof NEWEST,
): Promise<string | undefined> {
  let note: string | undefined;
  const client = await openReadOnly(url, async (opened) => {
    note = (await opened.query<{ note: string }>(NEWEST[of])).rows[0]?.note;
  });
  await client.end().catch(() => {});
  return note;
}

/** Connects, and runs `first` in a read-only snapshot that stays open. @throws GatewayError `audit.database-unavailable`. */
async function openReadOnly(
  url: string,
  first: (client: pg.Client) => Promise<void>,
): Promise<pg.Client> {
  const client = new pg.Client({
    connectionString: url,
    application_name: "lightferry-audit-verify",
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    types: {
      getTypeParser: (oid, format) =>
        oid === INT8_OID ? Number : pg.types.getTypeParser(oid, format),
    },
  });
  client.on("error", () => {});
  try {
    await client.connect();
    await client.query("begin isolation level repeatable read read only");
    await first(client);
    return client;
  } catch (error) {
    await client.end().catch(() => {});
    const code = (error as { code?: unknown } | null)?.code;
    throw new GatewayError("audit.database-unavailable", {
      detail: typeof code === "string" ? code : "verify",
      cause: error,
    });
  }
}
