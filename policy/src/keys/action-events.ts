/** Guarantee: a line of the record of key operations becomes its events: names, ids, counts (audit/EVENTS.md). */
import type { EventInput } from "@lightferry/proto/event";
import type { CountedUse, KeyActionEntry } from "@lightferry/proto/service";

/** An attribute's limit is 4,096; what does not fit stands in the record, found by its line. */
const MAX_LISTED = 4_000;
/** An event's limit is 64 attributes; a dozen are ours. */
const MAX_FACTS = 48;

/**
 * @param head SM3 of the line, hex.
 * @param totals uses up to the line before, by `keyId/operation`; this line's are added.
 */
export function eventsOf(
  entry: KeyActionEntry,
  head: string,
  totals: Map<string, CountedUse>,
): EventInput[] {
  const { verb, operator, user, about, line, atMs } = entry;
  const facts = Object.entries(about).slice(0, MAX_FACTS);
  const told = {
    actor: operator,
    digest: Buffer.from(head, "hex"),
    attributes: {
      ...{ verb, line: String(line), "at-ms": String(atMs), user },
      ...Object.fromEntries(facts.map(([name, text]) => [`about.${name}`, text])),
    },
  };
  if (entry.event === "begun") return [{ type: "key.action-begun", outcome: "ok", ...told }];
  const { begun, outcome, code, keys, serials, uses } = entry;
  const used = uses.map(({ keyId, operation, count }) => `${keyId} ${operation} ${count}`);
  const ended: EventInput = {
    ...{ type: "key.action-ended", outcome, ...told },
    ...(code === "" ? {} : { code }),
    attributes: {
      ...told.attributes,
      ...{ begun: String(begun), keys: listed(keys), serials: listed(serials), uses: listed(used) },
    },
  };
  return [ended, ...uses.map((use) => usedEvent(use, totals, line))];
}

/** As services tell theirs (proto/src/service/key-meter.ts): exact, for the count is known when a command ends. */
function usedEvent(
  { keyId, operation, count }: CountedUse,
  totals: Map<string, CountedUse>,
  line: number,
): EventInput {
  const name = `${keyId}/${operation}`;
  const total = (totals.get(name)?.count ?? 0) + count;
  totals.set(name, { keyId, operation, count: total });
  const counts = { total: String(total), uses: String(count), exact: "yes", line: String(line) };
  const attributes = { "key-id": keyId, operation, ...counts };
  return { type: "key.used", outcome: "ok", actor: "command", attributes };
}

function listed(names: readonly string[]): string {
  const whole = names.join(" ");
  if (whole.length <= MAX_LISTED) return whole;
  const cut = whole.slice(0, whole.lastIndexOf(" ", MAX_LISTED));
  return `${cut} … ${names.length}`;
}
