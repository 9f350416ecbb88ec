/**
 * Guarantee: the methods of AuditService as the schema says; each checks what
 * came, does one thing, and answers only what is committed.
 */
import { decodeCanonical } from "@lightferry/proto/canonical";
import { GatewayError } from "@lightferry/proto/errors";
import { lightferry } from "@lightferry/proto/gen";
import { formatId } from "@lightferry/proto/ids";
import type { Sm3Function } from "@lightferry/proto/merkle";
import type { ServiceName } from "@lightferry/proto/rpc";
import type pg from "pg";
import type { Sequencer } from "../sequencer/sequencer.ts";
import { type EventFilter, listEvents, ownTrail, peerTrails } from "../store/read.ts";
import { consistencyProof, type TileReader } from "../tree/proof.ts";
import type { Witness } from "../witness/witness.ts";
import { prepareEvents, prepareTrails } from "./validate.ts";

type Api = typeof lightferry.audit.v1;
type Message<Name extends keyof Api> = Api[Name] extends abstract new (
  ...args: never[]
) => infer M
  ? M
  : never;

/** A page of the schema's largest size. */
const MAX_PAGE = 500;
const DEFAULT_PAGE = 50;
const ID_BYTES = 16;

export interface HandlerOptions {
  readonly zone: string;
  readonly node: string;
  readonly sm3: Sm3Function;
  readonly sequencer: Sequencer;
  readonly witness: Witness;
  readonly pool: pg.Pool;
  readonly readTiles: TileReader;
}

interface Call {
  readonly peer: ServiceName;
}

export function auditHandlers(options: HandlerOptions) {
  const { zone, node, sm3, sequencer, witness, pool, readTiles } = options;

  /** Officers' reads are events too; the answer leaves after the event is durable. */
  const recordRead = async (call: Call, attributes: Record<string, string>): Promise<void> => {
    if (call.peer !== "operator") return;
    const own = { type: "audit.read", outcome: "ok", actor: call.peer, attributes } as const;
    await sequencer.append({ events: [], trails: [], own: [own] });
  };

  return {
    async append(request: Message<"AppendRequest">, call: Call) {
      const events = prepareEvents(sm3, request.events, { zone, node, emitter: call.peer });
      if (request.peerTrails.length > 0 && call.peer !== "front-proxy") {
        throw new GatewayError("audit.emitter-mismatch", { detail: `trails from ${call.peer}` });
      }
      const trails = prepareTrails(sm3, request.peerTrails, zone);
      const { treeSize, note } = await sequencer.append({ events, trails, own: [] });
      return { treeSize, checkpoint: Buffer.from(note, "utf8") };
    },

    async getCheckpoint(request: Message<"GetCheckpointRequest">) {
      const committed = sequencer.committed;
      if (committed === undefined) throw new GatewayError("audit.database-unavailable");
      const { snapshot, note } = committed;
      return {
        note: Buffer.from(note, "utf8"),
        size: snapshot.size,
        consistency: await consistencyProof(sm3, snapshot, request.oldSize, readTiles),
      };
    },

    async witness(request: Message<"WitnessRequest">) {
      return { status: await witness.record(request) };
    },

    async listEvents(request: Message<"ListEventsRequest">, call: Call) {
      const filter = readFilter(request);
      const events = await listEvents(pool, filter);
      await recordRead(call, { method: "list", ...describe(filter) });
      return { events };
    },

    async getTrail(request: Message<"GetTrailRequest">, call: Call) {
      if (request.exchangeId.length !== ID_BYTES) {
        throw new GatewayError("audit.filter-invalid", { detail: "exchange_id" });
      }
      const own = await ownTrail(pool, request.exchangeId);
      const peer = await peerTrails(pool, request.exchangeId);
      await recordRead(call, { method: "trail", exchange: formatId(request.exchangeId) });
      return {
        own,
        peer: peer.map((bytes) => decodeCanonical(lightferry.audit.v1.PeerTrail, bytes)),
      };
    },
  };
}

function readFilter(request: Message<"ListEventsRequest">): EventFilter {
  const refuse = (detail: string) => new GatewayError("audit.filter-invalid", { detail });
  const texts = [request.type, request.outcome, request.code, request.actor, request.lane];
  if (texts.some((text) => text.length > 256 || text.includes("\0"))) throw refuse("text");
  if (request.limit > MAX_PAGE) throw refuse(`limit ${request.limit} > ${MAX_PAGE}`);
  if (![0, ID_BYTES].includes(request.exchangeId.length)) throw refuse("exchange_id");
  return {
    limit: request.limit === 0 ? DEFAULT_PAGE : request.limit,
    ...(request.beforeIndex === 0 ? {} : { beforeIndex: request.beforeIndex }),
    ...(request.type === "" ? {} : { typePrefix: request.type }),
    ...(request.outcome === "" ? {} : { outcome: request.outcome }),
    ...(request.code === "" ? {} : { code: request.code }),
    ...(request.actor === "" ? {} : { actor: request.actor }),
    ...(request.lane === "" ? {} : { lane: request.lane }),
    ...(request.fromMs === 0 ? {} : { fromMs: request.fromMs }),
    ...(request.toMs === 0 ? {} : { toMs: request.toMs }),
    ...(request.exchangeId.length === 0 ? {} : { exchangeId: request.exchangeId }),
  };
}

function describe(filter: EventFilter): Record<string, string> {
  return Object.fromEntries(
    Object.entries(filter).map(([name, value]) => [
      // Attribute names are lower-case with hyphens, as everywhere in EVENTS.md.
      name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`),
      value instanceof Uint8Array ? formatId(value) : String(value),
    ]),
  );
}
