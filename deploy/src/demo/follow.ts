/**
 * Guarantee: an exchange is followed on both sides until it has ended on each,
 * by asking the two front-proxies as an operator of each zone would.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { asGatewayError } from "@lightferry/proto/errors";
import { parseId } from "@lightferry/proto/ids";
import { AdminService, type Client, createClient, type TlsFiles } from "@lightferry/proto/rpc";
import { otherZone, ZONES, type ZoneName, zonePaths } from "../layout.ts";

/** What is read of the document of GET /v1/exchanges/{id}. */
export interface ExchangeView {
  readonly state: string;
  readonly refusal?: { readonly code: string };
}

export interface Ended {
  readonly sent: ExchangeView;
  readonly received: ExchangeView | undefined;
}

const POLL_MS = 200;
/** Nothing more will happen on the sending side. */
const SENT_ENDS = new Set(["emitted", "refused", "held", "cancelled", "failed", "superseded"]);
/** Nothing more will happen by itself on the receiving side. */
const RECEIVED_ENDS = new Set(["delivered", "failed", "in-doubt", "quarantined", "returned"]);

export class Operators {
  readonly #clients: ReadonlyMap<ZoneName, Client<typeof AdminService>>;

  /** @param zones the zones whose operator certificates lie under `home`. */
  constructor(home: string, zones: readonly ZoneName[] = ZONES) {
    this.#clients = new Map(
      zones.map((zone) => {
        const cli = JSON.parse(
          readFileSync(join(zonePaths(home, zone).config, "cli.json"), "utf8"),
        ) as { tls: TlsFiles; peers: { frontProxy: string } };
        const client = createClient(AdminService, {
          address: cli.peers.frontProxy,
          tls: cli.tls,
          zone,
          peer: "front-proxy",
        });
        return [zone, client];
      }),
    );
  }

  #client(zone: ZoneName): Client<typeof AdminService> {
    const client = this.#clients.get(zone);
    if (client === undefined) throw new RangeError(zone);
    return client;
  }

  /** The exchange as one zone shows it; undefined when it does not know it. */
  async view(zone: ZoneName, id: Uint8Array): Promise<ExchangeView | undefined> {
    try {
      const { json } = await this.#client(zone).getExchange({ exchangeId: id });
      return JSON.parse(json ?? "{}") as ExchangeView;
    } catch (error) {
      if (asGatewayError(error).code === "exchange.not-found") return undefined;
      throw error;
    }
  }

  /** Waits until the exchange has ended on both sides, or for `deadlineMs` at the most. */
  async follow(from: ZoneName, exchangeId: string, deadlineMs: number): Promise<Ended> {
    const id = parseId(exchangeId);
    for (;;) {
      const sent = (await this.view(from, id)) ?? { state: "unknown" };
      const received = await this.view(otherZone(from), id);
      const ended =
        SENT_ENDS.has(sent.state) &&
        (sent.state !== "emitted" || (received !== undefined && RECEIVED_ENDS.has(received.state)));
      if (ended || Date.now() > deadlineMs) return { sent, received };
      await delay(POLL_MS);
    }
  }

  async issueToken(zone: ZoneName, caller: string): Promise<string> {
    const answer = await this.#client(zone).issueToken({ caller, days: 30, note: "演示 demo" });
    return answer.token ?? "";
  }

  close(): void {
    for (const client of this.#clients.values()) client.close();
  }
}
