/**
 * Guarantee: while the disk of a lane is behind, every gate by which it comes is paused, in whose bounded buffers
 * all lanes of that link wait with it, since a socket cannot hold back the frames of one; no other gate is.
 */
import type { GateReceiver } from "../gate/gate.ts";
import { comesBy, type LaneWay, type LinkId } from "../lane-settings.ts";

interface From {
  /** Node id of the sender. */
  readonly expectedSender: string;
}

export interface PausedLink extends LinkId, From {
  readonly gate: Pick<GateReceiver, "pause" | "resume">;
}

export class Pauses<Lane extends LaneWay & From> {
  readonly #links: readonly PausedLink[];
  readonly #behind = new Set<Lane>();

  constructor(links: readonly PausedLink[]) {
    this.#links = links;
  }

  /** The lane's disk is behind. */
  begin(lane: Lane): void {
    this.#behind.add(lane);
    for (const link of this.#links) if (comesBy(lane, link)) link.gate.pause();
  }

  /** It has caught up. */
  end(lane: Lane): void {
    this.#behind.delete(lane);
    for (const link of this.#links) {
      const held = [...this.#behind].some((behind) => comesBy(behind, link));
      if (comesBy(lane, link) && !held) link.gate.resume();
    }
  }
}
