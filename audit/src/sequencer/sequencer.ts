/**
 * Guarantee: one batch at a time extends the log, and a job is answered only
 * after the commit of a checkpoint that covers it. After any failed or unknown
 * commit the state is read back from the database before the next batch, so
 * the tree never forks.
 *
 *   waiting jobs ─take ≤ 512 events─▶ admit ─▶ hash, root, sign ─▶ one statement ─▶ answer
 *        ▲ jobs gather here while the statement runs (no timer)        │ fault
 *        └────────────── emitters resend ◀── refused, state dropped ◀──┘
 */
import { asGatewayError, GatewayError } from "@lightferry/proto/errors";
import { leafHash, merkleRoot, type Sm3Function } from "@lightferry/proto/merkle";
import type { CheckpointSigner } from "../checkpoint/sign.ts";
import type { Batch, LogStore, PreparedEvent, PreparedTrail } from "../store/batch.ts";
import type { TileTree, TreeSnapshot } from "../tree/tile-tree.ts";
import { admit } from "./admit.ts";
import type { Job, Logged } from "./job.ts";
import { OWN_EMITTER, type OwnDraft, ownEvent } from "./own-events.ts";

/** Above this the rate grows no further and the answer comes later (measured). */
export const MAX_BATCH_EVENTS = 512;
/** Each waiting job may hold 1 MiB; emitters keep one under way each, so more is a fault. */
const MAX_WAITING_JOBS = 1024;
/** Alarms already given, so that an emitter that resends a conflict does not flood the log. */
const MAX_REMEMBERED_ALARMS = 1024;

export interface SequencerOptions {
  readonly store: LogStore;
  readonly sm3: Sm3Function;
  readonly sign: CheckpointSigner;
  readonly zone: string;
  readonly node: string;
  readonly now: () => number;
  /** Told of every fault and refusal, for the service's log. */
  readonly onFault: (error: GatewayError) => void;
}

/** The newest committed state, for proofs and checkpoints. */
export interface Committed {
  readonly snapshot: TreeSnapshot;
  readonly note: string;
}

interface Waiting {
  readonly job: Job;
  readonly resolve: (logged: Logged) => void;
  readonly reject: (error: GatewayError) => void;
}

interface State {
  readonly tree: TileTree;
  readonly emitters: Map<string, number>;
  loggedMs: number;
  note: string;
}

export class Sequencer {
  readonly #options: SequencerOptions;
  readonly #waiting: Waiting[] = [];
  readonly #alarmed = new Set<string>();
  #state: State | undefined;
  #committed: Committed | undefined;
  #draining: Promise<void> | undefined;
  #closed = false;

  constructor(options: SequencerOptions) {
    this.#options = options;
  }

  /** Undefined until the first batch of an empty log, or before the log was read. */
  get committed(): Committed | undefined {
    return this.#committed;
  }

  /**
   * Logs a job.
   * @throws GatewayError `audit.database-unavailable` and the other refusals of {@link LogStore};
   *   `audit.sequence-conflict`; `audit.busy`.
   */
  append(job: Job): Promise<Logged> {
    if (this.#closed || this.#waiting.length >= MAX_WAITING_JOBS) {
      return Promise.reject(new GatewayError("audit.busy"));
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({ job, resolve, reject });
      this.#draining ??= this.#drain();
    });
  }

  /** Answers what waits, then ends the session. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#draining;
    await this.#options.store.close();
  }

  async #drain(): Promise<void> {
    // One turn of the event loop lets jobs that arrived together share the first batch.
    await new Promise((resolve) => setImmediate(resolve));
    for (let batch = this.#take(); batch.length > 0; batch = this.#take()) {
      await this.#process(batch);
    }
    this.#draining = undefined;
  }

  #take(): Waiting[] {
    let events = 0;
    let count = 0;
    for (const { job } of this.#waiting) {
      events += job.events.length + job.trails.length + job.own.length;
      if (count > 0 && events > MAX_BATCH_EVENTS) break;
      count += 1;
    }
    return this.#waiting.splice(0, count);
  }

  async #process(batch: readonly Waiting[]): Promise<void> {
    try {
      const state = this.#state ?? (await this.#load());
      this.#state = state;
      const jobs = batch.map(({ job }) => job);
      const { events, trails, refused } = await admit(
        this.#options.store,
        (emitter) => state.emitters.get(emitter) ?? 0,
        jobs,
      );
      await this.#extend(state, jobs, events, trails, refused);
      const logged = { treeSize: state.tree.size, note: state.note };
      for (const { job, resolve, reject } of batch) {
        const refusal = refused.get(job);
        if (refusal === undefined) {
          resolve(logged);
          continue;
        }
        this.#options.onFault(refusal);
        reject(refusal);
      }
    } catch (error) {
      await this.#abandon(asGatewayError(error), batch);
    }
  }

  async #abandon(fault: GatewayError, batch: readonly Waiting[]): Promise<void> {
    this.#state = undefined;
    await this.#options.store.close();
    this.#options.onFault(fault);
    // What waits would meet the same fault after its own time-out; its emitters resend as well.
    for (const { reject } of [...batch, ...this.#waiting.splice(0)]) reject(fault);
  }

  async #load(): Promise<State> {
    const loaded = await this.#options.store.load();
    if (loaded.tree.size > 0) {
      this.#committed = { snapshot: loaded.tree.snapshot(), note: loaded.note };
    }
    return { ...loaded, emitters: new Map(loaded.emitters) };
  }

  async #extend(
    state: State,
    jobs: readonly Job[],
    events: readonly PreparedEvent[],
    trails: readonly PreparedTrail[],
    refused: ReadonlyMap<Job, GatewayError>,
  ): Promise<void> {
    const { sm3, store, sign, node } = this.#options;
    const previousSize = state.tree.size;
    const loggedMs = Math.max(state.loggedMs, this.#options.now());
    const all = [...events];
    const own = (draft: OwnDraft): number => {
      const sequence = (state.emitters.get(OWN_EMITTER) ?? 0) + 1 + all.length - events.length;
      const { zone } = this.#options;
      return (
        previousSize +
        all.push(ownEvent(sm3, draft, { zone, node, timeMs: loggedMs, sequence })) -
        1
      );
    };
    const trailsCoverSeq = trails.length === 0 ? 0 : own(trailsDraft(sm3, trails));
    const witnesses: Batch["witnesses"][number][] = [];
    const alarms = new Set<string>();
    for (const job of jobs) {
      const refusal = refused.get(job);
      if (refusal !== undefined) {
        const alarm = alarmOf(refusal);
        if (!this.#alarmed.has(alarm) && !alarms.has(alarm)) own(alarmDraft(refusal));
        alarms.add(alarm);
        continue;
      }
      const covers = job.own.map(own);
      const [coverSeq] = covers;
      if (job.witness !== undefined && coverSeq !== undefined) {
        witnesses.push({ ...job.witness, coverSeq });
      }
    }
    if (all.length === 0) return;
    for (const { leaf } of all) state.tree.append(leaf);
    const snapshot = state.tree.snapshot();
    const { size, root } = snapshot;
    const note = sign(size, root, loggedMs);
    const tiles = state.tree.takeCompleted();
    await store.commit({
      ...{ node, previousSize, size, loggedMs, root, note, tiles },
      ...{ events: all, trailsCoverSeq, trails, witnesses },
    });
    for (const { event } of all) {
      const last = state.emitters.get(event.emitter) ?? 0;
      state.emitters.set(event.emitter, Math.max(last, event.emitterSequence));
    }
    state.loggedMs = loggedMs;
    state.note = note;
    this.#committed = { snapshot, note };
    if (this.#alarmed.size >= MAX_REMEMBERED_ALARMS) this.#alarmed.clear();
    for (const alarm of alarms) this.#alarmed.add(alarm);
  }
}

function alarmOf(refusal: GatewayError): string {
  return `${refusal.code} ${refusal.detail}`;
}

function alarmDraft(refusal: GatewayError): OwnDraft {
  return {
    type: "audit.append-refused",
    outcome: "refused",
    code: refusal.code,
    attributes: { key: refusal.detail },
  };
}

/** The own event that covers a batch's trails: its digest is the Merkle root over their bytes. */
function trailsDraft(sm3: Sm3Function, trails: readonly PreparedTrail[]): OwnDraft {
  return {
    type: "audit.peer-trails-recorded",
    outcome: "ok",
    digest: merkleRoot(
      sm3,
      trails.map(({ bytes }) => leafHash(sm3, bytes)),
    ),
    attributes: { trails: String(trails.length) },
  };
}
