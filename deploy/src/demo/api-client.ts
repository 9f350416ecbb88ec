/** Guarantee: speaks to a zone's /v1 API as an integrator's program would: HTTPS, the zone's CA, a token. */
import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import { Agent, request as httpsRequest } from "node:https";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";

export interface ApiAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Readonly<Record<string, unknown>>;
}

/** Many business systems in one program: fewer, and calls would wait here and not at the gateway. */
const MAX_SOCKETS = 512;

export class ApiClient {
  readonly #base: URL;
  readonly #agent: Agent;
  readonly #token: string;

  constructor(base: string, ca: Buffer, token: string) {
    this.#base = new URL(base);
    this.#agent = new Agent({ ca, keepAlive: true, maxSockets: MAX_SOCKETS });
    this.#token = token;
  }

  async send(
    method: string,
    path: string,
    headers: Readonly<Record<string, string>> = {},
    body?: string | Uint8Array | Readable,
  ): Promise<ApiAnswer> {
    const request = httpsRequest(new URL(path, this.#base), {
      method,
      agent: this.#agent,
      headers: { authorization: `Bearer ${this.#token}`, ...headers },
    });
    const response = new Promise<IncomingMessage>((resolve, reject) => {
      request.on("response", resolve);
      request.on("error", reject);
    });
    if (body === undefined || typeof body === "string" || body instanceof Uint8Array) {
      request.end(body);
    } else {
      // A break while the body goes out also ends the request, which is what is waited for.
      pipeline(body, request).catch(() => undefined);
    }
    const answer = await response;
    const chunks: Buffer[] = [];
    for await (const chunk of answer) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString("utf8");
    return {
      status: answer.statusCode ?? 0,
      headers: answer.headers,
      body: text === "" ? {} : (JSON.parse(text) as Record<string, unknown>),
    };
  }

  postJson(
    path: string,
    value: unknown,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<ApiAnswer> {
    return this.send(
      "POST",
      path,
      { "content-type": "application/json", ...headers },
      JSON.stringify(value),
    );
  }

  close(): void {
    this.#agent.destroy();
  }
}
