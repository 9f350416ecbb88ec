/**
 * Guarantee: policy and audit as the sending side meets them: real gRPC with
 * mutual TLS, verdicts really signed; what they decide the test says.
 */
import { encodeCanonical } from "@lightferry/proto/canonical";
import { GatewayError } from "@lightferry/proto/errors";
import { lightferry } from "@lightferry/proto/gen";
import { formatId, newId } from "@lightferry/proto/ids";
import {
  AuditService,
  bind,
  PolicyService,
  type RpcServer,
  startRpcServer,
  TrustService,
} from "@lightferry/proto/rpc";
import { silentLogger } from "@lightferry/proto/service";
import { formatKeyId } from "@lightferry/proto/sm";
import type { TestZone } from "@lightferry/proto/testing";
import { itemCommitment, signVerdictBatch } from "@lightferry/proto/verdict";
import { provider, type SenderKeys } from "./egress-keys.ts";
import type { SignedRegistry } from "./signed-registry.ts";

const { Decision, Direction } = lightferry.policy.v1;
type DecideItem = lightferry.policy.v1.DecideItem.$Properties;
type Outcome = lightferry.policy.v1.Outcome.$Properties;

export interface Ruling {
  readonly decision?: lightferry.policy.v1.Decision;
  readonly code?: string;
  readonly ruleId?: string;
  readonly reason?: string;
  /** Replaces the content. */
  readonly content?: Uint8Array;
  /** Comes back in place of what the verdict was signed for. */
  readonly forged?: Uint8Array;
  /** Says of altered content that it is unaltered. */
  readonly claimsUnaltered?: boolean;
  /** How long the verdict is good for. */
  readonly validMs?: number;
}

export interface Peers {
  /** Permit by default. */
  rule: (submission: lightferry.policy.v1.Submission.$Properties, content: Uint8Array) => Ruling;
  /** Set: every call to policy fails as if it were gone. */
  policyDown: boolean;
  /** Sizes of the Decide batches so far. */
  readonly batches: number[];
  /** What reached audit. */
  readonly events: lightferry.audit.v1.Event[];
  readonly policyAddress: string;
  readonly auditAddress: string;
  close(): Promise<void>;
}

const DAY_MS = 86_400_000;

export async function startPeers(
  zone: TestZone,
  keys: SenderKeys,
  signed: SignedRegistry,
): Promise<Peers> {
  const servers: RpcServer[] = [];
  const addresses: string[] = [];
  const batches: number[] = [];
  const events: lightferry.audit.v1.Event[] = [];
  const heard = new Set<string>();
  const permit = { rule: (): Ruling => ({}) };

  const answer = (items: readonly DecideItem[], contents: readonly Uint8Array[]) => {
    if (peers.policyDown) throw new GatewayError("rpc.unavailable");
    batches.push(items.length);
    const now = Date.now();
    const prepared = items.map((item, index) => {
      const submission = item.submission ?? {};
      const original = contents[index] ?? new Uint8Array();
      const ruling = peers.rule(submission, original);
      const content = ruling.content ?? original;
      const entry = encodeCanonical(lightferry.bundle.v1.ManifestEntry, {
        exchangeId: submission.exchangeId,
        kind: submission.kind,
        service: submission.service,
        caller: submission.caller,
        grant: "grant-1",
        grade: submission.declaredGrade,
        purpose: submission.purpose,
        ...(submission.http ? { http: submission.http } : {}),
        ...(submission.file ? { file: submission.file } : {}),
        size: content.length,
        digest: provider.sm3(content),
        submittedMs: submission.submittedMs,
        orderingKey: submission.orderingKey,
      } as lightferry.bundle.v1.ManifestEntry.$Properties);
      const salt = provider.sm3(entry, Buffer.from(String(now)));
      return { submission, ruling, content, entry, salt };
    });
    const signed = signVerdictBatch(
      provider,
      keys.policy(),
      { policyNode: "node-extranet", keyId: formatKeyId(keys.policy().publicKey) },
      prepared.map(({ submission, ruling, entry, salt }) => ({
        verdictId: newId(),
        direction: Direction.DIRECTION_EXPORT,
        decision: ruling.decision ?? Decision.DECISION_PERMIT,
        commitment: itemCommitment(provider, salt, entry),
        lane: submission.lane ?? "",
        sender: "node-extranet",
        recipients: ["node-business"],
        grade: submission.declaredGrade ?? "",
        decidedMs: now,
        expiresMs: now + (ruling.validMs ?? DAY_MS),
        policyVersion: "pack-1",
        ruleIds: [ruling.ruleId ?? "permit"],
      })),
    );
    const outcomes = prepared.map(({ ruling, content, entry, salt }, index): Outcome => {
      const permitted =
        ruling.decision === undefined || ruling.decision === Decision.DECISION_PERMIT;
      return {
        decision: ruling.decision ?? Decision.DECISION_PERMIT,
        code: ruling.code ?? "",
        ruleId: ruling.ruleId ?? "permit",
        reason: ruling.reason ?? "",
        ...signed.items[index],
        ...(permitted ? { entry, salt } : {}),
        contentChanged: (ruling.forged ?? ruling.content) !== undefined,
        ...(ruling.content === undefined ? {} : { content }),
        ...(ruling.forged === undefined ? {} : { content: ruling.forged }),
      };
    });
    return {
      response: { outcomes, batch: signed.batch, policyVersion: "pack-1" },
      contents: prepared.map(({ content }) => content),
      claimsUnaltered: prepared.some(({ ruling }) => ruling.claimsUnaltered === true),
    };
  };

  const policy = bind(
    PolicyService,
    {
      decide: async ({ items }) =>
        answer(
          items,
          items.map((item) => item.content ?? new Uint8Array()),
        ).response,
      async *decideStream(requests) {
        let item: DecideItem = {};
        const chunks: Uint8Array[] = [];
        for await (const request of requests) {
          if (request.item) item = request.item;
          if (request.chunk) chunks.push(request.chunk);
        }
        const submitted = Buffer.concat(chunks);
        const { response, contents, claimsUnaltered } = answer([item], [submitted]);
        const [content = new Uint8Array()] = contents;
        const unaltered = item.keepsOriginal === true && submitted.equals(content);
        if (unaltered || claimsUnaltered) yield { unaltered: true };
        for (let at = 0; at < content.length && !unaltered; at += 262_144) {
          yield { chunk: content.subarray(at, at + 262_144) };
        }
        yield {
          result: {
            ...response,
            outcomes: response.outcomes.map(({ content: _, ...outcome }) => outcome),
          },
        };
      },
      getRegistry: async () => ({
        document: signed.bytes,
        signature: signed.signature,
        policyVersion: "pack-1",
      }),
    },
    {
      decide: ["front-proxy"],
      decideStream: ["front-proxy"],
      getRegistry: ["front-proxy", "seal"],
    },
  );
  const { trust } = keys;
  const trusted = bind(
    TrustService,
    {
      getTrust: async ({ knownVersion, waitMs }, call) => {
        const known = () => trust.set.version === knownVersion;
        if (known() && waitMs > 0) {
          await new Promise<void>((resolve) => {
            const timer = setTimeout(resolve, waitMs);
            const end = () => {
              clearTimeout(timer);
              resolve();
            };
            trust.changed(end);
            AbortSignal.any([call.signal, call.closing]).addEventListener("abort", end);
          });
        }
        return known() ? {} : { trust: trust.set };
      },
      importTrust: (request) => trust.importTrust(request),
      denyKey: async () => ({}),
    },
    { getTrust: ["front-proxy", "seal"], importTrust: ["front-proxy"], denyKey: [] },
  );
  const audit = bind(
    AuditService,
    {
      append: async (request) => {
        for (const event of request.events.map((bytes) =>
          lightferry.audit.v1.Event.decode(bytes),
        )) {
          // As audit does: a program that ended before it noted the answer sends the same again.
          const known = formatId(event.eventId);
          if (heard.has(known)) continue;
          heard.add(known);
          events.push(event);
        }
        return {};
      },
      getCheckpoint: async () => ({}),
      witness: async () => ({}),
      listEvents: async () => ({}),
      getTrail: async () => ({}),
    },
    {
      append: ["front-proxy", "seal"],
      getCheckpoint: ["front-proxy"],
      witness: [],
      listEvents: [],
      getTrail: [],
    },
  );
  for (const [services, name] of [
    [[policy, trusted], "policy"],
    [[audit], "audit"],
  ] as const) {
    const server = await startRpcServer({
      listen: { host: "127.0.0.1", port: 0 },
      tls: zone.tls[name],
      zone: "extranet",
      services: [...services],
      log: silentLogger(),
    });
    servers.push(server);
    addresses.push(`127.0.0.1:${server.port}`);
  }
  const peers: Peers = {
    rule: permit.rule,
    policyDown: false,
    batches,
    events,
    policyAddress: addresses[0] ?? "",
    auditAddress: addresses[1] ?? "",
    close: async () => {
      for (const server of servers) await server.close();
    },
  };
  return peers;
}
