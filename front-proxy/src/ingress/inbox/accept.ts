/**
 * Guarantee: a bundle is answered "accepted" only when its signature, verdicts,
 * expiry, recipient and every chunk digest were checked, its file lies in the
 * inbox, and its replay-guard keys are committed. Every step may be repeated
 * after a crash: the move comes before the commit, and what lies in the inbox
 * without a row is judged again at start.
 *
 * ```
 * arrivals ─checks─▶ [lock stream] ─judge─┬ accept ▶ journal ▶ move ▶ rows ▶ commit
 *                                         ├ duplicate ▶ journal ▶ count ▶ remove file
 *                                         └ refuse ▶ journal ▶ quarantine ▶ row ▶ commit
 * ```
 */
import { join } from "node:path";
import {
  isSendersOwn,
  type JudgedTimes,
  judgedTimes,
  type ReceivedBundle,
  readHeader,
  type SenderTime,
  type VerifiedHeader,
  verifyChunks,
  verifyHeader,
} from "@lightferry/proto/bundle";
import { encodeCanonical } from "@lightferry/proto/canonical";
import { type ErrorCode, GatewayError, isErrorCode } from "@lightferry/proto/errors";
import { lightferry } from "@lightferry/proto/gen";
import { isId } from "@lightferry/proto/ids";
import type { PoolClient } from "pg";
import type { FrontProxyContext } from "../../context.ts";
import { inTransaction } from "../../database.ts";
import { keysOf } from "../../trust/directory.ts";
import { asStorageFault, refusalCode } from "../failures.ts";
import {
  checkArrivalName,
  exists,
  type InboxDirs,
  inboxName,
  moveDurably,
  quarantineName,
  removeFile,
} from "./files.ts";
import { judge } from "./judge.ts";
import { oweUnlessReceipts } from "./owed.ts";
import * as store from "./store.ts";
import { gapCount, take } from "./window.ts";

/** What ferry-rx says about a file it has put together. */
export interface Announcement {
  readonly bundleId: Uint8Array;
  readonly headerDigest: Uint8Array;
  readonly file: string;
  readonly size: number;
  readonly lane: string;
  readonly receivedMs: number;
  /** What the sender's heartbeats tell of its clock; undefined where there are none, as on a medium. */
  readonly senderTime?: SenderTime | undefined;
}

export type Answer =
  | { readonly status: "accepted" | "duplicate" }
  | { readonly status: "quarantined"; readonly code: ErrorCode };

export class Acceptance {
  readonly #context: FrontProxyContext;
  readonly #dirs: InboxDirs;
  readonly #onAccepted: (verified: VerifiedHeader) => void;

  constructor(
    context: FrontProxyContext,
    dirs: InboxDirs,
    onAccepted: (verified: VerifiedHeader) => void,
  ) {
    this.#context = context;
    this.#dirs = dirs;
    this.#onAccepted = onAccepted;
  }

  /**
   * Takes a file from the arrivals folder.
   * @throws GatewayError when nothing could be decided (database down, journal full, file missing):
   * the file stays where it is and the ferry tries again.
   */
  async deliver(announced: Announcement): Promise<Answer> {
    const arrival = join(this.#dirs.arrivals, checkArrivalName(announced.file));
    if (await exists(arrival)) return this.evaluate(arrival, announced);
    // A crash or a database fault after the move: the same announcement finds it in the inbox.
    const before = await store.findAnswered(
      this.#context.pool,
      announced.bundleId,
      announced.headerDigest,
    );
    if (before.accepted) return { status: "accepted" };
    const moved = join(this.#dirs.inbox, inboxName(announced.bundleId, announced.headerDigest));
    if (await exists(moved)) return this.evaluate(moved, announced);
    if (before.refusedCode !== undefined) {
      return { status: "quarantined", code: before.refusedCode as ErrorCode };
    }
    throw new GatewayError("inbox.file-missing", { detail: announced.file });
  }

  /**
   * What the ferry refused by itself: there is no file of it here, but its sender may hear of it.
   * @throws GatewayError `rpc.bad-message` for a code that says nothing of the sender, and for what is no bundle's
   * id: no list could hold it, nor any receipt that waits beside it
   */
  async refusedByFerry(bundle: Pick<Position, "bundleId" | "lane">, code: string): Promise<Answer> {
    if (!isErrorCode(code) || !isSendersOwn(code)) {
      throw new GatewayError("rpc.bad-message", { detail: "refused_code" });
    }
    if (!isId(bundle.bundleId)) throw new GatewayError("rpc.bad-message", { detail: "bundle_id" });
    await inTransaction(this.#context.pool, (client) =>
      oweUnlessReceipts(this.#context, client, bundle, code),
    );
    return { status: "quarantined", code };
  }

  /**
   * Checks the file and settles it one way or the other.
   * @param times when it came: by then it must not have expired.
   */
  async evaluate(
    path: string,
    announced: Announcement,
    times = judgedTimes(Date.now(), announced.senderTime),
  ): Promise<Answer> {
    let verified: VerifiedHeader;
    let received: ReceivedBundle | undefined;
    try {
      received = await readHeader(path);
      verified = await this.#verify(received, announced, times);
    } catch (error) {
      const code = refusalCode(error);
      if (code === undefined) throw asStorageFault(error);
      // What a key says that is known, and refused, is worth a name: whoever looks needs the stream.
      const claimed = code.startsWith("certificate.") ? received?.header : undefined;
      const { detail } = error as GatewayError;
      return this.#refuseUnverified(path, announced, { code, detail, claimed, times });
    }
    const answer = await inTransaction(this.#context.pool, (client) =>
      this.#settle(client, path, verified, announced, times.now),
    );
    if (answer.status === "accepted") this.#onAccepted(verified);
    return answer;
  }

  async #verify(
    received: ReceivedBundle,
    announced: Announcement,
    times: JudgedTimes,
  ): Promise<VerifiedHeader> {
    const { shell, config } = this.#context;
    // Before anything else: of what is refused later its sender is told by the announced id.
    if (
      Buffer.compare(received.header.bundleId, announced.bundleId) !== 0 ||
      Buffer.compare(shell.provider.sm3(received.headerBytes), announced.headerDigest) !== 0
    ) {
      throw new GatewayError("bundle.header-invalid", { detail: "not the announced bundle" });
    }
    const registry = this.#context.registry();
    const expirySeconds = registry.lane(announced.lane)?.expirySeconds;
    const verified = verifyHeader(shell.provider, received, {
      ...times,
      lane: announced.lane,
      lifetimeMs: expirySeconds === undefined ? undefined : expirySeconds * 1_000,
      keys: keysOf(this.#context),
      self: config.node,
    });
    const lane = registry.lane(verified.header.lane);
    if (
      lane === undefined ||
      lane.to !== config.zone ||
      registry.node(verified.header.sender)?.zone !== lane.from
    ) {
      throw new GatewayError("bundle.wrong-lane", { detail: verified.header.lane });
    }
    assertVerdictsLast(verified);
    await verifyChunks(shell.provider, verified);
    return verified;
  }

  async #settle(
    client: PoolClient,
    path: string,
    verified: VerifiedHeader,
    announced: Announcement,
    judgedMs: number,
  ): Promise<Answer> {
    const { header, headerDigest } = verified;
    const stream = await store.lockStream(client, header.stream, header.lane, header.sender);
    const { verdicts } = verified;
    const known = await store.lookUp(
      client,
      header.bundleId,
      header.stream,
      header.sequence,
      verdicts.map(({ verdictId }) => verdictId),
    );
    const judgement = judge(headerDigest, header.sequence, {
      digestById: known.byId,
      digestBySequence: known.bySequence,
      window: stream.window,
      streamQuarantined: stream.quarantined,
      verdictUsed: known.verdictUsed,
    });
    if (judgement.kind === "duplicate") return this.#duplicate(client, path, verified);
    if (judgement.kind === "refuse") {
      const { code, quarantineStream } = judgement;
      await this.#journalRefusal(header, headerDigest, code, "");
      const file = quarantineName(header.bundleId);
      await this.#move(path, join(this.#dirs.quarantine, file));
      if (quarantineStream) await store.quarantineStream(client, header.stream, code, Date.now());
      await oweUnlessReceipts(this.#context, client, header, code);
      await store.insertRefused(client, {
        ...header,
        headerDigest,
        file,
        code,
        refusedMs: Date.now(),
        judgedMs,
      });
      return { status: "quarantined", code };
    }
    const moved = take(stream.window, header.sequence);
    await this.#journalArrival(verified, announced, moved.givenUp, gapCount(moved.window));
    const file = inboxName(header.bundleId, headerDigest);
    await this.#move(path, join(this.#dirs.inbox, file));
    await store.insertBundle(client, {
      ...header,
      headerDigest,
      file,
      size: announced.size,
      receivedMs: announced.receivedMs,
      acceptedMs: Date.now(),
      checkpoint: checkpointBytes(header.checkpoint),
      certificates: header.checkpoint ? header.certificates : [],
      recipientKeyId:
        header.recipients.find(({ nodeId }) => nodeId === this.#context.config.node)?.keyId ?? "",
    });
    await store.useVerdicts(client, header.bundleId, verdicts);
    await store.saveWindow(client, header.stream, moved.window);
    return { status: "accepted" };
  }

  async #duplicate(client: PoolClient, path: string, verified: VerifiedHeader): Promise<Answer> {
    const { header, headerDigest } = verified;
    await this.#context.shell.journal.record([
      {
        type: "bundle.duplicate",
        outcome: "refused",
        code: "bundle.duplicate",
        bundleId: header.bundleId,
        lane: header.lane,
        digest: headerDigest,
        attributes: { stream: header.stream, sequence: String(header.sequence) },
      },
    ]);
    await store.countDuplicate(client, header.stream);
    // The accepted file has the inbox name: only another copy may go.
    if (path !== join(this.#dirs.inbox, inboxName(header.bundleId, headerDigest))) {
      await removeFile(path);
    }
    return { status: "duplicate" };
  }

  /** A file whose header could not be trusted: only what ferry-rx announced is known about it. */
  async #refuseUnverified(
    path: string,
    announced: Announcement,
    { code, detail, claimed, times }: Unverified,
  ): Promise<Answer> {
    const position = {
      lane: announced.lane,
      stream: claimed?.stream ?? "",
      sequence: claimed?.sequence ?? 0,
      bundleId: announced.bundleId,
    };
    await this.#journalRefusal(position, announced.headerDigest, code, detail);
    const file = quarantineName(announced.bundleId);
    await this.#move(path, join(this.#dirs.quarantine, file));
    await inTransaction(this.#context.pool, async (client) => {
      if (isSendersOwn(code)) await oweUnlessReceipts(this.#context, client, position, code);
      await store.insertRefused(client, {
        ...position,
        headerDigest: announced.headerDigest,
        file,
        code,
        refusedMs: Date.now(),
        judgedMs: times.now,
      });
    });
    return { status: "quarantined", code };
  }

  async #move(from: string, to: string): Promise<void> {
    try {
      await moveDurably(from, to);
    } catch (error) {
      throw asStorageFault(error);
    }
  }

  async #journalRefusal(
    bundle: Position,
    headerDigest: Uint8Array,
    code: ErrorCode,
    detail: string,
  ): Promise<void> {
    await this.#context.shell.journal.record([
      {
        type: "bundle.refused",
        outcome: "refused",
        code,
        bundleId: bundle.bundleId,
        lane: bundle.lane,
        digest: headerDigest,
        attributes: {
          ...(bundle.stream === ""
            ? {}
            : { stream: bundle.stream, sequence: `${bundle.sequence}` }),
          ...(detail === "" ? {} : { detail }),
        },
      },
    ]);
  }

  async #journalArrival(
    { header, headerDigest }: VerifiedHeader,
    announced: Announcement,
    givenUp: number,
    missing: number,
  ): Promise<void> {
    const position = { stream: header.stream, sequence: String(header.sequence) };
    const arrived = {
      type: "bundle.arrived" as const,
      outcome: "ok" as const,
      bundleId: header.bundleId,
      lane: header.lane,
      actor: header.sender,
      grade: header.grade,
      digest: headerDigest,
      size: announced.size,
      policyVersion: header.policyVersion,
      attributes: {
        ...position,
        items: String(header.items.length),
        "received-ms": String(announced.receivedMs),
        ...(missing === 0 ? {} : { missing: String(missing) }),
      },
    };
    const gap = {
      type: "gate.gap" as const,
      outcome: "error" as const,
      code: "bundle.out-of-window" as const,
      lane: header.lane,
      actor: header.sender,
      attributes: { ...position, "given-up": String(givenUp) },
    };
    await this.#context.shell.journal.record(givenUp === 0 ? [arrived] : [arrived, gap]);
  }
}

/**
 * The sealer says when a bundle was made and when it ends. Held to the verdicts' own end, an earlier
 * date cannot make a permit good again that has run out, or was since decided otherwise.
 */
function assertVerdictsLast({ header, verdicts }: VerifiedHeader): void {
  const outlived = verdicts.findIndex(({ expiresMs }) => expiresMs < header.expiresMs);
  if (outlived === -1) return;
  throw new GatewayError("verdict.expired", { detail: `item ${outlived}: before its bundle` });
}

interface Unverified {
  readonly code: ErrorCode;
  readonly detail: string;
  /** Where its header says that it belongs. */
  readonly claimed: { readonly stream: string; readonly sequence: number } | undefined;
  readonly times: JudgedTimes;
}

interface Position {
  readonly bundleId: Uint8Array;
  readonly lane: string;
  readonly stream: string;
  readonly sequence: number;
}

function checkpointBytes(
  checkpoint: lightferry.bundle.v1.Checkpoint | null | undefined,
): Uint8Array | undefined {
  if (checkpoint === null || checkpoint === undefined) return undefined;
  return encodeCanonical(lightferry.bundle.v1.Checkpoint, checkpoint);
}
