/**
 * Guarantee: only the operator's certificate reaches these methods, every
 * change is journalled by the part that makes it, and a token is shown once.
 */
import { GatewayError } from "@lightferry/proto/errors";
import { AdminService, bind, type ServiceBinding } from "@lightferry/proto/rpc";
import type { TokenRow } from "../auth/tokens.ts";
import type { EgressDesk, FrontProxyContext, IngressDesk } from "../context.ts";
import type { ReceiptDesk } from "../receipts/index.ts";
import { pageOfExchanges, showExchange } from "./exchanges.ts";

/** Who the journal names: the peer is the operator's certificate; accounts of persons come with the console. */
const ACTOR = "operator";
const OPERATOR = ["operator"] as const;
const ID_BYTES = 16;

/** A reason is a sentence, not a document. */
const REASON_LENGTH = 512;

export function startAdmin(
  context: FrontProxyContext,
  egress: EgressDesk,
  ingress: IngressDesk,
  receipts: ReceiptDesk,
): readonly ServiceBinding[] {
  const { tokens } = context;
  const received = async (exchangeId: Uint8Array) =>
    (await ingress.findDelivery(exchangeId)) !== undefined;
  const binding = bind(
    AdminService,
    {
      issueToken: ({ caller, days, note }) => tokens.issue({ caller, days, note }, ACTOR),
      rotateToken: ({ tokenId, overlapSeconds, days }) =>
        tokens.rotate({ tokenId, overlapSeconds, days }, ACTOR),
      revokeToken: async ({ tokenId }) => {
        await tokens.revoke(tokenId, ACTOR);
        return {};
      },
      listTokens: async () => ({ tokens: (await tokens.list()).map(tokenInfo) }),
      retryExchange: async ({ exchangeId }) => {
        const id = checkedId(exchangeId);
        const desk = (await received(id)) ? ingress : egress;
        return { state: await desk.retry(id, ACTOR) };
      },
      cancelExchange: async ({ exchangeId, reason }) => {
        const id = checkedId(exchangeId);
        const known = checkedReason(reason);
        // What has arrived can no longer be cancelled; it can be returned.
        if (await received(id)) {
          throw new GatewayError("exchange.wrong-state", { detail: "received here: use return" });
        }
        return { state: await egress.cancel(id, known, ACTOR) };
      },
      returnExchange: async ({ exchangeId, reason }) => {
        const known = checkedReason(reason);
        return { state: await ingress.giveBack(checkedId(exchangeId), known, ACTOR) };
      },
      getExchange: async ({ exchangeId }) => ({
        json: JSON.stringify(await showExchange(egress, ingress, checkedId(exchangeId))),
      }),
      listExchanges: async (request) => ({
        json: JSON.stringify(await pageOfExchanges(egress, ingress, request)),
      }),
      listQuarantine: async ({ bundleId }) => {
        const wanted = bundleId.length === 0 ? undefined : checkedId(bundleId);
        return { bundles: [...(await ingress.listQuarantine(wanted))] };
      },
      getBacklog: async ({ lane, bytesPerSecond }) => ({
        json: JSON.stringify(await egress.backlog(lane, bytesPerSecond)),
      }),
      discardBundle: async ({ bundleId, headerDigest, reason }) => {
        const which = { bundleId: checkedId(bundleId), headerDigest };
        await ingress.discard(which, checkedReason(reason), ACTOR);
        return {};
      },
      exportReceipts: async ({ lane, maxLists, again, number }) => {
        const { lists, ...exported } = await receipts.export({ lane, maxLists, again, number });
        return { ...exported, lists: [...lists] };
      },
      confirmReceipts: async ({ lists, digest }) => {
        const named = lists.map((list) => ({ lane: list.lane ?? "", number: list.number ?? 0 }));
        await receipts.confirm(named, digest, ACTOR);
        return {};
      },
      importReceipts: async ({ file, skipUnknown, checkOnly }) => ({
        json: JSON.stringify(
          await receipts.import(file, { skipUnknown, checkOnly, actor: ACTOR, source: "file" }),
        ),
      }),
      getReceiptStatus: async () => ({ json: JSON.stringify(await receipts.status()) }),
    },
    {
      issueToken: OPERATOR,
      rotateToken: OPERATOR,
      revokeToken: OPERATOR,
      listTokens: OPERATOR,
      retryExchange: OPERATOR,
      cancelExchange: OPERATOR,
      returnExchange: OPERATOR,
      getExchange: OPERATOR,
      listExchanges: OPERATOR,
      listQuarantine: OPERATOR,
      getBacklog: OPERATOR,
      discardBundle: OPERATOR,
      exportReceipts: OPERATOR,
      confirmReceipts: OPERATOR,
      importReceipts: OPERATOR,
      getReceiptStatus: OPERATOR,
    },
  );
  return [binding];
}

function tokenInfo(row: TokenRow) {
  return {
    tokenId: row.id,
    caller: row.caller,
    createdMs: row.created_ms,
    expiresMs: row.expires_ms,
    revokedMs: row.revoked_ms ?? 0,
    lastUsedMs: row.last_used_ms ?? 0,
    note: row.note,
  };
}

function checkedId(bytes: Uint8Array): Uint8Array {
  if (bytes.length !== ID_BYTES) throw new GatewayError("id.invalid");
  return bytes;
}

function checkedReason(reason: string): string {
  const text = reason.trim();
  if (text === "" || text.length > REASON_LENGTH) {
    throw new GatewayError("exchange.reason-missing", { detail: `1..${REASON_LENGTH}` });
  }
  return text;
}
