/**
 * Guarantee: the one shape in which an exchange is shown, whether by the API,
 * the command line or beside a watched folder. It never carries content.
 */

export type Direction = "sent" | "received";

/** One step of an exchange's life, by this node's clock. */
export interface TimelineStep {
  readonly atMs: number;
  readonly state: string;
  /** Error code when the step was a refusal or a failure. */
  readonly code?: string;
  /** Names and numbers for people; never content. */
  readonly detail?: string;
}

/** Why an exchange was refused, and who must do what about it. */
export interface RefusalView {
  readonly code: string;
  /** The deciding rule of the policy pack, or the check of this program. */
  readonly rule: string;
  readonly reason: { readonly zh: string; readonly en: string };
  readonly actor: string;
  readonly do: { readonly zh: string; readonly en: string };
}

/** What the far side said became of an exchange, in a signed receipt. */
export interface ReceiptView {
  /** delivered, failed, in-doubt, quarantined or returned. */
  readonly state: string;
  /** Why, with the words of the code; absent when it was delivered. */
  readonly refusal?: RefusalView;
  /** By the far side's clock. */
  readonly atMs: number;
  /** Of the list that said it. */
  readonly number: number;
}

export interface ExchangeDocument {
  readonly exchangeId: string;
  readonly direction: Direction;
  readonly kind: string;
  /** urgent, normal or bulk, by the registry in force when it was submitted. Sending side only. */
  readonly priority?: string;
  readonly state: string;
  /** True once it has left and no receipt has come back: 对端未知. */
  readonly unconfirmed?: boolean;
  /** Shown beside the state where it needs words, e.g. 对端未知. */
  readonly stateNote?: { readonly zh: string; readonly en: string };
  readonly lane: string;
  readonly service: string;
  readonly caller: string;
  readonly grade: string;
  readonly size: number;
  readonly submittedMs: number;
  readonly updatedMs: number;
  readonly bundleId?: string;
  readonly attempts?: number;
  readonly refusal?: RefusalView;
  /** Sending side only, once a receipt has come. */
  readonly receipt?: ReceiptView;
  readonly timeline: readonly TimelineStep[];
}

/** What a list may be narrowed by; `caller` undefined = an operator, who sees all. */
export interface ExchangeFilter {
  readonly caller?: string;
  readonly lane?: string;
  readonly service?: string;
  readonly state?: string;
  readonly direction?: Direction;
  /** 1..{@link MAX_PAGE}. */
  readonly limit: number;
  /** Strictly older than this exchange id (ids ascend in time). */
  readonly before?: Uint8Array;
}

/** A page is one screen of work for a person and bounds one answer to about 1 MiB. */
export const MAX_PAGE = 500;
