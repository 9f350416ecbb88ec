/**
 * Guarantee: every record beside the tree (peer trails, witnessed checkpoints)
 * is held against the own event that covers it: none altered, added or removed.
 */
import { decodeCanonical } from "@lightferry/proto/canonical";
import { GatewayError } from "@lightferry/proto/errors";
import { lightferry } from "@lightferry/proto/gen";
import { leafHash, type Sm3Function, verifyConsistency } from "@lightferry/proto/merkle";
import type { Sm2PublicKey, SmProvider } from "@lightferry/proto/sm";
import { attributeOf, same } from "./event-row.ts";
import type { Findings } from "./findings.ts";
import { checkNote, originOf, readNote } from "./note.ts";
import { CompactRange } from "./range.ts";
import type { Snapshot, TrailRow, WitnessRow } from "./rows.ts";

type Event = lightferry.audit.v1.Event;

/**
 * The other node's audit key as it counted at a time (ms), with that node's id.
 * @throws GatewayError `certificate.*` for a key that is known and did not count then
 */
export type PeerAuditKey = (
  zone: string,
  keyId: string,
  usedMs: number,
) => { readonly nodeId: string; readonly key: Sm2PublicKey } | undefined;

export class TrailCheck {
  count = 0;
  readonly #rows: Snapshot["trails"];
  readonly #findings: Findings;
  readonly #sm3: Sm3Function;

  constructor(rows: Snapshot["trails"], findings: Findings, sm3: Sm3Function) {
    this.#rows = rows;
    this.#findings = findings;
    this.#sm3 = sm3;
  }

  /** Holds the trails under `index` against their covering event. */
  async covering(index: number, loggedMs: number, event: Event): Promise<void> {
    await this.orphansBelow(index);
    const range = new CompactRange(this.#sm3);
    for (
      let row = await this.#rows.peek();
      row?.cover_seq === index;
      row = await this.#rows.peek()
    ) {
      this.#rows.take();
      this.count += 1;
      range.append(leafHash(this.#sm3, row.canonical));
      if (row.logged_ms !== loggedMs || row.position !== range.size - 1 || !trailAgrees(row)) {
        this.#findings.add("trail.altered", index, `position ${row.position}: columns`);
      }
    }
    const whole =
      String(range.size) === attributeOf(event, "trails") &&
      Buffer.compare(range.root(), event.digest) === 0;
    if (!whole) this.#findings.add("trail.altered", index, `${range.size} trails`);
  }

  /** Rows whose covering event has passed or never was. */
  async orphansBelow(index: number): Promise<void> {
    for (let row = await this.#rows.peek(); row !== undefined && row.cover_seq < index; ) {
      this.#rows.take();
      this.#findings.add("trail.altered", row.cover_seq, "not covered by an event");
      row = await this.#rows.peek();
    }
  }
}

function trailAgrees(row: TrailRow): boolean {
  try {
    const trail = decodeCanonical(lightferry.audit.v1.PeerTrail, row.canonical);
    return (
      row.zone === trail.zone &&
      same(row.exchange_id, trail.exchangeId) &&
      same(row.bundle_id, trail.bundleId)
    );
  } catch {
    return false;
  }
}

interface Seen {
  readonly root: Buffer;
  readonly oldSize: number;
  readonly proof: Uint8Array[];
}

export class WitnessCheck {
  count = 0;
  /** Checkpoints that no proof links to another one: a gap, no accusation. "zone/size". */
  readonly unlinked = new Set<string>();
  readonly #rows: Snapshot["witnesses"];
  readonly #findings: Findings;
  readonly #provider: SmProvider;
  readonly #peerKey: PeerAuditKey;
  /** By zone, then by size. */
  readonly #seen = new Map<string, Map<number, Seen>>();
  /** By zone, then by the size that later proofs start from. */
  readonly #from = new Map<string, Map<number, { size: number; seen: Seen }>>();

  constructor(
    rows: Snapshot["witnesses"],
    findings: Findings,
    provider: SmProvider,
    peerKey: PeerAuditKey,
  ) {
    this.#rows = rows;
    this.#findings = findings;
    this.#provider = provider;
    this.#peerKey = peerKey;
  }

  async covering(index: number, loggedMs: number, event: Event): Promise<void> {
    await this.orphansBelow(index);
    if (event.outcome === "refused") return;
    const row = await this.#rows.peek();
    if (row?.cover_seq !== index) {
      this.#findings.add("witness.altered", index, "the record is missing");
      return;
    }
    this.#rows.take();
    this.count += 1;
    try {
      if (row.logged_ms !== loggedMs || !this.#agrees(row, event)) {
        this.#findings.add("witness.altered", index, `${row.zone} size ${row.size}`);
        return;
      }
    } catch (error) {
      if (!(error instanceof GatewayError)) throw error;
      this.#findings.add("witness.key", index, `${row.zone} size ${row.size} ${error.code}`);
      return;
    }
    this.#relate(row, index);
  }

  async orphansBelow(index: number): Promise<void> {
    for (let row = await this.#rows.peek(); row !== undefined && row.cover_seq < index; ) {
      this.#rows.take();
      this.#findings.add("witness.altered", row.cover_seq, "not covered by an event");
      row = await this.#rows.peek();
    }
  }

  #agrees(row: WitnessRow, event: Event): boolean {
    const noteBytes = Buffer.from(row.note, "utf8");
    const note = readNote(row.note);
    const peer = note && this.#peerKey(row.zone, note.keyId, note.loggedMs);
    return (
      note !== undefined &&
      peer !== undefined &&
      note.origin === originOf(peer.nodeId) &&
      checkNote(this.#provider, note, peer.key) &&
      Buffer.compare(this.#provider.sm3(noteBytes), event.digest) === 0 &&
      row.zone === attributeOf(event, "zone") &&
      row.verdict === attributeOf(event, "verdict") &&
      String(row.old_size) === attributeOf(event, "old-size") &&
      same(row.bundle_id, event.bundleId) &&
      row.size === note.size &&
      row.size === event.size &&
      row.root.equals(note.root)
    );
  }

  /** Repeats the judgement from the stored proofs. */
  #relate(row: WitnessRow, index: number): void {
    const proof: Uint8Array[] = [];
    for (let at = 0; at < row.consistency.length; at += 32) {
      proof.push(row.consistency.subarray(at, at + 32));
    }
    const zone = nested(this.#seen, row.zone);
    const from = nested(this.#from, row.zone);
    const twin = zone.get(row.size);
    const earlier = row.old_size === 0 ? undefined : zone.get(row.old_size);
    const later = from.get(row.size);
    const { sm3 } = this.#provider;
    const broken =
      (twin !== undefined && !twin.root.equals(row.root)) ||
      (earlier !== undefined &&
        !verifyConsistency(sm3, row.old_size, earlier.root, row.size, row.root, proof)) ||
      (later !== undefined &&
        !verifyConsistency(sm3, row.size, row.root, later.size, later.seen.root, later.seen.proof));
    if (broken || row.verdict === "inconsistent") {
      this.#findings.add("witness.inconsistent", index, `${row.zone} size ${row.size}`);
      return;
    }
    const first = zone.size === 0;
    if (later !== undefined) this.unlinked.delete(`${row.zone}/${later.size}`);
    if (earlier === undefined && later === undefined && !first) {
      this.unlinked.add(`${row.zone}/${row.size}`);
    }
    const seen = { root: row.root, oldSize: row.old_size, proof };
    zone.set(row.size, seen);
    if (row.old_size > 0 && earlier === undefined) from.set(row.old_size, { size: row.size, seen });
  }
}

function nested<Value>(maps: Map<string, Map<number, Value>>, zone: string): Map<number, Value> {
  const map = maps.get(zone) ?? new Map<number, Value>();
  maps.set(zone, map);
  return map;
}
