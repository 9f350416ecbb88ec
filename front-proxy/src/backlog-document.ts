/**
 * Guarantee: the one shape in which the queue before the gate is shown, to the
 * command line and whoever reads its JSON. Bytes, milliseconds since 1970.
 */

/** What waits for the gate on a lane. */
export interface LaneBacklog {
  readonly lane: string;
  /** In the order in which it leaves. */
  readonly waiting: readonly {
    readonly priority: string;
    /** Never emitted yet, recalled for a repair ticket, or emitted with passes still to come. */
    readonly kind: "new" | "repair" | "further-passes";
    readonly bundles: number;
    readonly bytes: number;
    readonly oldestMs: number;
  }[];
  /** Of those that are new or for repair. */
  readonly bundles: number;
  readonly bytes: number;
  /** Accepted, in no bundle yet. */
  readonly unsealed: { readonly exchanges: number; readonly bytes: number };
  /** Sent, and kept in case the far side asks again. */
  readonly kept: { readonly bundles: number; readonly bytes: number };
  /** First passes of the last minutes. */
  readonly observedBytesPerSecond: number;
  /** What the two following are reckoned with. */
  readonly bytesPerSecond: number;
  /** Absent while nothing leaves and no rate was given. */
  readonly drainSeconds?: number;
  /** Will have expired before it leaves; without a rate: has expired. It is decided and sealed anew. */
  readonly expiring: { readonly bundles: number; readonly bytes: number };
}

export interface BacklogDocument {
  readonly lanes: readonly LaneBacklog[];
  /** Of the sending side as a whole. */
  readonly room: {
    /** False: new submissions are put off. */
    readonly accepting: boolean;
    readonly usedBytes: number;
    readonly highWaterBytes: number;
  };
}
