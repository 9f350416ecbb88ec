/**
 * Bad input and bad days on zones that really run: what the caller is told,
 * what the log of the right zone says, and that nothing accepted is lost.
 */
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, rmdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { type ErrorCode, errorRow } from "@lightferry/proto/errors";
import { AdminService, createClient, type TlsFiles } from "@lightferry/proto/rpc";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { cli } from "../drills/cli.ts";
import { submitRequest, untilAnswered } from "../drills/integrator.ts";
import { outage } from "../drills/outage.ts";
import { seededBytes } from "../drills/random.ts";
import { mayMount, type SmallDisk, smallDisk } from "../drills/small-disk.ts";
import { type RunningZones, startZones } from "../drills/zones.ts";
import { type ApiAnswer, ApiClient } from "../src/demo/api-client.ts";
import { CALLERS, type ZoneName, zonePaths, zonePorts } from "../src/layout.ts";

const LIMIT_MS = 120_000;
/** Larger than what is kept in a row, so that it must go to the disk. */
const FILE_BYTES = 2_500_000;
/** What the receiving ferry keeps for its books where a zone asks for no reserve. */
const RESERVE_BYTES = 1 << 20;
const disks = mayMount();

let zones: RunningZones;
let extranetDisk: SmallDisk | undefined;
let businessDisk: SmallDisk | undefined;

/** Folders of a zone on one small file system. */
function place(
  home: string,
  zone: ZoneName,
  disk: SmallDisk,
  names: ("spool" | "inbox" | "arrivals")[],
) {
  for (const name of names) {
    const target = join(disk.path, name);
    mkdirSync(target, { mode: 0o700 });
    rmdirSync(zonePaths(home, zone)[name]);
    symlinkSync(target, zonePaths(home, zone)[name]);
  }
}

beforeAll(async () => {
  if (disks) {
    extranetDisk = smallDisk("8m");
    businessDisk = smallDisk("8m");
  }
  zones = await startZones({ gateSecondPassSeconds: 2, spoolReserveBytes: 0 }, (home) => {
    if (extranetDisk) place(home, "extranet", extranetDisk, ["spool"]);
    if (businessDisk) place(home, "business", businessDisk, ["inbox", "arrivals"]);
  });
}, LIMIT_MS);
afterAll(async () => {
  await zones?.stop();
  extranetDisk?.unmount();
  businessDisk?.unmount();
}, LIMIT_MS);

const deadline = () => Date.now() + LIMIT_MS;
const api = () => zones.apis.extranet;
const record = {
  lane: "inbound",
  service: "land-registration",
  grade: "G1",
  method: "POST",
  path: "/records",
  body: { n: 1 },
};
const submit = (change: object = {}, headers: Record<string, string> = {}) =>
  api().postJson("/v1/requests", { ...record, ...change }, headers);
const fileQuery = (name: string) =>
  new URLSearchParams({ lane: "inbound", service: "bulk-data", grade: "G1", filename: name });

function expectProblem(answer: ApiAnswer, code: ErrorCode): void {
  const row = errorRow(code);
  expect([answer.status, answer.body.code]).toEqual([row.http, code]);
  expect(answer.headers["content-type"]).toContain("application/problem+json");
  expect(answer.body).toMatchObject({ actor: row.actor, do: { zh: row.doZh, en: row.doEn } });
}

interface Logged {
  readonly type: string;
  readonly code?: string;
  readonly emitter?: string;
}

/** What an auditor of that zone finds under a code; journals may be a moment behind. */
async function logged(zone: ZoneName, type: string, code: string): Promise<Logged[]> {
  const until = deadline();
  const args = ["audit", "list", "--zone", zone, "--type", type, "--json"];
  if (code !== "") args.push("--code", code);
  for (;;) {
    const { out } = await cli(zones.home, args);
    const { events } = (out.trim() === "" ? { events: [] } : JSON.parse(out)) as {
      events: Logged[];
    };
    if (events.length > 0) return events;
    if (Date.now() > until) expect.unreachable(`${zone} has no ${type} ${code}`);
    await delay(200);
  }
}

/** Bundles by how far the sending ferry has come with them; it says so once a second. */
async function sent(): Promise<{ emitted: number; finished: number }> {
  const asked = Date.now();
  for (;;) {
    const { out } = await cli(zones.home, ["ferry", "status", "--zone", "extranet", "--json"]);
    const [{ status }] = JSON.parse(out) as [
      { status: { timeMs: number; bundles: { emitted: number; finished: number } } },
    ];
    if (status.timeMs >= asked) return status.bundles;
    await delay(200);
  }
}

/** What the receiving ferry measured last, once a second: free bytes where it writes. */
async function room(): Promise<number> {
  const { out } = await cli(zones.home, ["ferry", "status", "--zone", "business", "--json"]);
  const [{ status }] = JSON.parse(out) as [{ status: { space: { freeBytes: number } } }];
  return status.space.freeBytes;
}

async function delivered(exchangeId: unknown): Promise<void> {
  const { received } = await zones.operators.follow("extranet", String(exchangeId), deadline());
  expect(received?.state).toBe("delivered");
}

/** Records at the receiver that came of one exchange. */
async function arrivals(exchangeId: unknown): Promise<number> {
  const { receiver } = zonePorts("business", zones.options.portBase);
  const answer = await fetch(`http://127.0.0.1:${receiver}/records`);
  const { newest } = (await answer.json()) as { newest: { exchange: string }[] };
  return newest.filter((row) => row.exchange === exchangeId).length;
}

function dropped(exchangeId: unknown): Buffer {
  const folder = join(zonePaths(zones.home, "business").drop, "bulk-data");
  const [name = ""] = readdirSync(folder).filter((one) => one.includes(String(exchangeId)));
  return readFileSync(join(folder, name));
}

const digestOf = (bytes: Uint8Array) => createHash("sm3").update(bytes).digest("hex");

describe("what is refused at the door", () => {
  it.each([
    ["an unknown lane", { lane: "nowhere" }, "submit.lane-unknown"],
    ["the lane of the other direction", { lane: "outbound" }, "submit.direction-wrong"],
    ["an unknown service", { service: "nothing" }, "submit.service-unknown"],
    ["a service of another kind", { service: "bulk-data" }, "submit.kind-mismatch"],
    ["a body over the limit", { body: "x".repeat(2_200_000) }, "api.body-too-large"],
    ["no grade", { grade: "" }, "policy.grade-missing"],
  ] as const)("%s", { timeout: LIMIT_MS }, async (_, change, code) => {
    expectProblem(await submit(change), code);
    await logged("extranet", "exchange.refused", code);
  });

  it("the closed direction, in the zone where it was tried", { timeout: LIMIT_MS }, async () => {
    const answer = await zones.apis.business.postJson("/v1/requests", {
      ...record,
      lane: "outbound",
      service: "public-query",
      path: "/answers",
    });
    expectProblem(answer, "policy.lane-closed");
    await logged("business", "exchange.refused", "policy.lane-closed");
  });

  it("tokens that are wrong, revoked or none", { timeout: LIMIT_MS }, async () => {
    const revoked = await zones.operators.issueToken("extranet", CALLERS.extranet);
    await revoke(revoked.split("_")[1] ?? "");
    for (const [token, code] of [
      [`lft_0123456789abcdef_${"A".repeat(43)}`, "token.unknown"],
      [revoked, "token.revoked"],
    ] as const) {
      const client = clientWith(token);
      expectProblem(await client.postJson("/v1/requests", record), code);
      client.close();
      await logged("extranet", "token.refused", code);
    }
  });
});

describe("a database that is away", () => {
  it("on the sending side: 503, and the same key is accepted and arrives once", {
    timeout: 2 * LIMIT_MS,
  }, async () => {
    const key = { "idempotency-key": "bad-input-database" };
    const { postgres } = zonePorts("extranet", zones.options.portBase);
    const down = await outage(zones, "extranet", "postgres", postgres, "nothing");
    const refused = await submit({}, key);
    // Whichever service needed its database first says so.
    const code = String(refused.body.code) as ErrorCode;
    expect(["database.unavailable", "policy.database-unavailable"]).toContain(code);
    expectProblem(refused, code);
    expect(Number(refused.headers["retry-after"])).toBeGreaterThan(0);
    await down.end();
    const accepted = await untilAnswered(() => submit({}, key), deadline());
    expect(accepted.status).toBe(202);
    await delivered(accepted.body.exchangeId);
    expect((await submit({}, key)).body.exchangeId).toBe(accepted.body.exchangeId);
    expect(await arrivals(accepted.body.exchangeId)).toBe(1);
    await logged("extranet", "exchange.refused", code);
    await logged("extranet", "service.impaired", "audit.database-unavailable");
  });

  it("on the receiving side: accepted and emitted meanwhile, delivered after", {
    timeout: 2 * LIMIT_MS,
  }, async () => {
    const { postgres } = zonePorts("business", zones.options.portBase);
    const down = await outage(zones, "business", "postgres", postgres, "nothing");
    const accepted = await submitRequest(
      api(),
      "land-registration",
      "/records",
      "bad-input-far",
      { n: 2 },
      deadline(),
    );
    expect(accepted.status).toBe(202);
    // Somebody has noticed.
    while (down.calls === 0) await delay(50);
    await down.end();
    await delivered(accepted.body.exchangeId);
    expect(await arrivals(accepted.body.exchangeId)).toBe(1);
    const [told] = await logged("business", "service.impaired", "database.unavailable");
    expect(["ferry-rx", "front-proxy", "seal"]).toContain(told?.emitter);
    await logged("business", "service.restored", "");
  });
});

describe("a target", () => {
  it.each([
    ["that is down", "nothing", "land-registration", "/records"],
    ["that answers 500", 500, "land-registration", "/records"],
  ] as const)(
    "%s: exchanges wait and are delivered after",
    { timeout: 2 * LIMIT_MS },
    async (_, answers, service, path) => {
      const { receiver } = zonePorts("business", zones.options.portBase);
      const down = await outage(zones, "business", "receiver", receiver, answers);
      const accepted = await Promise.all(
        Array.from({ length: 5 }, (_, i) =>
          submitRequest(
            api(),
            service,
            path,
            `bad-input-target-${answers}-${i}`,
            { i },
            deadline(),
          ),
        ),
      );
      expect(accepted.map(({ status }) => status)).toEqual([202, 202, 202, 202, 202]);
      while (down.calls === 0) await delay(50);
      const waiting = await Promise.all(
        accepted.map(({ body }) => zones.operators.follow("extranet", String(body.exchangeId), 0)),
      );
      expect(waiting.map(({ received }) => received?.state)).not.toContain("delivered");
      await down.end();
      for (const { body } of accepted) {
        await delivered(body.exchangeId);
        expect(await arrivals(body.exchangeId)).toBe(1);
      }
      await logged("business", "exchange.retried", "target.unavailable");
    },
  );
});

describe.skipIf(!disks)("a disk that is really full", () => {
  afterEach(() => {
    extranetDisk?.free();
    businessDisk?.free();
  });

  it("on the sending side: 507, and the upload goes on from its durable offset", {
    timeout: 2 * LIMIT_MS,
  }, async () => {
    const content = Buffer.concat([...seededBytes(3, FILE_BYTES)]);
    const created = await api().send("POST", `/v1/files?${fileQuery("full.bin")}`, {
      "upload-length": String(FILE_BYTES),
      "content-type": "application/octet-stream",
      "idempotency-key": "bad-input-disk",
    });
    expect(created.status).toBe(201);
    const path = `/v1/files/${String(created.body.exchangeId)}`;
    const part = (from: number) =>
      api().send(
        "PATCH",
        path,
        { "upload-offset": String(from), "content-type": "application/octet-stream" },
        content.subarray(from),
      );
    extranetDisk?.leave(600_000);
    expectProblem(await part(0), "spool.disk-full");
    // What was refused frees its part a moment later, and the figure of free space is up to a second old.
    const small = async () => {
      extranetDisk?.leave(0);
      return (await submit()).status;
    };
    await expect.poll(small, { timeout: 20_000, interval: 200 }).toBe(507);
    const announced = await api().send("POST", `/v1/files?${fileQuery("other.bin")}`, {
      "upload-length": String(FILE_BYTES),
      "content-type": "application/octet-stream",
    });
    expectProblem(announced, "spool.disk-full");
    expect(Number(announced.headers["retry-after"])).toBeGreaterThan(0);
    await logged("extranet", "exchange.refused", "spool.disk-full");
    extranetDisk?.free();
    const head = await untilAnswered(() => api().send("HEAD", path), deadline());
    const done = await untilAnswered(() => part(Number(head.headers["upload-offset"])), deadline());
    expect(done.status).toBe(202);
    await delivered(done.body.exchangeId);
    expect(digestOf(dropped(done.body.exchangeId))).toBe(digestOf(content));
  });

  it("on the receiving side: what finds no room is named and comes again; what does waits at each step, then arrives whole", {
    timeout: 3 * LIMIT_MS,
  }, async () => {
    const content = Buffer.concat([...seededBytes(4, FILE_BYTES)]);
    const before = await sent();
    businessDisk?.leave(500_000);
    await expect.poll(room, { timeout: LIMIT_MS, interval: 200 }).toBeLessThan(FILE_BYTES);
    const accepted = await untilAnswered(
      () =>
        api().send(
          "POST",
          `/v1/files?${fileQuery("far.bin")}`,
          { "content-type": "application/octet-stream", "idempotency-key": "bad-input-far-disk" },
          content,
        ),
      deadline(),
    );
    expect(accepted.status).toBe(202);
    const [leftOut] = await logged("business", "gate.object-left-out", "ferry.space-full");
    expect(leftOut?.emitter).toBe("ferry-rx");
    // No pass under way while room is made: what it left would be counted by what had come.
    const passesOver = async () => {
      const { emitted, finished } = await sent();
      return emitted > before.emitted && finished >= emitted;
    };
    await expect.poll(passesOver, { timeout: LIMIT_MS, interval: 500 }).toBe(true);
    // Room for the bundle beside the reserve, none for its content beside both.
    businessDisk?.leave(FILE_BYTES + RESERVE_BYTES + 600_000);
    await expect.poll(room, { timeout: LIMIT_MS, interval: 200 }).toBeGreaterThan(FILE_BYTES);
    let tickets = 0;
    const recalled = async () => {
      tickets += 1;
      const ticket = join(zones.home, `repair-${tickets}.lft`);
      await cli(zones.home, ["ferry", "inventory", "--zone", "extranet"]);
      await cli(zones.home, ["ferry", "ticket", "--zone", "business", "--out", ticket]);
      return (await cli(zones.home, ["ferry", "repair", ticket, "--zone", "extranet"])).code;
    };
    await expect.poll(recalled, { timeout: LIMIT_MS, interval: 1_000 }).toBe(0);
    const opening = async () =>
      (await logged("business", "service.impaired", "spool.disk-full")).map(
        ({ emitter }) => emitter,
      );
    await expect.poll(opening, { timeout: LIMIT_MS, interval: 1_000 }).toContain("front-proxy");
    businessDisk?.free();
    await delivered(accepted.body.exchangeId);
    expect(digestOf(dropped(accepted.body.exchangeId))).toBe(digestOf(content));
    await logged("business", "service.restored", "");
  });
});

it("after all of it both logs verify", { timeout: 2 * LIMIT_MS }, async () => {
  for (const zone of ["extranet", "business"]) {
    expect((await cli(zones.home, ["audit", "verify", "--zone", zone])).code).toBe(0);
  }
});

function clientWith(token: string): ApiClient {
  const { api: port } = zonePorts("extranet", zones.options.portBase);
  const ca = readFileSync(join(zonePaths(zones.home, "extranet").tls, "ca.pem"));
  return new ApiClient(`https://127.0.0.1:${port}`, ca, token);
}

async function revoke(tokenId: string): Promise<void> {
  const path = join(zonePaths(zones.home, "extranet").config, "cli.json");
  const operator = JSON.parse(readFileSync(path, "utf8")) as {
    tls: TlsFiles;
    peers: { frontProxy: string };
  };
  const admin = createClient(AdminService, {
    address: operator.peers.frontProxy,
    tls: operator.tls,
    zone: "extranet",
    peer: "front-proxy",
  });
  await admin.revokeToken({ tokenId });
  admin.close();
}
