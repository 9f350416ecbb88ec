/**
 * Guarantee: the process in the middle of a lossy line: every IPv4 frame that
 * comes from one device goes out on the other in its order, except the UDP
 * frames that the loss model names; both are counted exactly. It ends with the
 * process that started it.
 *
 * Arguments: FROM-DEVICE TO-DEVICE. Asked over the channel to its parent.
 */
import { setImmediate as turn } from "node:timers/promises";
import { type LossModel, lossOf } from "./loss-model.ts";
import { PacketPath } from "./packet-socket.ts";

export interface ForwardCounts {
  /** UDP frames that came. */
  readonly seen: number;
  /** Those that the model took. */
  readonly lost: number;
  /** Frames that this process itself could not keep up with: lost all the same. */
  readonly overruns: number;
}

export type ForwardRequest =
  | { readonly ask: "lose"; readonly model: LossModel | null }
  | { readonly ask: "count" };

/** Offset of the protocol in an Ethernet frame with IPv4. */
const PROTOCOL_AT = 14 + 9;
const UDP = 17;

const [from = "", to = ""] = process.argv.slice(2);
const path = new PacketPath(from, to);
const counts = { seen: 0, lost: 0 };
let loses: (() => boolean) | undefined;

process.on("message", (request: ForwardRequest) => {
  if (request.ask === "lose") {
    loses = request.model === null ? undefined : lossOf(request.model);
  }
  process.send?.({ ...counts, overruns: path.drops() } satisfies ForwardCounts);
});
process.once("disconnect", () => process.exit(0));
process.send?.("ready");

while (process.connected) {
  const count = path.receive();
  let kept = 0;
  for (let index = 0; index < count; index += 1) {
    if (path.frames[path.at(index) + PROTOCOL_AT] === UDP) {
      counts.seen += 1;
      if (loses?.() === true) {
        counts.lost += 1;
        continue;
      }
    }
    path.keep(index, kept);
    kept += 1;
  }
  path.send(kept);
  // Lets requests in; a batch takes less than a millisecond.
  await turn();
}
