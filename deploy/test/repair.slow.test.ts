/**
 * Nothing is lost for good, with the real programs: both passes of a bundle go into the void, the
 * inventory names it on the far side, a repair ticket is printed as QR codes there, scanned on this
 * side, and brings it; once.
 */
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseId } from "@lightferry/proto/ids";
import { afterAll, beforeAll, expect, it } from "vitest";
import { cli } from "../drills/cli.ts";
import { type RunningZones, startZones } from "../drills/zones.ts";
import { type ZoneName, zonePaths } from "../src/layout.ts";
import { told } from "./told.ts";
import { until } from "./until.ts";

const LIMIT_MS = 120_000;

let zones: RunningZones;
let nowhere: Socket;
beforeAll(async () => {
  zones = await startZones({ gateSecondPassSeconds: 1 });
  nowhere = createSocket("udp4");
  nowhere.bind(0, "127.0.0.1");
  await once(nowhere, "listening");
}, LIMIT_MS);
afterAll(async () => {
  nowhere.close();
  await zones.stop();
}, LIMIT_MS);

const run = (...words: string[]) => cli(zones.home, [...words, "--json"]);

const said = <T>(...words: string[]) => told<T>(zones.home, ...words);

async function submit(parcel: string): Promise<string> {
  const { status, body } = await zones.apis.extranet.postJson("/v1/requests", {
    ...{ lane: "inbound", service: "land-registration", grade: "G2" },
    ...{ method: "POST", path: "/records", body: { parcel } },
  });
  expect(status).toBe(202);
  return String(body.exchangeId);
}

const untilIn = (zone: ZoneName, id: string, state: string) =>
  until(`${id} ${state} in ${zone}`, async () => {
    const view = await zones.operators.view(zone, parseId(id));
    return view?.state === state;
  });

/** Turns the sender's end of the fibre to another port, and starts it anew. */
async function pointAt(port: number): Promise<number> {
  const path = join(zonePaths(zones.home, "extranet").config, "ferry-tx.json");
  const config = JSON.parse(readFileSync(path, "utf8")) as { gate: { port: number } };
  const before = config.gate.port;
  writeFileSync(path, JSON.stringify({ ...config, gate: { ...config.gate, port } }));
  await zones.kill("extranet", "ferry-tx");
  return before;
}

interface Shown {
  readonly status: { readonly pid: number; readonly bundles: { readonly finished: number } };
}
/** Bundles that the sender which runs now has sent in all passes; what one before it said is passed over. */
const finished = async () => {
  const [shown] = await said<Shown[]>("ferry", "status", "--zone", "extranet");
  const own = shown?.status.pid === zones.pid("extranet", "ferry-tx");
  return own ? shown.status.bundles.finished : 0;
};
const gaps = () => said<{ count: number; state: string }[]>("ferry", "gaps", "--zone", "business");

it("what both passes lost comes by a ticket of printed codes, once", {
  timeout: 4 * LIMIT_MS,
}, async () => {
  const first = await submit("510104001001GB00001");
  await untilIn("business", first, "delivered");
  // A pass that is still owed would be counted by the next sender.
  await until("both passes of the first over", async () => (await finished()) > 0);
  const fibre = await pointAt(nowhere.address().port);
  const lost = await submit("510104001001GB00002");
  await untilIn("extranet", lost, "emitted");
  await until("both passes over", async () => (await finished()) > 0);
  await pointAt(fibre);
  await said("ferry", "inventory", "--zone", "extranet");
  await until("a gap", async () => (await gaps()).some(({ count }) => count === 1));

  const codes = join(zones.home, "codes");
  const written = await said<{ bundles: number; files: string[] }>(
    ...["ferry", "ticket", "--zone", "business", "--qr", codes, "--operator", "张三"],
  );
  expect(written).toMatchObject({ bundles: 1, objects: 0, left: 0 });
  expect(readdirSync(codes).filter((name) => name.endsWith(".svg")).length).toBeGreaterThan(1);
  const [texts] = readdirSync(codes).filter((name) => name.endsWith(".txt"));
  const scanned = join(codes, texts ?? "");
  const answer = await said("ferry", "repair", scanned, "--zone", "extranet");
  expect(answer).toMatchObject({ recalled: 1, underWay: 0, gone: 0 });
  await untilIn("business", lost, "delivered");
  await until("no gap", async () => (await gaps()).length === 0);

  const again = await run("ferry", "repair", scanned, "--zone", "extranet");
  expect(again.code).toBe(3);
  expect(JSON.parse(again.out)).toMatchObject({ code: "ferry.ticket-seen" });
});
