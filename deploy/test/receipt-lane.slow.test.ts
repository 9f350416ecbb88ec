/**
 * A lane back for receipts alone, by a gate of its own, with the real programs: what crossed is known to be delivered
 * without any hand; nothing but receipts is taken on it where it begins, and nothing else is believed where it ends. Without it
 * a bundle that was refused unopened is told by file.
 */
import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseId } from "@lightferry/proto/ids";
import type { RegistryDocument } from "@lightferry/proto/registry";
import { afterAll, beforeAll, expect, it } from "vitest";
import { submitRequest } from "../drills/integrator.ts";
import { type RunningZones, startZones } from "../drills/zones.ts";
import { type ZoneName, zonePaths } from "../src/layout.ts";
import { DEMO_RECEIPT_LANE } from "../src/setup/zone-options.ts";
import { told } from "./told.ts";
import { until } from "./until.ts";

const LIMIT_MS = 120_000;
const LANE = "return";

let zones: RunningZones;
beforeAll(async () => {
  zones = await startZones({ receiptLane: DEMO_RECEIPT_LANE });
}, LIMIT_MS);
afterAll(() => zones.stop(), LIMIT_MS);

const run = <T>(...words: string[]) => told<T>(zones.home, ...words);

interface Shown {
  readonly state: string;
  readonly unconfirmed?: boolean;
  readonly receipt?: { readonly state: string; readonly code?: string };
}
interface Trail {
  readonly end: string;
}
interface Logged {
  readonly exchange: string;
}

const submit = (key: string, body: object) =>
  submitRequest(
    ...([zones.apis.extranet, "land-registration", "/records", key] as const),
    ...([body, Date.now() + LIMIT_MS] as const),
  );

/** What the sending zone shows once the far side's word has come. */
const receipted = (id: string) =>
  until(`receipt of ${id}`, async () => {
    const { body } = await zones.apis.extranet.send("GET", `/v1/exchanges/${id}`);
    return (body as unknown as Shown).receipt === undefined
      ? undefined
      : (body as unknown as Shown);
  });

it("brings receipts back by itself, and none of theirs", { timeout: 2 * LIMIT_MS }, async () => {
  const answers = await Promise.all(
    [1, 2, 3].map((i) => submit(`back-${i}`, { parcel: `51010400100${i}GB00001` })),
  );
  expect(answers.map(({ status }) => status)).toEqual([202, 202, 202]);
  const ids = answers.map(({ body }) => String(body.exchangeId));
  for (const id of ids) {
    expect(await receipted(id)).toMatchObject({
      ...{ state: "emitted", receipt: { state: "delivered" } },
    });
  }
  const [id = ""] = ids;
  const shown = await run<Shown>("exchange", "show", id, "--zone", "extranet");
  expect(shown).toMatchObject({ state: "emitted", receipt: { state: "delivered" } });
  expect(shown.unconfirmed).toBeUndefined();
  await until("trail", async () => {
    const { end } = await run<Trail>("audit", "trail", id, "--zone", "extranet");
    return end === "receipted";
  });

  // The lists that brought them are exchanges like others, and nobody speaks of those.
  type Status = {
    owed: { lane: string; due: number; returnsBy?: string; listsToExport: number }[];
    sent: { lane: string; unreceipted: number }[];
  };
  const [here, there] = await Promise.all(
    (["business", "extranet"] as const).map((zone) =>
      run<Status>("receipts", "status", "--zone", zone),
    ),
  );
  expect(here?.owed.find(({ lane }) => lane === "inbound")).toMatchObject({
    ...{ returnsBy: LANE, listsToExport: 0 },
  });
  expect(here?.sent.find(({ lane }) => lane === LANE)).toMatchObject({ unreceipted: 0 });
  expect(there?.owed.find(({ lane }) => lane === LANE)).toMatchObject({ due: 0 });
  expect(there?.sent.find(({ lane }) => lane === "inbound")).toMatchObject({ unreceipted: 0 });
});

const answerOnLane = (key: string) =>
  zones.apis.business.postJson(
    "/v1/requests",
    {
      ...{ lane: LANE, service: "public-query", grade: "G1" },
      ...{ method: "POST", path: "/answers", body: { answer: key } },
    },
    { "idempotency-key": key },
  );

const logged = (zone: ZoneName, type: string, code: string) =>
  until(`${type} ${code} in ${zone}`, async () => {
    const words = ["--lane", LANE, "--type", type, "--code", code];
    const { events } = await run<{ events: Logged[] }>("audit", "list", "--zone", zone, ...words);
    return events[0];
  });

/**
 * What an authority would sign that had lost its mind: the lane takes requests, and what comes in may not live as
 * long as its sender lets it, says one zone's registry alone.
 */
async function misleadBusiness(): Promise<void> {
  const authority = join(zones.home, "authority");
  const last = JSON.parse(
    readFileSync(join(authority, "registry.json"), "utf8"),
  ) as RegistryDocument;
  const model = last.grants.find(({ service }) => service === "public-query");
  if (model === undefined) expect.unreachable("no model");
  const other: RegistryDocument = {
    ...last,
    number: last.number + 1,
    lanes: last.lanes.map((lane) => ({
      ...lane,
      ...(lane.id === LANE ? { kinds: ["request"] } : { expirySeconds: 3_600 }),
    })),
    grants: [...last.grants, { ...model, id: "answers-back", lane: LANE, gradeCeiling: "G1" }],
  };
  const path = join(zones.home, "registry-2.json");
  writeFileSync(path, JSON.stringify(other));
  await run(
    ...["policy", "sign-registry", "--registry", path, "--out", `${path}.sig`],
    ...["--key", join(authority, "authority.key.json"), "--unlock", join(authority, "unlock.key")],
  );
  const { registry } = zonePaths(zones.home, "business");
  copyFileSync(path, join(registry, "registry.json"));
  copyFileSync(`${path}.sig`, join(registry, "registry.sig"));
  await zones.kill("business", "policy");
}

/** No exchange of it is known over there: the bundle itself is named, now that no lane leads back in a file. */
async function toldByFile(id: string): Promise<void> {
  const file = join(zones.home, "refused.lfr");
  await until("a list of it", async () => {
    const words = ["--zone", "business", "--lane", "inbound", "--to", file];
    const { lists } = await run<{ lists: object[] }>("receipts", "export", ...words);
    return lists.length > 0;
  });
  await run("receipts", "import", file, "--zone", "extranet");
  expect(await receipted(id)).toMatchObject({
    state: "emitted",
    receipt: { state: "quarantined", refusal: { code: "bundle.lifetime-too-long" } },
  });
}

it("takes nothing else: not where it begins, and what was sent all the same not where it ends", {
  timeout: 2 * LIMIT_MS,
}, async () => {
  const refused = await answerOnLane("nothing-but-receipts");
  expect(refused).toMatchObject({ status: 422, body: { code: "submit.kind-mismatch" } });
  await logged("business", "exchange.refused", "submit.kind-mismatch");

  await misleadBusiness();
  let tries = 0;
  const id = await until("a request on the lane", async () => {
    tries += 1;
    // What was refused under a key stays refused.
    const { status, body } = await answerOnLane(`sent-all-the-same-${tries}`);
    return status === 202 ? String(body.exchangeId) : undefined;
  });
  const { body: unopened } = await submit("lives-too-long", { parcel: "510104001009GB00001" });
  const there = await until(`${id} refused over there`, async () => {
    const view = await zones.operators.view("extranet", parseId(id));
    return view?.state === "quarantined" ? view : undefined;
  });
  expect(there).toMatchObject({ refusal: { code: "policy.kind-not-allowed" } });
  expect(
    await logged("extranet", "exchange.import-refused", "policy.kind-not-allowed"),
  ).toMatchObject({ exchange: id });
  await toldByFile(String(unopened.exchangeId));
});
