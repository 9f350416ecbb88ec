import { X509Certificate } from "node:crypto";
import { copyFile, mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "node:tls";
import { describe, expect, it } from "vitest";
import { GatewayError } from "../src/errors/index.ts";
import {
  AuditService,
  createClient,
  createLocalCa,
  HEALTH,
  HealthService,
  identityOf,
  issueClientCertificate,
  PolicyService,
  startRpcServer,
} from "../src/rpc/index.ts";
import {
  closers,
  codeOf,
  log,
  other,
  policyClient,
  policyServer,
  rpcWorld,
  zone,
} from "./rpc-world.ts";

rpcWorld();

describe("identity", () => {
  it("is read from exactly one URI name", () => {
    expect(identityOf("URI:lightferry://extranet/policy, DNS:localhost")).toEqual({
      zone: "extranet",
      service: "policy",
    });
    for (const text of [
      undefined,
      "",
      "DNS:localhost",
      "URI:lightferry://extranet/unknown",
      "URI:lightferry://extranet/policy/x",
      "URI:lightferry://UPPER/policy",
      "URI:lightferry://extranet/policy, URI:lightferry://extranet/audit",
      'DNS:"a, URI:lightferry://extranet/policy"',
      "URI:https://extranet/policy",
    ]) {
      expect(identityOf(text), String(text)).toBeUndefined();
    }
  });
});

describe("local CA", () => {
  it("keeps good certificates, hides keys and issues caller certificates", async () => {
    const before = await readFile(zone.tls.policy.cert, "utf8");
    await createLocalCa(zone.dir, "extranet", ["policy"]);
    expect(await readFile(zone.tls.policy.cert, "utf8")).toBe(before);
    expect((await stat(zone.tls.policy.key)).mode & 0o777).toBe(0o600);
    expect((await stat(`${zone.dir}/ca.key.pem`)).mode & 0o777).toBe(0o600);
    const issued = await issueClientCertificate(zone.dir, "bureau-01");
    expect(await issueClientCertificate(zone.dir, "bureau-01")).toEqual(issued);
    const cert = new X509Certificate(await readFile(issued.cert));
    expect(cert.subject).toContain("CN=bureau-01");
    expect(cert.fingerprint256.replaceAll(":", "").toLowerCase()).toBe(issued.fingerprint);
    const ca = new X509Certificate(await readFile(zone.tls.policy.ca));
    expect(cert.verify(ca.publicKey)).toBe(true);
    expect(cert.ca).toBe(false);
    const service = new X509Certificate(before);
    expect(service.subjectAltName).toBe(
      "URI:lightferry://extranet/policy, DNS:localhost, IP Address:127.0.0.1",
    );
    await expect(issueClientCertificate(zone.dir, "../x")).rejects.toMatchObject({
      code: "config.invalid",
    });
  });

  it("names the file when a certificate and its key do not belong together", async () => {
    const tls = { ...zone.tls.policy, key: zone.tls.audit.key };
    expect(() => policyClient(1, tls)).toThrow(/tls\.invalid.*policy\.pem/);
    await expect(
      startRpcServer({
        listen: { host: "127.0.0.1", port: 0 },
        tls,
        zone: "extranet",
        log,
        services: [],
      }),
    ).rejects.toMatchObject({ code: "tls.invalid" });
  });
});

describe("mutual TLS", () => {
  it("gives the handler the name of the peer and checks who may call what", async () => {
    const { port } = await policyServer();
    expect((await policyClient(port).getRegistry({})).policyVersion).toBe("front-proxy");
    const seal = policyClient(port, zone.tls.seal);
    expect((await seal.getRegistry({})).policyVersion).toBe("seal");
    expect(await codeOf(seal.decide({}))).toBe("rpc.peer-not-allowed");
    const refused = (async () => {
      for await (const _ of seal.decideStream([{ chunk: Buffer.from("x") }])) expect.unreachable();
    })();
    expect(await codeOf(refused)).toBe("rpc.peer-not-allowed");
  });

  it("refuses certificates of the other zone's CA, both ways", async () => {
    const { port } = await policyServer();
    const foreign = policyClient(port, other.tls["front-proxy"]);
    expect(await codeOf(foreign.getRegistry({}))).toBe("rpc.unavailable");
    const mixed = policyClient(port, { ...other.tls["front-proxy"], ca: zone.tls.policy.ca });
    expect(await codeOf(mixed.getRegistry({}))).toBe("rpc.unavailable");
  });

  it("refuses a peer whose certificate names another zone or no service, even from its own CA", async () => {
    const { port } = await policyServer();
    const dir = await mkdtemp(join(tmpdir(), "lf-astray-"));
    closers.push(() => rm(dir, { recursive: true }));
    for (const file of ["ca.pem", "ca.key.pem"]) {
      await copyFile(join(zone.dir, file), join(dir, file));
    }
    const { seal } = await createLocalCa(dir, "elsewhere", ["seal"]);
    expect(await codeOf(policyClient(port, seal).getRegistry({}))).toBe("rpc.peer-not-allowed");
    const caller = await issueClientCertificate(zone.dir, "bureau-02");
    const asCaller = policyClient(port, { ...caller, ca: zone.tls.policy.ca });
    expect(await codeOf(asCaller.getRegistry({}))).toBe("rpc.peer-not-allowed");
  });

  it("refuses a server that is another service or of another zone", async () => {
    const { port } = await policyServer();
    const wrong = createClient(AuditService, {
      address: `127.0.0.1:${port}`,
      tls: zone.tls["front-proxy"],
      zone: "extranet",
      peer: "audit",
    });
    closers.push(() => wrong.close());
    const error = await wrong.getCheckpoint({}).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      code: "rpc.peer-mismatch",
      detail: /not audit but lightferry:\/\/extranet\/policy/,
    });
    const wrongZone = policyClient(port, zone.tls["front-proxy"], "business");
    expect(await codeOf(wrongZone.getRegistry({}))).toBe("rpc.peer-mismatch");
  });

  it("speaks TLS 1.3 only", async () => {
    const { port } = await policyServer();
    const files = zone.tls["front-proxy"];
    const [ca, cert, key] = await Promise.all(
      [files.ca, files.cert, files.key].map((path) => readFile(path)),
    );
    const failure = await new Promise((resolve) => {
      const socket = connect({
        host: "127.0.0.1",
        port,
        ca,
        cert,
        key,
        maxVersion: "TLSv1.2",
        ALPNProtocols: ["h2"],
      });
      socket.once("secureConnect", () => resolve("connected"));
      socket.once("error", (error: NodeJS.ErrnoException) => resolve(error.code));
      closers.push(() => socket.destroy());
    });
    expect(failure).toMatch(/ALERT_PROTOCOL_VERSION|ECONNRESET/);
  });
});

describe("errors", () => {
  it("carry code and detail, in Chinese too, through unary and streaming calls", async () => {
    const fail = new GatewayError("journal.full", { detail: "磁盘 /var 已满" });
    const { port } = await policyServer({
      decide: async () => {
        throw fail;
      },
      decideStream: async function* (requests) {
        for await (const _ of requests) {
          yield { chunk: Buffer.from("first") };
          throw fail;
        }
      },
    });
    const client = policyClient(port);
    const unary = await client.decide({}).catch((error: unknown) => error);
    expect(unary).toBeInstanceOf(GatewayError);
    expect(unary).toMatchObject({ code: "journal.full", detail: "磁盘 /var 已满" });
    const seen: string[] = [];
    const stream = (async () => {
      for await (const part of client.decideStream([{ chunk: Buffer.from("a") }])) {
        seen.push(Buffer.from(part.chunk ?? []).toString());
      }
    })();
    await expect(stream).rejects.toMatchObject({ code: "journal.full", detail: "磁盘 /var 已满" });
    expect(seen).toEqual(["first"]);
  });

  it("keep the text of unexpected faults inside", async () => {
    const { port } = await policyServer({
      decide: async () => {
        throw new TypeError("a secret");
      },
    });
    const error = await policyClient(port)
      .decide({})
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "internal.fault", detail: "TypeError" });
    expect(String(error)).not.toContain("a secret");
  });

  it("name messages that are too large or unreadable", async () => {
    const { port } = await policyServer();
    const client = policyClient(port);
    const big = { items: [{ content: Buffer.alloc(9 * 1024 * 1024) }] };
    expect(await codeOf(client.decide(big))).toBe("rpc.too-large");
    const raw = createClient(
      {
        decide: {
          kind: "unary",
          path: PolicyService.decide.path,
          request: {
            encode: () => ({ finish: () => Buffer.from("ffff", "hex") }) as never,
            decode: () => ({}),
          },
          response: { encode: () => ({}) as never, decode: () => ({}) },
        },
      },
      {
        address: `127.0.0.1:${port}`,
        tls: zone.tls["front-proxy"],
        zone: "extranet",
        peer: "policy",
      },
    );
    closers.push(() => raw.close());
    expect(await codeOf(raw.decide({}))).toBe("rpc.bad-message");
  });

  it("end a call at its deadline and tell the handler", async () => {
    let aborted: (() => void) | undefined;
    const seen = new Promise<void>((resolve) => {
      aborted = resolve;
    });
    const { port } = await policyServer({
      decide: (_request, call) =>
        new Promise((_resolve, reject) => {
          call.signal.addEventListener("abort", () => {
            aborted?.();
            reject(new GatewayError("rpc.cancelled"));
          });
        }),
    });
    const client = policyClient(port);
    expect(await codeOf(client.decide({}, { deadlineMs: 150 }))).toBe("rpc.deadline");
    await seen;
    const abort = new AbortController();
    const cancelled = codeOf(client.decide({}, { signal: abort.signal }));
    abort.abort();
    expect(await cancelled).toBe("rpc.cancelled");
    expect(await codeOf(client.decide({}, { signal: abort.signal }))).toBe("rpc.cancelled");
  });
});

describe("life", () => {
  it("a client outlives a restart of its server", async () => {
    const first = await policyServer();
    const client = policyClient(first.port);
    await client.getRegistry({});
    await first.close();
    expect(await codeOf(client.getRegistry({}))).toBe("rpc.unavailable");
    const waiting = client.getRegistry({}, { waitForReady: true });
    await policyServer({ port: first.port });
    expect((await waiting).policyVersion).toBe("front-proxy");
    expect((await client.getRegistry({})).policyVersion).toBe("front-proxy");
  });

  it("closing tells long polls, waits for them and then reports not serving", async () => {
    const server = await policyServer({
      decide: (_request, call) =>
        new Promise((resolve) => {
          call.closing.addEventListener("abort", () => resolve({ policyVersion: "closing" }));
        }),
    });
    const client = policyClient(server.port);
    await client.getRegistry({});
    const poll = client.decide({}, { deadlineMs: 30_000 });
    await client.getRegistry({});
    await server.close();
    expect((await poll).policyVersion).toBe("closing");
  });

  it("answers health checks of every service", async () => {
    const { port } = await policyServer();
    const client = createClient(HealthService, {
      address: `127.0.0.1:${port}`,
      tls: zone.tls.supervisor,
      zone: "extranet",
      peer: "policy",
    });
    closers.push(() => client.close());
    expect(await client.check({ service: "" })).toEqual({ status: HEALTH.SERVING });
    expect(await client.check({ service: "lightferry.policy.v1.PolicyService" })).toEqual({
      status: HEALTH.SERVING,
    });
    expect(await client.check({ service: "nobody" })).toEqual({ status: HEALTH.SERVICE_UNKNOWN });
  });

  it("says when its port is taken", async () => {
    const { port } = await policyServer();
    await expect(policyServer({ port })).rejects.toMatchObject({ code: "rpc.unavailable" });
  });
});
