/** Alarms before a list is too old or a certificate ends: exact, once, and remembered. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { EventInput } from "@lightferry/proto/event";
import { type LaneEntry, loadRegistry, type Registry } from "@lightferry/proto/registry";
import { domainSeparated } from "@lightferry/proto/sm";
import { type TestPki, testPki } from "@lightferry/proto/testing";
import { afterEach, beforeEach, expect, test } from "vitest";
import { TrustWatch } from "../src/trust/watch.ts";
import { provider } from "./plan.ts";
import { authority, testRegistry } from "./world.ts";

const NODE = "node-extranet";
const DAY = 86_400_000;
const HOUR = 3_600_000;
const START = Date.UTC(2026, 5, 1);
const LISTS = 100 * HOUR;

let pki: TestPki;
let stateDir: string;
let events: EventInput[];
let nowMs: number;
let failures: unknown[];

beforeEach(async () => {
  pki = await testPki({ zones: { extranet: NODE, business: "node-business" } });
  stateDir = mkdtempSync(join(tmpdir(), "lightferry-watch-"));
  events = [];
  failures = [];
  nowMs = START;
  for (const zone of ["extranet", "business"]) pki.publish(zone, { thisUpdateMs: START });
});
afterEach(async () => {
  rmSync(stateDir, { recursive: true, force: true });
  await pki.cleanup();
});

function registryOf(lanes: readonly Partial<LaneEntry>[]): Registry {
  const document = testRegistry();
  const [lane] = document.lanes;
  const [node] = document.nodes;
  const changed = {
    ...document,
    grants: [],
    nodes: [...document.nodes, { ...node, id: "node-third", zone: "third" }],
    lanes: lanes.map((more) => ({ ...lane, revocationFreshnessSeconds: LISTS / 1000, ...more })),
  };
  const bytes = Buffer.from(JSON.stringify(changed));
  const signature = provider.sm2Sign(authority, domainSeparated("registry/1", bytes));
  return loadRegistry(provider, bytes, signature, authority.publicKey, { mode: "demo" });
}

function watch(
  lanes: readonly Partial<LaneEntry>[] = [{}],
  record: (inputs: EventInput[]) => Promise<unknown> = async (inputs) => events.push(...inputs),
): TrustWatch {
  return new TrustWatch({
    ...{ zone: "extranet", registry: registryOf(lanes), store: () => pki.store, stateDir },
    journal: { record },
    now: () => nowMs,
    failed: (error) => failures.push(error),
  });
}

async function told(watching: TrustWatch): Promise<string[]> {
  await watching.look();
  return events
    .splice(0)
    .map(({ type, code, lane, attributes = {} }) =>
      [
        type.replace("trust.", ""),
        code ?? "",
        lane ?? "",
        attributes.issuer ?? "",
        attributes.number ?? "",
        attributes.percent ?? "",
      ].join(" "),
    )
    .sort();
}

test("a list is said at 50 and 80 percent and past the limit, once each", async () => {
  const watching = watch();
  const both = (line: (issuer: string) => string) => [line("business"), line("extranet")];
  nowMs = START + LISTS / 2 - 1;
  expect(await told(watching)).toEqual([]);
  nowMs += 1;
  expect(await told(watching)).toEqual(both((issuer) => `list-ageing  inbound ${issuer} 2 50`));
  nowMs = START + 0.8 * LISTS - 1;
  expect(await told(watching)).toEqual([]);
  nowMs += 1;
  expect(await told(watching)).toEqual(both((issuer) => `list-ageing  inbound ${issuer} 2 80`));
  expect(await told(watch())).toEqual([]);
  nowMs = START + LISTS;
  expect(await told(watching)).toEqual([]);
  nowMs += 1;
  expect(await told(watching)).toEqual(
    both((issuer) => `list-outdated trust.list-outdated inbound ${issuer} 2 `),
  );
  // What was said is remembered by a further life too; a new list begins anew.
  expect(await told(watch())).toEqual([]);
  pki.publish("business", { thisUpdateMs: nowMs });
  expect(await told(watching)).toEqual([]);
  nowMs += LISTS / 2;
  expect(await told(watching)).toEqual(["list-ageing  inbound business 3 50"]);
  expect(failures).toEqual([]);
});

test("after a long absence only the highest step is said", async () => {
  nowMs = START + 0.9 * LISTS;
  expect(await told(watch())).toEqual([
    "list-ageing  inbound business 2 80",
    "list-ageing  inbound extranet 2 80",
  ]);
});

test("each lane has its own limit; lanes of other zones are not ours", async () => {
  nowMs = START + 30 * HOUR;
  const lanes = [
    { id: "fast", revocationFreshnessSeconds: (40 * HOUR) / 1000 },
    { id: "slow", revocationFreshnessSeconds: 30 * 86_400 },
    { id: "elsewhere", from: "third", to: "business", revocationFreshnessSeconds: 3_600 },
  ];
  expect(await told(watch(lanes))).toEqual([
    "list-ageing  fast business 2 50",
    "list-ageing  fast extranet 2 50",
  ]);
});

test("no list at all is an outdated one", async () => {
  const lanes = [{ from: "third", to: "extranet" }];
  expect(await told(watch(lanes))).toEqual(["list-outdated trust.list-outdated inbound third  "]);
});

test("a certificate is said at 80 and 95 percent unless a newer one is there", async () => {
  const notBeforeMs = START;
  pki.rotate(NODE, "sign", { notBeforeMs, notAfterMs: START + 100 * DAY });
  const lanes = [{ revocationFreshnessSeconds: 366 * 86_400 }];
  const watching = watch(lanes);
  nowMs = START + 80 * DAY - 1;
  expect(await told(watching)).toEqual([]);
  nowMs += 1;
  await watching.look();
  const certificate = pki.store.certificate(pki.keyId(NODE, "sign", nowMs));
  expect(events.splice(0)).toEqual([
    {
      type: "trust.certificate-ageing",
      outcome: "ok",
      attributes: {
        subject: certificate?.subject,
        number: certificate?.serial,
        key: certificate?.keyId,
        percent: "80",
        "ends-ms": String(START + 100 * DAY),
      },
    },
  ]);
  nowMs = START + 95 * DAY;
  expect(await told(watching)).toEqual([`certificate-ageing    ${certificate?.serial} 95`]);
  expect(await told(watch(lanes))).toEqual([]);
  pki.rotate(NODE, "sign", { notBeforeMs: START + 96 * DAY });
  expect(await told(watching)).toEqual([]);
});

test("an alarm that could not be written is said at the next look; a damaged memory repeats", async () => {
  nowMs = START + 0.5 * LISTS;
  const refusing = watch([{}], () => Promise.reject(new RangeError("full")));
  await refusing.look();
  expect(failures).toHaveLength(1);
  expect(await told(watch())).toHaveLength(2);
  writeFileSync(join(stateDir, "trust-said.json"), "{damaged");
  expect(await told(watch())).toHaveLength(2);
});
