/**
 * Guarantee: what the log says about itself is numbered by the sequencer when
 * it is logged, so these numbers have no holes either. The service's own life
 * goes through its journal like that of every other service, as emitter `audit`.
 */
import { encodeCanonical } from "@lightferry/proto/canonical";
import { lightferry } from "@lightferry/proto/gen";
import { newId } from "@lightferry/proto/ids";
import { leafHash, type Sm3Function } from "@lightferry/proto/merkle";
import type { EventMessage, PreparedEvent } from "../store/batch.ts";

/** No service has this name, so no peer can use it. */
export const OWN_EMITTER = "audit-log";

/** An own event before it has a number. */
export interface OwnDraft {
  readonly type: string;
  readonly outcome: "ok" | "refused" | "held" | "error";
  readonly code?: string;
  readonly actor?: string;
  readonly exchangeId?: Uint8Array;
  readonly bundleId?: Uint8Array;
  readonly digest?: Uint8Array;
  readonly size?: number;
  readonly attributes?: Readonly<Record<string, string>>;
}

export interface OwnContext {
  readonly zone: string;
  readonly node: string;
  readonly timeMs: number;
  readonly sequence: number;
}

export function ownEvent(sm3: Sm3Function, draft: OwnDraft, context: OwnContext): PreparedEvent {
  const { attributes = {}, ...fields } = draft;
  const properties = {
    ...fields,
    eventId: newId(context.timeMs),
    timeMs: context.timeMs,
    zone: context.zone,
    node: context.node,
    emitter: OWN_EMITTER,
    emitterSequence: context.sequence,
    attributes: Object.entries(attributes)
      .filter(([, value]) => value !== "")
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, value]) => ({ name, value })),
  };
  const bytes = encodeCanonical(lightferry.audit.v1.Event, properties);
  const event: EventMessage = lightferry.audit.v1.Event.decode(bytes);
  return { bytes, event, leaf: leafHash(sm3, bytes) };
}
