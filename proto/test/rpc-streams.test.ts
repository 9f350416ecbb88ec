import { describe, expect, it } from "vitest";
import { GatewayError } from "../src/errors/index.ts";
import {
  codeOf,
  policyClient,
  policyServer,
  rpcWorld,
  type StreamRequest,
  type StreamResponse,
} from "./rpc-world.ts";

rpcWorld();

/**
 * A count has come to rest when it did not change over this many round trips on the same connection.
 * grpc-js takes sixteen messages before a writer waits, and about one message moves in a round trip: a
 * sender that nothing holds back changes its count every sixteen or so.
 */
const STILL_ROUND_TRIPS = 50;

async function standsStill(
  client: ReturnType<typeof policyClient>,
  count: () => number,
): Promise<void> {
  let last = count();
  for (let still = 0; still < STILL_ROUND_TRIPS; still++) {
    await client.getRegistry({});
    if (count() !== last) still = -1;
    last = count();
  }
}

describe("streams", () => {
  it("carry every message in order both ways", async () => {
    const { port } = await policyServer();
    const chunk = Buffer.alloc(256 * 1024, 7);
    let index = 0;
    async function* source(): AsyncGenerator<StreamRequest> {
      for (let n = 0; n < 100; n++) {
        const part = Buffer.from(chunk);
        part.writeUInt32BE(n);
        yield { chunk: part };
      }
    }
    for await (const part of policyClient(port).decideStream(source())) {
      expect(Buffer.from(part.chunk ?? []).readUInt32BE()).toBe(index++);
    }
    expect(index).toBe(100);
  });

  it("hold the sender back while the receiver does not read", async () => {
    let release: (() => void) | undefined;
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    let begun: (() => void) | undefined;
    const started = new Promise<void>((resolve) => {
      begun = resolve;
    });
    const { port } = await policyServer({
      decideStream: async function* (requests) {
        begun?.();
        await gate;
        let count = 0;
        for await (const _ of requests) count++;
        yield { chunk: Buffer.from(String(count)) };
      },
    });
    let produced = 0;
    async function* source(): AsyncGenerator<StreamRequest> {
      for (let n = 0; n < 200; n++) {
        produced++;
        yield { chunk: Buffer.alloc(256 * 1024) };
      }
    }
    const client = policyClient(port);
    const answers = client.decideStream(source())[Symbol.asyncIterator]();
    const first = answers.next();
    await started;
    // Held back = the count stands still; far below 200 × 256 KiB.
    await standsStill(client, () => produced);
    expect(produced).toBeLessThan(100);
    release?.();
    const { value } = await first;
    expect(Buffer.from((value as StreamResponse).chunk ?? []).toString()).toBe("200");
    expect((await answers.next()).done).toBe(true);
  });

  it("hold the server back while the client does not read", async () => {
    let yielded = 0;
    const { port } = await policyServer({
      decideStream: async function* () {
        for (let n = 0; n < 200; n++) {
          yielded++;
          yield { chunk: Buffer.alloc(256 * 1024) };
        }
      },
    });
    const client = policyClient(port);
    const answers = client.decideStream([])[Symbol.asyncIterator]();
    await answers.next();
    await standsStill(client, () => yielded);
    expect(yielded).toBeLessThan(150);
    let rest = 0;
    while ((await answers.next()).done !== true) rest++;
    expect(rest).toBe(199);
  });

  it("end on both sides when the reader leaves, and pass on the fault of the source", async () => {
    let gone: (() => void) | undefined;
    const ended = new Promise<void>((resolve) => {
      gone = resolve;
    });
    const { port } = await policyServer({
      decideStream: async function* (requests, call) {
        call.signal.addEventListener("abort", () => gone?.());
        for await (const request of requests) yield { chunk: request.chunk ?? new Uint8Array() };
      },
    });
    const client = policyClient(port);
    let returned = false;
    async function* endless(): AsyncGenerator<StreamRequest> {
      try {
        for (;;) yield { chunk: Buffer.from("x") };
      } finally {
        returned = true;
      }
    }
    for await (const _ of client.decideStream(endless())) break;
    await ended;
    await expect.poll(() => returned).toBe(true);
    async function* broken(): AsyncGenerator<StreamRequest> {
      yield { chunk: Buffer.from("x") };
      throw new GatewayError("config.invalid", { detail: "source" });
    }
    const failing = (async () => {
      for await (const _ of client.decideStream(broken())) void _;
    })();
    await expect(failing).rejects.toMatchObject({ code: "config.invalid", detail: "source" });
  });

  it("end with rpc.deadline when an answer is due and nothing moves", async () => {
    const { port } = await policyServer({
      decideStream: async function* (_requests, call) {
        await new Promise((resolve) => call.signal.addEventListener("abort", resolve));
        yield { chunk: Buffer.from("too late") };
      },
    });
    const hanging = (async () => {
      const answers = policyClient(port).decideStream([{ chunk: Buffer.from("x") }], {
        stallMs: 200,
      });
      for await (const _ of answers) expect.unreachable();
    })();
    expect(await codeOf(hanging)).toBe("rpc.deadline");
  });

  it("let a handler answer without reading everything", async () => {
    const { port } = await policyServer({
      decideStream: async function* (requests) {
        for await (const _ of requests) {
          yield { chunk: Buffer.from("enough") };
          return;
        }
      },
    });
    async function* endless(): AsyncGenerator<StreamRequest> {
      for (;;) yield { chunk: Buffer.alloc(64 * 1024) };
    }
    const got: string[] = [];
    for await (const part of policyClient(port).decideStream(endless())) {
      got.push(Buffer.from(part.chunk ?? []).toString());
    }
    expect(got).toEqual(["enough"]);
  });
});
