/**
 * Guarantee: only ferry-rx and the import of media hand bundles in, only ferry-rx has link keys opened, and what
 * they say is checked before it is used.
 */
import type { SenderTime } from "@lightferry/proto/bundle";
import { GatewayError } from "@lightferry/proto/errors";
import type { lightferry } from "@lightferry/proto/gen";
import { bind, InboxService, type ServiceBinding } from "@lightferry/proto/rpc";
import { Turns } from "@lightferry/proto/service";
import type { LinkKeys } from "../keys/link-key.ts";
import type { Acceptance, Announcement } from "./accept.ts";

const ID_BYTES = 16;
const DIGEST_BYTES = 32;
/** Names of the bundle format (proto/SPEC.md §9). */
const LANE_LENGTH = 64;

/** Files checked at the same time: each reads and hashes a whole bundle, the rest wait in arrivals. */
const DELIVER_PARALLEL = 4;

export function inboxBinding(acceptance: Acceptance, linkKeys: LinkKeys): ServiceBinding {
  const turns = new Turns(DELIVER_PARALLEL);
  return bind(
    InboxService,
    {
      deliver: async (request) => {
        const announced: Announcement = {
          bundleId: sized(request.bundleId, ID_BYTES, "bundle_id"),
          headerDigest: sized(request.headerDigest, DIGEST_BYTES, "header_digest"),
          file: request.file ?? "",
          size: request.size ?? 0,
          lane: short(request.lane ?? "", LANE_LENGTH, "lane"),
          receivedMs: request.receivedMs ?? 0,
          senderTime: senderTime(request.senderTime),
        };
        const refused = request.refusedCode ?? "";
        const answer =
          refused === ""
            ? await turns.run(() => acceptance.deliver(announced))
            : await acceptance.refusedByFerry(announced, refused);
        return {
          status: answer.status,
          ...(answer.status === "quarantined" ? { code: answer.code } : {}),
        };
      },
      openLinkKey: async (request) => ({ secret: await linkKeys.open(request) }),
    },
    // Media have no tags: their bundles are hashed whole.
    { deliver: ["ferry-rx", "media-rx"], openLinkKey: ["ferry-rx"] },
  );
}

function senderTime(
  told: lightferry.ferry.v1.SenderTime.$Properties | null | undefined,
): SenderTime | undefined {
  if (told === null || told === undefined) return undefined;
  const { nowMs = 0, latestMs = 0, ageMs = 0 } = told;
  return { nowMs: nowMs ?? 0, latestMs: latestMs ?? 0, ageMs: ageMs ?? 0 };
}

function short(text: string, length: number, field: string): string {
  if (text.length > length) throw new GatewayError("rpc.bad-message", { detail: field });
  return text;
}

function sized(bytes: Uint8Array | null | undefined, length: number, field: string): Uint8Array {
  if (bytes?.length !== length) throw new GatewayError("rpc.bad-message", { detail: field });
  return bytes;
}
