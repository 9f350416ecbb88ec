/**
 * Guarantee: nobody is surprised by a revocation list that has become too old or
 * by a certificate that ends: both are said beforehand, once per threshold, and
 * what was said is remembered across restarts.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { EventInput } from "@lightferry/proto/event";
import type { LaneEntry, Registry } from "@lightferry/proto/registry";
import type { TrustStore } from "@lightferry/proto/trust";
import { replaceDurably } from "../durable.ts";
import { LookOut } from "../look-out.ts";

/** Percent of a lane's freshness limit. */
const LIST_STEPS = [50, 80];
/** Percent of a certificate's validity. */
const CERTIFICATE_STEPS = [80, 95];
/** Limits are hours at least, so a minute late is early enough. */
export const WATCH_EVERY_MS = 60_000;
const SAID_FILE = "trust-said.json";
/** Alarms of lists and certificates that are gone are forgotten, so this is far beyond what can be open. */
const SAID_MAX_BYTES = 4 * 1024 * 1024;

export interface WatchOptions {
  readonly zone: string;
  readonly registry: Registry;
  readonly store: () => TrustStore;
  readonly stateDir: string;
  readonly journal: { record(events: EventInput[]): Promise<unknown> };
  /** Unix milliseconds. */
  now(): number;
  /** An alarm could not be written down; it is tried again at the next look. */
  readonly failed: (error: unknown) => void;
}

/** One thing worth saying; `name` is the same as long as it is the same thing. */
interface Alarm {
  readonly name: string;
  readonly event: EventInput;
}

export class TrustWatch extends LookOut {
  readonly #options: WatchOptions;
  #said: ReadonlySet<string>;

  constructor(options: WatchOptions) {
    super(WATCH_EVERY_MS, options.failed);
    this.#options = options;
    this.#said = readSaid(join(options.stateDir, SAID_FILE));
  }

  protected async lookOnce(): Promise<void> {
    const due = [...listAlarms(this.#options), ...certificateAlarms(this.#options)];
    const names = due.map(({ name }) => name);
    const fresh = due.filter(({ name }) => !this.#said.has(name));
    if (fresh.length > 0) {
      await this.#options.journal.record(fresh.map(({ event }) => event));
    }
    // Said first, noted afterwards: a crash in between repeats an alarm, it never loses one.
    if (fresh.length > 0 || names.length < this.#said.size) {
      replaceDurably(join(this.#options.stateDir, SAID_FILE), `${JSON.stringify(names)}\n`);
      this.#said = new Set(names);
    }
  }
}

/** For every lane with an end in this zone, the lists of both its ends. */
function* listAlarms({ registry, zone, store, now }: WatchOptions): Generator<Alarm> {
  for (const lane of registry.document.lanes) {
    if (lane.from !== zone && lane.to !== zone) continue;
    for (const issuer of new Set([lane.from, lane.to])) {
      const alarm = listAlarm(lane, issuer, store(), now());
      if (alarm !== undefined) yield alarm;
    }
  }
}

function listAlarm(
  lane: LaneEntry,
  issuer: string,
  store: TrustStore,
  nowMs: number,
): Alarm | undefined {
  const list = store.revocationList(issuer);
  const limitMs = lane.revocationFreshnessSeconds * 1000;
  const percent = list === undefined ? 100 : ((nowMs - list.thisUpdateMs) * 100) / limitMs;
  const number = list === undefined ? "" : list.number.toString(16);
  const attributes = {
    issuer,
    number,
    ...(list === undefined ? {} : { "limit-ms": String(list.thisUpdateMs + limitMs) }),
  };
  // Exactly at the limit a list still counts, as it does for the sealer.
  if (list === undefined || percent > 100) {
    return {
      name: `list/${lane.id}/${issuer}/${number}/outdated`,
      event: {
        type: "trust.list-outdated",
        outcome: "error",
        code: "trust.list-outdated",
        lane: lane.id,
        attributes,
      },
    };
  }
  const step = reached(LIST_STEPS, percent);
  if (step === undefined) return undefined;
  return {
    name: `list/${lane.id}/${issuer}/${number}/${step}`,
    event: {
      type: "trust.list-ageing",
      outcome: "ok",
      lane: lane.id,
      attributes: { ...attributes, percent: String(step) },
    },
  };
}

/** Of every CA and of every use of a registered node, the certificate that begins last. */
function* certificateAlarms({ registry, store, now }: WatchOptions): Generator<Alarm> {
  const newest = new Map<string, TrustStore["certificates"][number]>();
  for (const certificate of store().certificates) {
    const { identity } = certificate;
    if (identity !== undefined && registry.node(identity.node)?.zone !== identity.zone) continue;
    const known = newest.get(certificate.subject);
    if (known === undefined || known.notBeforeMs < certificate.notBeforeMs) {
      newest.set(certificate.subject, certificate);
    }
  }
  for (const { subject, serial, keyId, notBeforeMs, notAfterMs } of newest.values()) {
    const percent = ((now() - notBeforeMs) * 100) / (notAfterMs - notBeforeMs);
    const step = reached(CERTIFICATE_STEPS, percent);
    if (step === undefined) continue;
    yield {
      name: `certificate/${serial}/${keyId}/${step}`,
      event: {
        type: "trust.certificate-ageing",
        outcome: "ok",
        attributes: {
          subject,
          number: serial,
          key: keyId,
          percent: String(step),
          "ends-ms": String(notAfterMs),
        },
      },
    };
  }
}

/** The highest step reached; what lies below it needs no saying any more. */
function reached(steps: readonly number[], percent: number): number | undefined {
  return steps.findLast((step) => percent >= step);
}

function readSaid(path: string): ReadonlySet<string> {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch {
    return new Set();
  }
  try {
    const names = text.length > SAID_MAX_BYTES ? [] : (JSON.parse(text) as unknown);
    return new Set(Array.isArray(names) ? names.filter((name) => typeof name === "string") : []);
  } catch {
    // Damaged: everything due is said once more, which is the harmless side.
    return new Set();
  }
}
