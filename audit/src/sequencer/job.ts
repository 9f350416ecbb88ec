/** Guarantee: a job is logged as a whole or refused as a whole. */
import type { PreparedEvent, PreparedTrail, WitnessRecord } from "../store/batch.ts";
import type { OwnDraft } from "./own-events.ts";

export interface Job {
  readonly events: readonly PreparedEvent[];
  readonly trails: readonly PreparedTrail[];
  readonly own: readonly OwnDraft[];
  /** Covered by `own[0]`, which must then be there. */
  readonly witness?: WitnessRecord;
}

/** Proof that the job is in the log: the checkpoint covers it. */
export interface Logged {
  readonly treeSize: number;
  readonly note: string;
}
