/**
 * Guarantee: a worker that started anew gets its earlier leases back at once
 * instead of waiting for them to run out; no other worker can.
 *
 * Workers call themselves `<name>/<instance>`: the name stays over restarts and
 * is used by one process at a time, the instance is drawn at each start.
 */

/** True when `worker` is a later start of the one that holds the lease. */
export function succeeds(worker: string, holder: string): boolean {
  if (worker === holder) return false;
  const name = nameOf(worker);
  return name !== undefined && name === nameOf(holder);
}

function nameOf(worker: string): string | undefined {
  const slash = worker.lastIndexOf("/");
  return slash > 0 ? worker.slice(0, slash) : undefined;
}
