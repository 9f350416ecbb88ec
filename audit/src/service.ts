/**
 * Guarantee: the parts of the audit service joined once: who may call what, the
 * one sequencer, and closing in an order in which nothing accepted is dropped.
 *
 *   append ─▶ validate ─▶ sequencer ─▶ PostgreSQL ─▶ answer with a signed checkpoint
 *   witness ─▶ certified key ─▶ judge ─┘
 *   list, trail, checkpoint ─▶ readers
 */

import type { GatewayError } from "@lightferry/proto/errors";
import type { Mode, RegistrySource } from "@lightferry/proto/registry";
import { AuditService, bind, startRpcServer, type TlsFiles } from "@lightferry/proto/rpc";
import type { ActiveKey, Logger } from "@lightferry/proto/service";
import type { SmProvider } from "@lightferry/proto/sm";
import type { TrustStore } from "@lightferry/proto/trust";
import { auditHandlers } from "./api/handlers.ts";
import { prepareEvents } from "./api/validate.ts";
import { checkpointSigner } from "./checkpoint/sign.ts";
import { registrySource } from "./registry-source.ts";
import { Sequencer } from "./sequencer/sequencer.ts";
import { readerPool } from "./store/connect.ts";
import { PostgresLog } from "./store/postgres-log.ts";
import { tileReader } from "./store/read.ts";
import { knownCheckpoints } from "./store/witnessed.ts";
import { Witness } from "./witness/witness.ts";

export interface AuditServiceOptions {
  readonly zone: string;
  readonly node: string;
  readonly mode: Mode;
  readonly listen: { readonly host: string; readonly port: number };
  readonly tls: TlsFiles;
  readonly anchorPath: string;
  readonly databaseUrl: string;
  readonly ownerUrl: string;
  /** The one other zone whose checkpoints come through the gate. */
  readonly witnessZone: string;
  readonly keyAt: (loggedMs: number) => ActiveKey;
  readonly trust: () => TrustStore;
  readonly provider: SmProvider;
  readonly policy: RegistrySource;
  readonly log: Logger;
  /** Hears why a batch was not logged. */
  readonly onFault?: (fault: GatewayError) => void;
}

export interface AuditServiceRunning {
  readonly port: number;
  /** Takes the service's own journal, as Append takes every other service's. */
  readonly sink: { append(request: { events?: Uint8Array[] | null }): Promise<unknown> };
  /** Ends the listener and the readers. The sequencer still takes what the sink brings. */
  close(): Promise<void>;
  /** Ends the writing session; nothing can be logged any more. */
  endSession(): Promise<void>;
}

export async function startAuditService(
  options: AuditServiceOptions,
): Promise<AuditServiceRunning> {
  const { zone, node, provider, log } = options;
  const { sm3 } = provider;
  const sequencer = new Sequencer({
    store: new PostgresLog({ ...options, sm3 }),
    sm3,
    sign: checkpointSigner(provider, options.keyAt, node),
    zone,
    node,
    now: Date.now,
    onFault: (fault) => {
      log.error({ code: fault.code, detail: fault.detail }, "a batch was not logged");
      options.onFault?.(fault);
    },
  });
  const pool = readerPool(options.databaseUrl);
  const witness = new Witness({
    provider,
    sequencer,
    zone: options.witnessZone,
    registry: registrySource(options.policy, provider, options),
    keys: (registry) => options.trust().keyDirectory((id) => registry.node(id)?.zone),
    known: (peerZone, size, oldSize) => knownCheckpoints(pool, peerZone, size, oldSize),
  });
  const handlers = auditHandlers({
    ...{ zone, node, sm3, sequencer, witness, pool },
    readTiles: tileReader(pool),
  });
  const server = await startRpcServer({
    listen: options.listen,
    tls: options.tls,
    zone,
    log,
    services: [
      bind(AuditService, handlers, {
        append: ["front-proxy", "seal", "policy", "ferry-tx", "ferry-rx", "media-tx", "media-rx"],
        getCheckpoint: ["front-proxy"],
        witness: ["front-proxy"],
        listEvents: ["operator", "front-proxy"],
        getTrail: ["operator", "front-proxy"],
      }),
    ],
  });
  return {
    port: server.port,
    sink: {
      append: ({ events }) =>
        sequencer.append({
          events: prepareEvents(sm3, events ?? [], { zone, node, emitter: "audit" }),
          trails: [],
          own: [],
        }),
    },
    close: async () => {
      await server.close();
      await pool.end();
    },
    endSession: () => sequencer.close(),
  };
}
