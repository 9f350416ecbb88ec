/** Guarantee: a plain HTTPS client of the API that trusts only the zone's CA. */
import { readFileSync } from "node:fs";
import https from "node:https";

export interface ApiAnswer {
  readonly status: number;
  readonly headers: Record<string, string | string[] | undefined>;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape.
  readonly json: any;
}

export interface ApiCall {
  readonly token?: string;
  readonly certificate?: { readonly cert: string; readonly key: string };
  readonly headers?: Readonly<Record<string, string>>;
  /** An object is sent as JSON. */
  readonly body?: Uint8Array | string | object | AsyncIterable<Uint8Array>;
}

export class ApiClient {
  readonly #ca: Buffer;
  readonly #port: () => number;
  readonly #agent = new https.Agent({ keepAlive: true, maxSockets: 16 });

  constructor(caPath: string, port: () => number) {
    this.#ca = readFileSync(caPath);
    this.#port = port;
  }

  /** The request as it is being sent, for tests that break it off. */
  open(method: string, path: string, call: ApiCall = {}) {
    return https.request({
      host: "127.0.0.1",
      port: this.#port(),
      method,
      path,
      ca: this.#ca,
      agent: call.certificate === undefined ? this.#agent : false,
      ...(call.certificate === undefined
        ? {}
        : {
            cert: readFileSync(call.certificate.cert),
            key: readFileSync(call.certificate.key),
          }),
      headers: {
        ...(call.token === undefined ? {} : { authorization: `Bearer ${call.token}` }),
        ...call.headers,
      },
    });
  }

  call(method: string, path: string, call: ApiCall = {}): Promise<ApiAnswer> {
    const { body } = call;
    const json =
      body !== undefined && typeof body === "object" && !isBytes(body) && !isStream(body);
    const payload = json ? JSON.stringify(body) : body;
    return new Promise((resolve, reject) => {
      const request = this.open(method, path, {
        ...call,
        headers: { ...(json ? { "content-type": "application/json" } : {}), ...call.headers },
      });
      request.on("error", reject);
      request.on("response", (response) => {
        const parts: Buffer[] = [];
        response.on("data", (part: Buffer) => parts.push(part));
        response.on("error", reject);
        response.on("end", () => {
          const text = Buffer.concat(parts).toString();
          const type = String(response.headers["content-type"] ?? "");
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            text,
            json: type.includes("json") && text !== "" ? JSON.parse(text) : undefined,
          });
        });
      });
      if (payload !== undefined && isStream(payload)) void pump(payload, request);
      else request.end(payload as Uint8Array | string | undefined);
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}

function isBytes(body: unknown): body is Uint8Array {
  return body instanceof Uint8Array;
}

function isStream(body: unknown): body is AsyncIterable<Uint8Array> {
  return typeof body === "object" && body !== null && Symbol.asyncIterator in body;
}

async function pump(source: AsyncIterable<Uint8Array>, sink: NodeJS.WritableStream): Promise<void> {
  for await (const chunk of source) {
    if (!sink.write(chunk)) await new Promise((resolve) => sink.once("drain", resolve));
  }
  sink.end();
}
