/**
 * Guarantee: every service of the zone may read what is trusted here and hears
 * of changes by a long poll; only the front-proxy and an operator bring items,
 * only an operator denies a key. Waiting calls are bounded.
 */
import { GatewayError } from "@lightferry/proto/errors";
import type { lightferry } from "@lightferry/proto/gen";
import { bind, type CallContext, type ServiceBinding, TrustService } from "@lightferry/proto/rpc";
import { MAX_DENIAL_REASON } from "@lightferry/proto/trust";
import type { TrustKeeper } from "./keeper.ts";

/** trust.proto. */
const WAIT_MAX_MS = 60_000;
const ITEMS_MAX = 64;
/** Six services with a few workers each, and operators beside them. */
const WAITERS_MAX = 64;
const SOURCES = ["bundle", "medium", "qr", "operator"];
const BUNDLE_ID_BYTES = 16;
const KEY_ID = /^[0-9a-f]{32}$/;
/** What would break a line of a report or a table; a reason is one line of text. */
const NOT_ONE_LINE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u;

type GetTrust = lightferry.policy.v1.GetTrustRequest;
type Import = lightferry.policy.v1.ImportTrustRequest;
type Deny = lightferry.policy.v1.DenyKeyRequest;

function bad(detail: string): never {
  throw new GatewayError("rpc.bad-message", { detail });
}

export function trustBinding(keeper: TrustKeeper, now: () => number): ServiceBinding {
  const waiters = new Waiters(keeper);
  return bind(
    TrustService,
    {
      getTrust: async (request: GetTrust, call) => {
        if (request.waitMs > WAIT_MAX_MS) bad(`wait_ms > ${WAIT_MAX_MS}`);
        await waiters.wait(request, call);
        return request.knownVersion === keeper.version ? {} : { trust: keeper.set };
      },
      importTrust: async (request: Import, call) => {
        const { items, source, bundleId } = request;
        if (items.length === 0 || items.length > ITEMS_MAX) bad(`items: 1 to ${ITEMS_MAX}`);
        if (!SOURCES.includes(source)) bad(`source: one of ${SOURCES.join(", ")}`);
        const wanted = source === "bundle" ? BUNDLE_ID_BYTES : 0;
        if (bundleId.length !== wanted) bad(`bundle_id: ${wanted} bytes`);
        const origin = {
          actor: call.peer,
          source,
          bundleId: bundleId.length === 0 ? undefined : bundleId,
        };
        const results = await keeper.import(items, origin);
        return { results, version: keeper.version };
      },
      denyKey: async (request: Deny, call) => {
        const { keyId, reason, lift } = request;
        if (!KEY_ID.test(keyId)) bad("key_id: 32 hexadecimal digits");
        if (reason.length > MAX_DENIAL_REASON || NOT_ONE_LINE.test(reason)) {
          bad(`reason: one line of at most ${MAX_DENIAL_REASON} characters`);
        }
        const denial = { keyId, deniedMs: now(), reason, actor: call.peer };
        return { version: await keeper.deny(denial, lift) };
      },
    },
    {
      getTrust: [
        "front-proxy",
        "seal",
        "audit",
        "ferry-tx",
        "ferry-rx",
        "media-tx",
        "media-rx",
        "policy",
        "operator",
        "supervisor",
      ],
      importTrust: ["front-proxy", "operator"],
      denyKey: ["operator"],
    },
  );
}

/** Calls that wait for a change. */
class Waiters {
  readonly #keeper: TrustKeeper;
  readonly #waiting = new Set<() => void>();

  constructor(keeper: TrustKeeper) {
    this.#keeper = keeper;
    keeper.changed(() => {
      for (const wake of this.#waiting) wake();
    });
  }

  /** Until the version is another than the known one, the time is up, or the call is over. */
  async wait({ knownVersion, waitMs }: GetTrust, call: CallContext): Promise<void> {
    const over = (): boolean => call.signal.aborted || call.closing.aborted;
    if (knownVersion !== this.#keeper.version || waitMs === 0 || over()) return;
    if (this.#waiting.size >= WAITERS_MAX) throw new GatewayError("trust.busy");
    await new Promise<void>((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(wake);
        call.signal.removeEventListener("abort", wake);
        call.closing.removeEventListener("abort", wake);
        resolve();
      };
      const timer = setTimeout(wake, waitMs);
      this.#waiting.add(wake);
      call.signal.addEventListener("abort", wake);
      call.closing.addEventListener("abort", wake);
    });
  }
}
