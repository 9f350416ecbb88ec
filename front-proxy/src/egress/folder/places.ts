/**
 * Guarantee: every place where a file may be dropped is there before its owner
 * looks for it: `<lane>/<service>/` for each lane that leaves this zone and
 * takes files, unless it is closed, and each file service at its far end.
 */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Registry } from "@lightferry/proto/registry";

/** Makes what is missing; a place that the registry no longer names stays, with what lies in it. */
export async function makePlaces(
  outgoingDir: string,
  zone: string,
  { document: { lanes, services } }: Pick<Registry, "document">,
): Promise<void> {
  const leaving = lanes.filter(
    ({ from, state, kinds }) => from === zone && state !== "closed" && kinds.includes("file"),
  );
  for (const lane of leaving) {
    for (const service of services) {
      if (service.kind !== "file" || service.zone !== lane.to) continue;
      await mkdir(join(outgoingDir, lane.id, service.id), { recursive: true });
    }
  }
}
