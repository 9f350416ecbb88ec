/**
 * Guarantee: the attacking process: it hears what the sender puts on the line, makes hostile datagrams of it and
 * sends them to the receiver at a steady rate, exactly as many as it was told. It ends with the process that started it.
 *
 * Arguments: NAMESPACE DEVICE (where the line ends, to listen) HOST PORT SEED. Asked over the channel to its parent.
 */
import { setTimeout as delay } from "node:timers/promises";
import { BlockingSender } from "../../test/datagrams.ts";
import { seeded } from "../wire/loss-model.ts";
import { inNamespace } from "../wire/namespaces.ts";
import { BATCH, PacketPath } from "../wire/packet-socket.ts";
import { Hostile, LONGEST } from "./datagrams.ts";

export interface AttackRequest {
  readonly count: number;
  readonly perSecond: number;
  /** How many false shards that fit there are besides. */
  readonly poison: number;
}

export interface AttackReport {
  readonly sent: number;
  readonly overheard: number;
  /** By kind. */
  readonly kinds: Readonly<Record<string, number>>;
  /** Seconds from the first to the last. */
  readonly seconds: number;
}

/** Ethernet, IPv4 and UDP before the payload of a frame on the device. */
const HEADERS = 14 + 20 + 8;
const PORT_AT = 14 + 20;
/** A burst is over in well under a millisecond, and the line has the rest of its time. */
const EVERY_MS = 5;
/** Bursts between two looks at what goes by. */
const LISTEN_EVERY = 4;

const [namespace = "", device = "", host = "", port = "", seed = ""] = process.argv.slice(2);
const heard = inNamespace(namespace, () => new PacketPath(device, device));
const sender = new BlockingSender(host, Number(port));
const hostile = new Hostile(seeded(Number(seed)));

let overheard = 0;
/** Port of the sender: the first that is heard, before anything hostile is on the line. */
let senderPort: number | undefined;

/** Hears all that has come: the attack is on the line too, and what waits behind it would be of objects that are over. */
function listen(): void {
  for (let count = BATCH; count === BATCH; ) {
    count = heard.receive();
    remember(count);
  }
}

function remember(count: number): void {
  for (let index = 0; index < count; index += 1) {
    const at = heard.at(index);
    const frame = heard.frames.subarray(at, at + heard.lengthOf(index));
    const from = ((frame[PORT_AT] as number) << 8) | (frame[PORT_AT + 1] as number);
    senderPort ??= from;
    if (from !== senderPort) continue;
    // What left together is heard as one: full frames, and a shorter one as the last.
    for (let start = HEADERS; start < frame.length; start += LONGEST) {
      if (hostile.overhear(frame.subarray(start, start + LONGEST))) overheard += 1;
    }
  }
}

async function attack({ count, perSecond, poison }: AttackRequest): Promise<AttackReport> {
  while (overheard === 0) {
    listen();
    await delay(EVERY_MS);
  }
  const begun = performance.now();
  let sent = 0;
  let poisoned = 0;
  for (let burst = 0; sent < count; burst += 1) {
    if (burst % LISTEN_EVERY === 0) listen();
    const due = Math.min(count, Math.ceil(((performance.now() - begun) * perSecond) / 1000));
    for (; sent < due; sent += 1) sender.send(hostile.next());
    // Spread evenly over the attack.
    if (poisoned < poison && sent * poison >= count * poisoned) {
      const shard = hostile.poisoned();
      if (shard !== undefined) {
        sender.send(shard);
        poisoned += 1;
      }
    }
    await delay(EVERY_MS);
  }
  const seconds = (performance.now() - begun) / 1000;
  return { sent, overheard, kinds: { ...hostile.counts }, seconds };
}

process.on("message", (request: AttackRequest) => {
  void attack(request).then((report) => process.send?.(report));
});
process.once("disconnect", () => process.exit(0));
process.send?.("ready");
