/**
 * A lane that has no online form, with the real programs: handed over, carried by
 * medium, delivered, and the receipt carried back, by file and by the texts of QR codes;
 * then by a lane in the opposite direction, which takes receipts by itself.
 */
import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseId } from "@lightferry/proto/ids";
import type { RegistryDocument } from "@lightferry/proto/registry";
import { afterAll, beforeAll, expect, it } from "vitest";
import { cli } from "../drills/cli.ts";
import { submitRequest } from "../drills/integrator.ts";
import { type RunningZones, startZones } from "../drills/zones.ts";
import { ZONES, type ZoneName, zonePaths } from "../src/layout.ts";
import { DEMO_MEDIA_LANE } from "../src/setup/zone-options.ts";
import { told } from "./told.ts";
import { until } from "./until.ts";

const LIMIT_MS = 120_000;
const ID_BYTES = 16;

let zones: RunningZones;
beforeAll(async () => {
  zones = await startZones();
}, LIMIT_MS);
afterAll(() => zones.stop(), LIMIT_MS);

const run = <T>(...words: string[]) => told<T>(zones.home, ...words);

interface Shown {
  readonly state: string;
  readonly unconfirmed?: boolean;
  readonly receipt?: { readonly state: string; readonly number: number };
  readonly timeline: readonly { readonly state: string }[];
}

const show = (zone: ZoneName, id: string) => run<Shown>("exchange", "show", id, "--zone", zone);

const untilIn = (zone: ZoneName, id: string, state: string) =>
  until(`${id} ${state} in ${zone}`, async () => {
    const view = await zones.operators.view(zone, parseId(id));
    return view?.state === state;
  });

const configOf = (zone: ZoneName, name: string) =>
  join(zonePaths(zones.home, zone).config, `${name}.json`);

it("goes by medium and its receipt comes back by file", { timeout: 3 * LIMIT_MS }, async () => {
  const submitted = await zones.apis.extranet.postJson("/v1/requests", {
    ...{ lane: DEMO_MEDIA_LANE, service: "land-registration", grade: "G2" },
    ...{ method: "POST", path: "/records", body: { parcel: "510104001001GB00001" } },
  });
  expect(submitted.status).toBe(202);
  const id = String(submitted.body.exchangeId);
  await untilIn("extranet", id, "queued");

  const medium = join(zones.home, "usb");
  mkdirSync(medium);
  // While the ferry of the online lane runs.
  const carried = await run<{ medium: { bundles: number } }>(
    ...["media", "export", "--lane", DEMO_MEDIA_LANE, "--to", medium, "--custodian", "张三"],
    ...["--config", configOf("extranet", "media-tx")],
  );
  expect(carried.medium.bundles).toBe(1);
  expect(await show("extranet", id)).toMatchObject({ state: "emitted", unconfirmed: true });
  await run("media", "import", "--from", medium, "--config", configOf("business", "media-rx"));
  await untilIn("business", id, "delivered");

  const file = join(zones.home, "receipts.lfr");
  const lists = await until("signed receipts", async () => {
    type Exported = { lists: { lane: string; number: number }[]; receipts: number };
    const exported = await run<Exported>(
      ...["receipts", "export", "--zone", "business", "--lane", DEMO_MEDIA_LANE, "--to", file],
    );
    return exported.lists.length === 0 ? undefined : exported.lists;
  });
  expect(lists).toEqual([{ lane: DEMO_MEDIA_LANE, number: 1 }]);
  // One bit of the id, and nothing is taken.
  const forged = readFileSync(file);
  const at = forged.indexOf(Buffer.from(id.replaceAll("-", ""), "hex")) + ID_BYTES - 1;
  forged[at] = (forged[at] ?? 0) ^ 1;
  writeFileSync(`${file}.forged`, forged);
  const refused = await cli(zones.home, [
    "receipts",
    "import",
    `${file}.forged`,
    "--zone",
    "extranet",
  ]);
  expect(refused.err).toContain("receipt.signature-invalid");
  // Brought to the wrong network.
  const astray = await cli(zones.home, ["receipts", "import", file, "--zone", "business"]);
  expect(astray.err).toContain("receipt.foreign-lane");
  expect(await show("extranet", id)).toMatchObject({ state: "emitted", unconfirmed: true });

  type Imported = { files: { exchanges: number; repeated: number; states: object }[] };
  const imported = await run<Imported>("receipts", "import", file, "--zone", "extranet");
  expect(imported.files).toMatchObject([{ exchanges: 1, repeated: 0, states: { delivered: 1 } }]);
  const shown = await show("extranet", id);
  expect(shown).toMatchObject({ state: "emitted", receipt: { state: "delivered", number: 1 } });
  expect(shown.unconfirmed).toBeUndefined();
  expect(shown.timeline.at(-1)?.state).toBe("delivered");
  const asked = await zones.apis.extranet.send("GET", `/v1/exchanges/${id}`);
  expect(asked.body).toMatchObject({ receipt: { state: "delivered", number: 1 } });

  // The same list once more, from a screen.
  const codes = join(zones.home, "codes");
  await run(
    ...["receipts", "export", "--zone", "business", "--lane", DEMO_MEDIA_LANE],
    ...["--number", "1", "--again", "--qr", codes],
  );
  const texts = readdirSync(codes).find((name) => name.endsWith(".txt")) ?? "";
  const again = await run<Imported>("receipts", "import", join(codes, texts), "--zone", "extranet");
  expect(again.files).toMatchObject([{ exchanges: 0, repeated: 1 }]);

  type Status = { sent: { lane: string; unreceipted: number; states: object }[] };
  const { sent } = await run<Status>("receipts", "status", "--zone", "extranet");
  expect(sent).toContainEqual(
    expect.objectContaining({
      ...{ lane: DEMO_MEDIA_LANE, unreceipted: 0, missingLists: 0 },
      states: expect.objectContaining({ delivered: 1 }),
    }),
  );
  await until("trail", async () => {
    const { end } = await run<{ end: string }>("audit", "trail", id, "--zone", "extranet");
    return end === "receipted";
  });
  await Promise.all(ZONES.map((zone) => run("audit", "verify", "--zone", zone)));
});

/** A lane from the business network for receipts alone: what an authority would register and sign. */
async function openReturnLane(): Promise<void> {
  const authority = join(zones.home, "authority");
  const last = JSON.parse(
    readFileSync(join(authority, "registry.json"), "utf8"),
  ) as RegistryDocument;
  const model = last.lanes.find(({ id }) => id === DEMO_MEDIA_LANE);
  const [grant] = last.grants;
  if (model === undefined || grant === undefined) expect.unreachable("no model");
  const ends = { id: "return", from: "business", to: "extranet" };
  const grown: RegistryDocument = {
    ...last,
    number: last.number + 1,
    nodes: last.nodes.map((node) => ({
      ...node,
      licence: { ...node.licence, lanes: [...node.licence.lanes, "return"] },
    })),
    lanes: [...last.lanes, { ...model, ...ends, kinds: ["receipt"], gradeCeiling: "G1" }],
    callers: [
      ...last.callers,
      { id: "node-business", zone: "business", organisation: "演示", certificateSha256: [] },
    ],
    grants: [
      ...last.grants,
      {
        ...grant,
        ...{ id: "receipts", caller: "node-business", service: "receipts", lane: "return" },
      },
    ],
  };
  const path = join(zones.home, "registry-2.json");
  writeFileSync(path, JSON.stringify(grown));
  await run(
    ...["policy", "sign-registry", "--registry", path, "--out", `${path}.sig`],
    ...["--key", join(authority, "authority.key.json"), "--unlock", join(authority, "unlock.key")],
  );
  for (const zone of ZONES) {
    const { registry } = zonePaths(zones.home, zone);
    copyFileSync(path, join(registry, "registry.json"));
    copyFileSync(`${path}.sig`, join(registry, "registry.sig"));
    await zones.kill(zone, "policy");
  }
}

/** Settings for media of the lane back: those of the other zone's station, turned round. */
function returnStations(): { readonly out: string; readonly in: string } {
  const stations = { out: "business", in: "extranet" } as const;
  const paths = { out: join(zones.home, "return-tx.json"), in: join(zones.home, "return-rx.json") };
  for (const way of ["out", "in"] as const) {
    const zone = stations[way];
    const { config, state, keys, outbox, arrivals } = zonePaths(zones.home, zone);
    const base = JSON.parse(readFileSync(join(config, "seal.json"), "utf8")) as Record<
      string,
      unknown
    >;
    const service = way === "out" ? "media-tx" : "media-rx";
    const tls = join(zonePaths(zones.home, zone).tls, service);
    const own =
      way === "out"
        ? {
            outboxDir: outbox,
            ferryKeysDir: join(keys, "ferry"),
            unlockPath: join(keys, "ferry.unlock"),
          }
        : { lane: "return", arrivalsDir: arrivals, expectedSender: "node-business" };
    writeFileSync(
      paths[way],
      JSON.stringify({
        ...base,
        ...{ service, stateDir: join(state, service), ...own },
        tls: { ...(base.tls as object), cert: `${tls}.pem`, key: `${tls}.key.pem` },
      }),
      { mode: 0o600 },
    );
  }
  return paths;
}

it("takes receipts back by a lane, by itself, and none of theirs", {
  timeout: 3 * LIMIT_MS,
}, async () => {
  await openReturnLane();
  type Owed = { lane: string; returnsBy?: string; due: number; listsToExport: number };
  type Status = { owed: Owed[]; sent: { lane: string; unreceipted: number }[] };
  const status = (zone: ZoneName) => run<Status>("receipts", "status", "--zone", zone);
  await until("the lane back is known", async () => {
    const { owed } = await status("business");
    return owed.find(({ lane }) => lane === "inbound")?.returnsBy === "return";
  });
  const answer = await submitRequest(
    ...([zones.apis.extranet, "land-registration", "/records", "back-1"] as const),
    ...([{ parcel: "510104001001GB00002" }, Date.now() + LIMIT_MS] as const),
  );
  expect(answer.status).toBe(202);
  const id = String(answer.body.exchangeId);
  await untilIn("business", id, "delivered");

  const stations = returnStations();
  const medium = join(zones.home, "usb-back");
  mkdirSync(medium);
  await until("a bundle of receipts", async () => {
    const { medium: made } = await run<{ medium?: object }>(
      ...["media", "export", "--lane", "return", "--to", medium, "--config", stations.out],
    );
    return made;
  });
  await run("media", "import", "--from", medium, "--config", stations.in);
  await until("the receipt", async () =>
    (await show("extranet", id)).receipt?.state === "delivered" ? true : undefined,
  );
  // What brought it got no receipt, and asks for none.
  const there = await status("extranet");
  expect(there.owed).toContainEqual(
    expect.objectContaining({ lane: "return", due: 0, listsToExport: 0 }),
  );
  const here = await status("business");
  expect(here.sent).toContainEqual(expect.objectContaining({ lane: "return", unreceipted: 0 }));
  await Promise.all(ZONES.map((zone) => run("audit", "verify", "--zone", zone)));
});
