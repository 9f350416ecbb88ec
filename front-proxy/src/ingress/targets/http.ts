/**
 * Guarantee: a call is "not-received" only when no byte of it can have reached
 * the target; as soon as a connection stood, a fault is "unknown".
 *
 * Node's own HTTP client and not `fetch`: it says when the connection stood,
 * which is what tells the two apart.
 */
import http from "node:http";
import https from "node:https";
import { pipeline, Readable } from "node:stream";
import { asGatewayError } from "@lightferry/proto/errors";
import type { HttpTarget } from "../../config.ts";
import { RESPONSE_DRAIN_BYTES, RETRY_AFTER_LONGEST_MS } from "../tuning.ts";
import { buildRequestLine, type RequestLine } from "./request-line.ts";
import type { AttemptResult, Parcel, Target } from "./target.ts";

/** Refused before being processed, by their definition (RFC 6585 §4, RFC 8470 §5.2). */
const NOT_PROCESSED: ReadonlySet<number> = new Set([425, 429]);
/** The target gave up waiting (RFC 9110 §15.5.9): it may have seen a part. */
const REQUEST_TIMEOUT = 408;

export class HttpTargetClient implements Target {
  readonly repeatable: boolean;
  readonly #base: URL;
  readonly #basePath: string;
  readonly #timeoutMs: number;
  readonly #agent: http.Agent;

  constructor(config: HttpTarget, concurrency: number) {
    this.repeatable = config.idempotency || config.onDoubt === "retry";
    this.#base = new URL(config.baseUrl);
    this.#basePath = this.#base.pathname.replace(/\/+$/, "");
    this.#timeoutMs = config.timeoutMs;
    const Agent = this.#base.protocol === "https:" ? https.Agent : http.Agent;
    // A kept connection may be closed by the target just as a call is written to it. Where a
    // call must not be repeated that would be a doubt for nothing, so there each call dials.
    this.#agent = new Agent({ keepAlive: this.repeatable, maxSockets: concurrency });
  }

  async attempt(parcel: Parcel): Promise<AttemptResult> {
    let line: RequestLine;
    try {
      line = buildRequestLine(parcel.entry, parcel.id, this.#basePath);
    } catch (error) {
      const { code, detail } = asGatewayError(error);
      return { kind: "rejected", code, detail };
    }
    const first = await this.#call(line, parcel);
    return first === "stale-connection" ? this.#once(line, parcel) : first;
  }

  async settled(): Promise<void> {}

  async prepare(): Promise<void> {}

  close(): void {
    this.#agent.destroy();
  }

  async #once(line: RequestLine, parcel: Parcel): Promise<AttemptResult> {
    const again = await this.#call(line, parcel);
    return again === "stale-connection" ? { kind: "unknown", detail: "connection reset" } : again;
  }

  #call(line: RequestLine, parcel: Parcel): Promise<AttemptResult | "stale-connection"> {
    return new Promise((resolve) => {
      let connected = false;
      let request: http.ClientRequest;
      try {
        request = this.#open(line);
      } catch {
        // Node refuses header values it cannot write; nothing has been sent.
        resolve({ kind: "rejected", code: "target.request-invalid", detail: "header" });
        return;
      }
      const timer = setTimeout(() => request.destroy(new Error("timeout")), this.#timeoutMs);
      const finish = (result: AttemptResult | "stale-connection"): void => {
        clearTimeout(timer);
        resolve(result);
      };
      request.on("socket", (socket) => {
        // A kept socket, or one that already stands, can carry bytes at once.
        if (!socket.connecting) connected = true;
        else socket.once("connect", () => (connected = true));
      });
      request.on("response", (response) => drain(response, () => finish(byStatus(response))));
      request.on("error", (error) => {
        const detail = faultName(error);
        if (!connected) finish({ kind: "not-received", detail });
        else if (request.reusedSocket && this.repeatable && detail === "ECONNRESET") {
          finish("stale-connection");
        } else finish({ kind: "unknown", detail });
      });
      sendContent(request, parcel);
    });
  }

  #open(line: RequestLine): http.ClientRequest {
    const send = this.#base.protocol === "https:" ? https.request : http.request;
    return send({
      agent: this.#agent,
      protocol: this.#base.protocol,
      hostname: this.#base.hostname.replace(/^\[|\]$/g, ""),
      port: this.#base.port,
      method: line.method,
      path: line.path,
      headers: line.headers,
    });
  }
}

function sendContent(request: http.ClientRequest, parcel: Parcel): void {
  if (parcel.bytes !== undefined) {
    request.end(parcel.bytes);
    return;
  }
  // A fault of the content (altered at rest) destroys the request and ends as its error.
  pipeline(Readable.from(parcel.content(), { objectMode: false }), request, () => {});
}

/** Reads the body to its end, or cuts a long one off: its content is of no interest here. */
function drain(response: http.IncomingMessage, done: () => void): void {
  let seen = 0;
  response.on("data", (chunk: Buffer) => {
    seen += chunk.length;
    if (seen > RESPONSE_DRAIN_BYTES) response.destroy();
  });
  response.on("error", () => {});
  response.once("close", done);
}

function byStatus(response: http.IncomingMessage): AttemptResult {
  const status = response.statusCode ?? 0;
  const detail = `HTTP ${status}`;
  if (status >= 200 && status < 300) return { kind: "delivered", detail };
  const retryAfterMs = retryAfter(response.headers["retry-after"]);
  const wait = retryAfterMs === undefined ? {} : { retryAfterMs };
  if (NOT_PROCESSED.has(status)) return { kind: "not-received", detail, ...wait };
  if (status >= 500 || status === REQUEST_TIMEOUT) return { kind: "unknown", detail, ...wait };
  return { kind: "rejected", code: "target.rejected", detail };
}

/** RFC 9110 §10.2.3, seconds form only; dates depend on the target's clock. */
function retryAfter(value: string | undefined): number | undefined {
  if (value === undefined || !/^[0-9]{1,6}$/.test(value)) return undefined;
  return Math.min(Number(value) * 1_000, RETRY_AFTER_LONGEST_MS);
}

/** The system's name of a fault, or a short word; never a message that could quote content. */
function faultName(error: Error): string {
  if ("code" in error && typeof error.code === "string") return error.code;
  return error.message === "timeout" ? "timeout" : error.name;
}
