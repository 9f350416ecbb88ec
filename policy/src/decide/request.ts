/** Guarantee: an export and an import are asked about in one form, so that both zones decide by the same rules. */
import type { ErrorCode } from "@lightferry/proto/errors";
import type { lightferry } from "@lightferry/proto/gen";

export interface DecisionRequest {
  readonly direction: "export" | "import";
  readonly exchangeId: Uint8Array;
  readonly kind: string;
  readonly lane: string;
  readonly service: string;
  readonly caller: string;
  /** Export: as the caller wrote it. Import: of the manifest entry. */
  readonly grade: string;
  readonly purpose: string;
  readonly http: lightferry.bundle.v1.HttpRequest.$Properties | undefined;
  readonly file: lightferry.bundle.v1.FileInfo.$Properties | undefined;
  readonly size: number;
  readonly submittedMs: number;
  readonly orderingKey: string;
  /** Node id: this node for an export, the bundle's sender for an import. */
  readonly sender: string;
  /** Import: the grant the sending side decided by. Export: empty. */
  readonly grant: string;
}

/** Why not, by which rule. */
export interface Objection {
  readonly code: ErrorCode;
  readonly ruleId: string;
  /** Names and numbers for the actor, never content. */
  readonly detail?: string;
}

export function objection(code: ErrorCode, ruleId: string, detail = ""): Objection {
  return { code, ruleId, detail };
}
