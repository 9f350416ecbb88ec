/** Guarantee: an event as people and scripts see it: every field by its name, ids in their usual form. */
import { decodeCanonical } from "@lightferry/proto/canonical";
import type { CliZoneConfig } from "@lightferry/proto/cli";
import { GatewayError } from "@lightferry/proto/errors";
import { lightferry } from "@lightferry/proto/gen";
import { formatId } from "@lightferry/proto/ids";
import { AuditService, type Client, createClient } from "@lightferry/proto/rpc";

export interface EventView {
  /** Absent in the other zone's half. */
  readonly index?: number;
  readonly loggedMs?: number;
  readonly timeMs: number;
  readonly zone: string;
  readonly node: string;
  readonly emitter: string;
  readonly emitterSequence: number;
  readonly type: string;
  readonly outcome: string;
  readonly code: string;
  readonly exchange: string;
  readonly bundle: string;
  readonly lane: string;
  readonly actor: string;
  readonly clientAddress: string;
  readonly service: string;
  readonly grade: string;
  readonly digest: string;
  readonly size: number;
  readonly rules: readonly string[];
  readonly policyVersion: string;
  readonly attributes: Readonly<Record<string, string>>;
}

/** @throws GatewayError `rpc.bad-message` when the bytes are not a canonical event. */
export function viewEvent(bytes: Uint8Array): EventView {
  const event = decodeCanonical(lightferry.audit.v1.Event, bytes);
  return {
    timeMs: event.timeMs,
    zone: event.zone,
    node: event.node,
    emitter: event.emitter,
    emitterSequence: event.emitterSequence,
    type: event.type,
    outcome: event.outcome,
    code: event.code,
    exchange: idText(event.exchangeId),
    bundle: idText(event.bundleId),
    lane: event.lane,
    actor: event.actor,
    clientAddress: event.clientAddress,
    service: event.service,
    grade: event.grade,
    digest: Buffer.from(event.digest).toString("hex"),
    size: event.size,
    rules: event.ruleIds,
    policyVersion: event.policyVersion,
    attributes: Object.fromEntries(event.attributes.map((a) => [a.name ?? "", a.value ?? ""])),
  };
}

export function viewLogged(logged: lightferry.audit.v1.LoggedEvent.$Properties): EventView {
  const view = viewEvent(logged.event ?? new Uint8Array());
  return { index: logged.index ?? 0, loggedMs: logged.loggedMs ?? 0, ...view };
}

export async function withAudit<T>(
  config: CliZoneConfig,
  work: (client: Client<typeof AuditService>) => Promise<T>,
): Promise<T> {
  const address = config.peers.audit;
  if (address === undefined) {
    throw new GatewayError("config.invalid", { detail: "cli.json: peers.audit" });
  }
  const client = createClient(AuditService, {
    ...{ address, tls: config.tls, zone: config.zone, peer: "audit" },
  });
  try {
    return await work(client);
  } finally {
    client.close();
  }
}

function idText(id: Uint8Array): string {
  return id.length === 0 ? "" : formatId(id);
}
