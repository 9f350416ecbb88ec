import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import type { GrantEntry } from "@lightferry/proto/registry";
import { type TroubleEvent, Troubles } from "@lightferry/proto/service";
import { type TestDatabase, testDatabase } from "@lightferry/proto/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { QuotaBook } from "../src/quota/quota-book.ts";
import { toldQuota } from "../src/quota/told-quota.ts";
import { decideBatch } from "../src/server/decide-batch.ts";
import { NOW, requestItem, testDesk, testPolicy } from "./world.ts";

const DAY = 86_400_000;
const [first] = testPolicy().registry.document.grants;
const grant = (id: string, perDay: number, bytesPerDay = 1e9): GrantEntry => ({
  ...(first as GrantEntry),
  id,
  perDay,
  bytesPerDay,
});

describe("quotas", () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await testDatabase();
  });
  afterAll(() => database.drop());

  test("are counted in order, by count and by bytes, and survive a restart", async () => {
    const a = grant("a", 3);
    const b = grant("b", 100, 1000);
    const book = new QuotaBook(database.url);
    expect(
      await book.charge(
        [
          { grant: a, bytes: 1 },
          { grant: a, bytes: 1 },
        ],
        NOW,
      ),
    ).toEqual(["within", "within"]);
    expect(
      await book.charge(
        [
          { grant: a, bytes: 1 },
          { grant: b, bytes: 800 },
          { grant: a, bytes: 1 },
          { grant: b, bytes: 300 },
          { grant: b, bytes: 200 },
        ],
        NOW,
      ),
    ).toEqual(["within", "within", "exchanges", "bytes", "within"]);
    await book.close();

    const again = new QuotaBook(database.url);
    expect(
      await again.charge(
        [
          { grant: a, bytes: 1 },
          { grant: b, bytes: 1 },
        ],
        NOW,
      ),
    ).toEqual(["exchanges", "bytes"]);
    expect(await again.charge([{ grant: b, bytes: 0 }], NOW)).toEqual(["within"]);
    expect(await again.charge([{ grant: a, bytes: 1 }], NOW + DAY)).toEqual(["within"]);
    await again.close();
  });

  test("the day is that of UTC+8", async () => {
    const book = new QuotaBook(database.url);
    const c = grant("c", 1);
    const midnight = Date.UTC(2026, 10, 22, 16);
    expect(await book.charge([{ grant: c, bytes: 0 }], midnight - 1)).toEqual(["within"]);
    expect(await book.charge([{ grant: c, bytes: 0 }], midnight - 1)).toEqual(["exchanges"]);
    expect(await book.charge([{ grant: c, bytes: 0 }], midnight)).toEqual(["within"]);
    await book.close();
  });

  test("calls at once never let more through than granted", async () => {
    const books = [new QuotaBook(database.url), new QuotaBook(database.url)];
    const d = grant("d", 50);
    const calls = Array.from({ length: 20 }, (_, i) =>
      (books[i % 2] as QuotaBook).charge(
        Array.from({ length: 5 }, () => ({ grant: d, bytes: 1 })),
        NOW,
      ),
    );
    const answers = (await Promise.all(calls)).flat();
    expect(answers.filter((answer) => answer === "within").length).toBeLessThanOrEqual(50);
    expect(answers.filter((answer) => answer === "within").length).toBeGreaterThan(0);
    await Promise.all(books.map((book) => book.close()));
  });

  test("over the quota is a denial with its code; only permits are counted", async () => {
    const book = new QuotaBook(database.url);
    const policy = testPolicy("extranet", (document) => ({
      ...document,
      grants: document.grants.map((one) => ({ ...one, id: `e-${one.id}`, perDay: 2 })),
    }));
    const desk = await testDesk(policy, { quota: book });
    const items = [
      requestItem("{"),
      requestItem("{}"),
      requestItem("{}", { declaredGrade: "" }),
      requestItem("{}"),
      requestItem("{}"),
    ];
    const { outcomes } = await decideBatch(desk, { items });
    expect(outcomes?.map(({ code }) => code)).toEqual([
      "policy.content-undecodable",
      "",
      "policy.grade-missing",
      "",
      "policy.quota-exchanges",
    ]);
    desk.close();
    await book.close();
  });
});

describe("a database that goes away and comes back", () => {
  test("denies meanwhile and permits again by itself", async () => {
    const database = await testDatabase();
    const upstream = new URL(database.url);
    const open = new Set<Socket>();
    const relay = createServer((socket) => {
      const far = connect(Number(upstream.port), upstream.hostname);
      for (const end of [socket, far]) {
        open.add(end);
        end.on("error", () => undefined).on("close", () => open.delete(end));
      }
      socket.pipe(far).pipe(socket);
    });
    const listen = (port: number) =>
      new Promise<number>((resolve) =>
        relay.listen(port, "127.0.0.1", () => resolve((relay.address() as AddressInfo).port)),
      );
    const port = await listen(0);
    const url = new URL(database.url);
    url.host = `127.0.0.1:${port}`;
    const book = new QuotaBook(url.href);
    const one = [{ grant: grant("relay", 2), bytes: 1 }];
    expect(await book.charge(one, NOW)).toEqual(["within"]);

    const closed = new Promise((resolve) => relay.close(resolve));
    for (const socket of open) socket.destroy();
    await closed;
    const told: TroubleEvent[] = [];
    const troubles = new Troubles(
      {
        record: async (events) => {
          told.push(...events);
        },
      },
      () => undefined,
    );
    const watched = toldQuota(book, troubles);
    for (const _ of [1, 2]) {
      await expect(watched.charge(one, NOW)).rejects.toMatchObject({
        code: "policy.database-unavailable",
      });
    }

    await listen(port);
    expect(await watched.charge(one, NOW)).toEqual(["within"]);
    expect(told).toMatchObject([
      { type: "service.impaired", code: "policy.database-unavailable" },
      { type: "service.restored", outcome: "ok" },
    ]);
    expect(await book.charge(one, NOW)).toEqual(["exchanges"]);
    await book.close();
    relay.close();
    await database.drop();
  });
});

test("without the database nothing is permitted, and nothing is decided about the exchange", async () => {
  const book = new QuotaBook("postgres://nobody@127.0.0.1:1/none");
  const desk = await testDesk(testPolicy(), { quota: book });
  const down = { code: "policy.database-unavailable" };
  await expect(decideBatch(desk, { items: [requestItem("{}")] })).rejects.toMatchObject(down);
  const { outcomes } = await decideBatch(desk, {
    items: [requestItem("{}", { declaredGrade: "" })],
  });
  expect(outcomes?.[0]?.code).toBe("policy.grade-missing");
  desk.close();
  await book.close();
});
