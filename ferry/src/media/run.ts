/** Guarantee: the two commands on a medium, from settings to report; what they open is closed. */
import { userInfo } from "node:os";
import { GatewayError } from "@lightferry/proto/errors";
import type { LaneEntry, Registry } from "@lightferry/proto/registry";
import { createClient, InboxService, OutboxService } from "@lightferry/proto/rpc";
import { activeKey, openRing } from "@lightferry/proto/service";
import { requirePeer } from "../peers.ts";
import type { LinkSigner } from "../signed.ts";
import { type ExportReport, exportMedium } from "./export.ts";
import { type ImportReport, importMedium } from "./import.ts";
import { MediumNumbers } from "./numbers.ts";
import { SeenMedia } from "./seen.ts";
import { readingSession, type Session, writingSession } from "./session.ts";
import { readExportConfig, readImportConfig } from "./settings.ts";
import { Taker } from "./take.ts";

export interface ExportWish {
  readonly configPath: string;
  readonly lane: string;
  readonly dir: string;
  readonly custodians: readonly string[];
  readonly maxBytes: number | undefined;
  /** Also bundles of a lane that is registered for another driver. */
  readonly anyLane: boolean;
}

export interface ImportWish {
  readonly configPath: string;
  readonly dir: string;
  readonly checkOnly: boolean;
  readonly acceptOlder: boolean;
}

/** @throws GatewayError of {@link exportMedium}, `config.invalid`, `media.not-media-lane`, `service.already-running` */
export async function runExport(wish: ExportWish, signal: AbortSignal): Promise<ExportReport> {
  const config = readExportConfig(wish.configPath);
  return await writingSession(config, signal, async (session) => {
    const { provider, registry, trust, journal } = session;
    const to = laneEnd(registry, wish, config.zone);
    const ring = session.hsm?.signKeys ?? openRing(config, config.ferryKeysDir, "ferry-sign");
    const outbox = createClient(OutboxService, {
      ...{ address: requirePeer(config, "frontProxy"), peer: "front-proxy" },
      ...{ tls: config.tls, zone: config.zone },
    });
    const signer: LinkSigner = {
      provider,
      active: () => activeKey(config, "ferry", ring, trust.current(), Date.now()),
      chain: (keyId) => trust.current().chain(keyId),
    };
    try {
      return await exportMedium({
        node: config.node,
        outboxDir: config.outboxDir,
        ...to,
        ...{ lane: wish.lane, dir: wish.dir, custodians: wish.custodians, maxBytes: wish.maxBytes },
        ...{ operator: operator(), numbers: await MediumNumbers.open(config.stateDir) },
        ...{ signer, keys: session.keys, outbox, events: journal, signal },
      });
    } finally {
      outbox.close();
      ring.close();
    }
  });
}

/** @throws GatewayError of {@link importMedium}, `config.invalid`, `service.already-running` */
export async function runImport(wish: ImportWish, signal: AbortSignal): Promise<ImportReport> {
  const config = readImportConfig(wish.configPath);
  const { stateDir, arrivalsDir, lane } = config;
  const parts = (session: Session, seen: SeenMedia) => ({
    ...{ arrivalsDir, seen, signal, dir: wish.dir, acceptOlder: wish.acceptOlder },
    operator: operator(),
    context: {
      ...{ provider: session.provider, keys: session.keys, lane },
      ...{ node: config.node, zone: config.zone, expectedSender: config.expectedSender },
    },
  });
  if (wish.checkOnly) {
    return await readingSession(config, signal, async (session) =>
      importMedium({ ...parts(session, await SeenMedia.read(stateDir)), taking: undefined }),
    );
  }
  return await writingSession(config, signal, async (session) => {
    const { provider, journal: events } = session;
    const inbox = createClient(InboxService, {
      ...{ address: requirePeer(config, "frontProxy"), peer: "front-proxy" },
      ...{ tls: config.tls, zone: config.zone },
    });
    let seen: SeenMedia | undefined;
    try {
      seen = await SeenMedia.open(stateDir);
      const taker = await Taker.open({
        ...{ provider, lane, arrivalsDir, stateDir, inbox, events, signal },
      });
      return await importMedium({ ...parts(session, seen), taking: { taker, events } });
    } finally {
      await seen?.close();
      inbox.close();
    }
  });
}

/** Who is at the other end. @throws GatewayError `media.not-media-lane` */
function laneEnd(
  registry: Registry,
  { lane: id, anyLane }: ExportWish,
  zone: string,
): { readonly receiver: string; readonly receiverZone: string } {
  const lane: LaneEntry | undefined = registry.lane(id);
  const receiver = lane === undefined ? undefined : registry.nodeOfZone(lane.to);
  const byMedium = lane?.driver === "media" || lane?.state === "media";
  const served = lane?.from === zone && lane.state !== "closed" && (anyLane || byMedium);
  if (lane === undefined || receiver === undefined || !served) {
    const detail =
      lane === undefined ? id : `${id}: ${lane.driver}, ${lane.state}, from ${lane.from}`;
    throw new GatewayError("media.not-media-lane", { detail });
  }
  return { receiver: receiver.id, receiverZone: lane.to };
}

/** The account that runs the command; "" where the system knows none. */
function operator(): string {
  try {
    return userInfo().username;
  } catch {
    return "";
  }
}
