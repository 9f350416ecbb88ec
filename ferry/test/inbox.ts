/** Guarantee: the inbox of a front-proxy for tests and drills: takes files as the real one does, and counts them. */
import { readFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import { GatewayError } from "@lightferry/proto/errors";
import type { lightferry } from "@lightferry/proto/gen";
import { unwrapLinkKey } from "@lightferry/proto/link-key";
import type { Sm2PrivateKey, SmProvider } from "@lightferry/proto/sm";

type DeliverRequest = lightferry.ferry.v1.DeliverRequest.$Properties;
type OpenLinkKeyRequest = lightferry.ferry.v1.OpenLinkKeyRequest.$Properties;
type LeasedBundle = lightferry.ferry.v1.LeasedBundle.$Properties;

/** The inbox of a front-proxy: moves files away and knows what it has. */
export class Inbox {
  readonly delivered: DeliverRequest[] = [];
  /** When each of them was taken, in monotonic milliseconds. */
  readonly deliveredAt: number[] = [];
  readonly answers: string[] = [];
  /** What the ferry itself refused, and its sender may hear of: code by bundle id in hex. */
  readonly refusedByFerry = new Map<string, string>();
  /** Link keys that it opened. */
  opened = 0;
  down = false;
  refusals = 0;
  readonly #arrivals: string;
  readonly #taken: string;
  readonly #known = new Set<string>();
  #wake: (() => void)[] = [];

  readonly #open: (wrapped: Uint8Array) => Uint8Array;

  /** @param key its node's encryption key */
  constructor(arrivals: string, taken: string, provider: SmProvider, key: Sm2PrivateKey) {
    this.#arrivals = arrivals;
    this.#taken = taken;
    this.#open = (wrapped) => unwrapLinkKey(provider, key, wrapped);
  }

  openLinkKey = async ({
    wrapped,
  }: OpenLinkKeyRequest): Promise<lightferry.ferry.v1.OpenLinkKeyResponse.$Properties> => {
    if (this.down) throw new GatewayError("rpc.unavailable");
    const secret = this.#open(wrapped ?? new Uint8Array());
    this.opened += 1;
    return { secret };
  };

  deliver = async (
    request: DeliverRequest,
  ): Promise<lightferry.ferry.v1.DeliverResponse.$Properties> => {
    if (this.down) {
      this.refusals += 1;
      for (const wake of this.#wake.splice(0)) wake();
      throw new GatewayError("rpc.unavailable");
    }
    const id = Buffer.from(request.bundleId ?? []).toString("hex");
    if (request.refusedCode) {
      this.refusedByFerry.set(id, request.refusedCode);
      return { status: "quarantined", code: request.refusedCode };
    }
    const status = this.#known.has(id) ? "duplicate" : "accepted";
    if (status === "accepted") {
      renameSync(join(this.#arrivals, request.file ?? ""), join(this.#taken, request.file ?? ""));
      this.#known.add(id);
      this.delivered.push(request);
      this.deliveredAt.push(performance.now());
    }
    this.answers.push(status);
    for (const wake of this.#wake.splice(0)) wake();
    return { status };
  };

  /** Waits until so many bundles were taken. */
  async until(count: number): Promise<void> {
    while (this.delivered.length < count) await this.#next();
  }

  async untilRefused(count: number): Promise<void> {
    while (this.refusals < count) await this.#next();
  }

  bytesOf(bundle: LeasedBundle): Buffer {
    return readFileSync(join(this.#taken, bundle.file ?? ""));
  }

  #next(): Promise<void> {
    return new Promise((resolve) => this.#wake.push(resolve));
  }
}
