/** Guarantee: a real HTTP target on a free port of the loopback that does as the test says. */
import http from "node:http";
import type { AddressInfo } from "node:net";

export interface Call {
  readonly method: string;
  readonly path: string;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
}

export interface HttpTargetServer {
  readonly calls: Call[];
  readonly baseUrl: string;
  /** Called for each request; ends the response or destroys its socket. */
  respond: (response: http.ServerResponse, call: Call) => void;
  /** Closes; `again` listens on the same port. */
  close(): Promise<void>;
  again(): Promise<void>;
}

export async function httpTarget(): Promise<HttpTargetServer> {
  const calls: Call[] = [];
  const server = http.createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8");
    request.on("data", (part: string) => {
      body += part;
    });
    request.on("end", () => {
      const call = {
        method: request.method ?? "",
        path: request.url ?? "",
        headers: request.headers,
        body,
      };
      calls.push(call);
      target.respond(response, call);
    });
  });
  const listen = (port: number) =>
    new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  await listen(0);
  const { port } = server.address() as AddressInfo;
  const target: HttpTargetServer = {
    calls,
    baseUrl: `http://127.0.0.1:${port}/api`,
    respond: (response) => response.writeHead(201).end("{}"),
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
    again: () => listen(port),
  };
  return target;
}
