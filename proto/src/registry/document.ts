/**
 * Guarantee: the shape of the signed registry document. Both zones hold their
 * own signed copy; what only one zone may know (targets, paths) is not in it.
 */
import type { Grade } from "./grades.ts";

export const REGISTRY_FORMAT = "lightferry-registry/1";

export interface RegistryDocument {
  readonly format: typeof REGISTRY_FORMAT;
  /** Rises with every issue; a lower one is never loaded again. */
  readonly number: number;
  readonly issuedMs: number;
  /** True: made by `npm start` for demonstration; refused in production mode. */
  readonly demo: boolean;
  readonly nodes: readonly NodeEntry[];
  readonly lanes: readonly LaneEntry[];
  readonly services: readonly ServiceEntry[];
  readonly callers: readonly CallerEntry[];
  readonly grants: readonly GrantEntry[];
}

/** Its keys are not here: certificates name them (proto/src/trust). */
export interface NodeEntry {
  readonly id: string;
  readonly zone: string;
  readonly organisation: string;
  readonly licence: LicenceEntry;
}

/** 接入许可: without a licence in force a node decides nothing. */
export interface LicenceEntry {
  readonly number: string;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  readonly lanes: readonly string[];
  readonly gradeCeiling: Grade;
}

export interface LaneEntry {
  readonly id: string;
  readonly from: string;
  readonly to: string;
  /** What carries it; `media` has no online form. */
  readonly driver: "udp" | "directory" | "media";
  /**
   * `open`: online, by its driver. `media`: by removable medium alone, the online form is closed.
   * `closed`: nothing is decided for it, whatever would carry it.
   */
  readonly state: "open" | "media" | "closed";
  readonly kinds: readonly string[];
  readonly gradeCeiling: Grade;
  /** How long a sealed bundle stays valid. */
  readonly expirySeconds: number;
  /** Past this age of a revocation list that the lane depends on, nothing is sealed for it. */
  readonly revocationFreshnessSeconds: number;
  readonly maxRequestBytes: number;
  readonly maxFileBytes: number;
}

export interface ServiceEntry {
  readonly id: string;
  /** The zone the service lives in. */
  readonly zone: string;
  /** "receipt": where receipts from the other zone are matched; the gateway alone sends there. */
  readonly kind: "request" | "file" | "receipt";
  /** kind "request": allowed methods, upper case. */
  readonly methods: readonly string[];
  /** kind "request": allowed path templates such as `/records/{id}`. */
  readonly paths: readonly string[];
  readonly maxBytes: number;
  /** kind "request" alone: its requests overtake all else of their lane; absent is `normal`. */
  readonly priority?: ServicePriority;
}

export type ServicePriority = "urgent" | "normal";

export interface CallerEntry {
  readonly id: string;
  readonly zone: string;
  readonly organisation: string;
  /** SHA-256 of client certificates in DER, lower-case hex. */
  readonly certificateSha256: readonly string[];
}

export interface GrantEntry {
  readonly id: string;
  readonly caller: string;
  readonly service: string;
  readonly lane: string;
  readonly gradeCeiling: Grade;
  readonly purpose: string;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  /** Exchanges a day (by the deciding node's UTC+8 calendar day). */
  readonly perDay: number;
  readonly bytesPerDay: number;
}
