/**
 * Guarantee: the other zone's half of a trail speaks for that zone and for this
 * exchange only; what its sender put there beside that is counted, not shown.
 */
import type { lightferry } from "@lightferry/proto/gen";
import { type EventView, viewEvent } from "./view.ts";

export interface PeerHalf {
  /** By that zone's clock, each once. */
  readonly views: readonly EventView[];
  /** Events that cannot be read, or claim another zone or exchange. */
  readonly unusable: number;
}

/** @param exchange formatted id */
export function peerHalf(
  trails: readonly lightferry.audit.v1.PeerTrail.$Properties[],
  exchange: string,
): PeerHalf {
  // An exchange that was sealed again rides in more than one bundle: its early events come twice.
  const views = new Map<string, EventView>();
  let unusable = 0;
  for (const { zone, events } of trails) {
    for (const bytes of events ?? []) {
      const view = readable(bytes);
      const speaksOfThis = view?.zone === zone && ["", exchange].includes(view?.exchange ?? "");
      if (view === undefined || !speaksOfThis) unusable += 1;
      else views.set(`${view.node}/${view.emitter}/${view.emitterSequence}`, view);
    }
  }
  return { views: [...views.values()].sort((a, b) => a.timeMs - b.timeMs), unusable };
}

/** The sender's bytes were signed, not checked: any of them may be no event at all. */
function readable(bytes: Uint8Array): EventView | undefined {
  try {
    return viewEvent(bytes);
  } catch {
    return undefined;
  }
}
