/** Receipts through policy: in their one encoding, from the zone's own node, on a lane that takes them; nothing else passes for them. */
import { randomBytes } from "node:crypto";
import { lightferry } from "@lightferry/proto/gen";
import { newId } from "@lightferry/proto/ids";
import {
  encodeReceiptFile,
  encodeReceiptList,
  encodeSignedReceipts,
  type ReceiptListFields,
  signReceiptList,
} from "@lightferry/proto/receipt";
import {
  type LaneEntry,
  parseRegistryDocument,
  type RegistryDocument,
} from "@lightferry/proto/registry";
import { familiarPki, type TestPki } from "@lightferry/proto/testing";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { decideBatch } from "../src/server/decide-batch.ts";
import { ownReceipts } from "../src/server/own-receipts.ts";
import { provider } from "./plan.ts";
import {
  arriving,
  NOW,
  requestItem,
  type TestDesk,
  testDesk,
  testPolicy,
  testRegistry,
} from "./world.ts";

/** A lane back, for receipts alone, carried by medium. */
function withReturn(document: RegistryDocument, state: LaneEntry["state"] = "media") {
  const [model] = document.grants;
  const inbound = document.lanes.find(({ id }) => id === "inbound");
  if (model === undefined || inbound === undefined) throw new RangeError("no model");
  const ends = { from: "business", to: "extranet" };
  return {
    ...document,
    nodes: document.nodes.map((node) => ({
      ...node,
      licence: { ...node.licence, lanes: [...node.licence.lanes, "return"] },
    })),
    lanes: [
      ...document.lanes,
      { ...inbound, ...ends, id: "return", driver: "media" as const, state, kinds: ["receipt"] },
    ],
    services: [
      ...document.services,
      {
        ...{ id: "receipts", zone: "extranet", kind: "receipt" as const },
        ...{ methods: [], paths: [], maxBytes: 1024 * 1024 },
      },
    ],
    callers: [
      ...document.callers,
      { id: "node-business", zone: "business", organisation: "测试", certificateSha256: [] },
    ],
    grants: [
      ...document.grants,
      ...["node-business", "inner"].map((caller) => ({
        ...model,
        ...{ id: `receipts-${caller}`, caller, service: "receipts", lane: "return" },
      })),
    ],
  };
}

let pki: TestPki;
beforeAll(async () => {
  pki = await familiarPki({ zones: { extranet: "node-extranet", business: "node-business" } });
});
afterAll(() => pki.cleanup());

type Signed = Parameters<typeof encodeSignedReceipts>[0];

/** As seal of the business network makes it. */
function receipts(change: Partial<ReceiptListFields> = {}, more: Partial<Signed> = {}): Uint8Array {
  const list = encodeReceiptList({
    ...{ lane: "inbound", sender: "node-extranet", receiver: "node-business", number: 1 },
    createdMs: NOW,
    receipts: [{ exchangeId: newId(), state: "delivered", code: "", timeMs: NOW }],
    bundles: [{ bundleId: newId(), code: "bundle.expired", timeMs: NOW }],
    ...change,
  });
  const keyId = pki.keyId("node-business", "sign");
  const signature = signReceiptList(provider, pki.key("node-business", "sign"), list);
  const certificates = [...pki.store.chain(keyId)];
  return encodeReceiptFile([
    encodeSignedReceipts({ ...{ list, keyId, signature, certificates }, ...more }),
  ]);
}

const item = (content: Uint8Array, more: object = {}) => {
  const made = requestItem(content, {
    ...{ kind: "receipt", lane: "return", service: "receipts", caller: "node-business" },
    declaredGrade: "G1",
    ...more,
  });
  const { http: _, ...submission } = made.submission ?? {};
  return { ...made, submission: { ...submission, ...more } };
};

const { Verdict } = lightferry.policy.v1;
let desk: TestDesk;
afterEach(() => desk.close());

async function decided(content: Uint8Array, more: object = {}, state?: LaneEntry["state"]) {
  const policy = testPolicy("business", (document) => withReturn(document, state));
  desk = await testDesk(policy, {
    ownReceipts: ownReceipts({ policy, provider, trust: () => pki.store, now: () => NOW }),
  });
  const { outcomes } = await decideBatch(desk, { items: [item(content, more)] });
  return outcomes?.[0];
}

describe("receipts", () => {
  test("are permitted on a lane by medium, and taken over there", async () => {
    const content = receipts();
    const outcome = await decided(content);
    expect(outcome).toMatchObject({ code: "", contentChanged: false, findings: [] });
    // The sending node opens its bundle once more before it leaves (proto/SPEC.md §17.6).
    const { recipients } = Verdict.decode(outcome?.verdict ?? new Uint8Array());
    expect(recipients).toEqual(["node-business", "node-extranet"]);
    desk.close();
    desk = await testDesk(testPolicy("extranet", (document) => withReturn(document)));
    const { outcomes } = await decideBatch(desk, {
      items: [arriving(outcome, content, { sender: "node-business", lane: "return" })],
    });
    expect(outcomes?.[0]).toMatchObject({ code: "", ruleId: "grant:receipts-node-business" });
  });

  test.each<[string, string, () => Uint8Array, object, LaneEntry["state"]?]>([
    ["a text", "policy.content-format", () => Buffer.from("delivered"), {}],
    [
      "receipts and a text",
      "policy.content-format",
      () => Buffer.concat([receipts(), Buffer.from("x")]),
      {},
    ],
    ["nothing", "policy.content-format", () => Buffer.alloc(0), {}],
    ["another caller", "policy.receipt-caller", receipts, { caller: "inner" }],
    ["a file name beside them", "policy.request-invalid", receipts, { file: { name: "a" } }],
    ["a closed lane", "policy.lane-closed", receipts, {}, "closed"],
    ["another service", "policy.service-wrong-kind", receipts, { service: "public-query" }],
    ["another kind", "policy.kind-not-allowed", receipts, { kind: "file", file: { name: "a" } }],
    // What would ride in them: kilobytes in place of certificates, a text in place of a code, a list of whoever.
    ["a signature of nobody", "policy.content-format", () => unsigned(), {}],
    ["bytes for certificates", "policy.content-format", () => stuffed(), {}],
    ["a code of nobody's", "policy.content-format", () => coded("a-text-instead"), {}],
    ["a bundle's code of nobody's", "policy.content-format", () => coded("", "a.text"), {}],
    ["of another lane", "policy.content-format", () => receipts({ lane: "return" }), {}],
    ["for another", "policy.content-format", () => receipts({ sender: "node-business" }), {}],
    ["from the future", "policy.content-format", () => receipts({ createdMs: NOW + 1e9 }), {}],
  ])("refused: %s", async (_, code, content, more, state) => {
    expect(await decided(content(), more, state)).toMatchObject({ code });
  });
});

const unsigned = () => receipts({}, { signature: randomBytes(64) });
const stuffed = () => receipts({}, { certificates: [randomBytes(2_048), randomBytes(2_048)] });
const coded = (code: string, ofBundle = "bundle.expired") =>
  receipts({
    receipts: [{ exchangeId: newId(), state: "failed", code, timeMs: NOW }],
    bundles: [{ bundleId: newId(), code: ofBundle, timeMs: NOW }],
  });

test("a lane of driver media is media or closed, never open", () => {
  const document = (driver: string, state: string) =>
    Buffer.from(
      JSON.stringify({
        ...testRegistry(),
        lanes: testRegistry().lanes.map((lane) => ({ ...lane, driver, state })),
      }),
    );
  expect(() => parseRegistryDocument(document("media", "open"))).toThrow("registry.invalid");
  for (const [driver, state] of [
    ["media", "media"],
    ["media", "closed"],
    ["udp", "media"],
    ["udp", "open"],
  ] as const) {
    expect(parseRegistryDocument(document(driver, state)).lanes[0]).toMatchObject({
      driver,
      state,
    });
  }
});

test("a lane takes receipts alone, or none", () => {
  const document = (kinds: readonly string[]) => {
    const grown = withReturn(testRegistry());
    const lanes = grown.lanes.map((lane) => (lane.id === "return" ? { ...lane, kinds } : lane));
    return Buffer.from(JSON.stringify({ ...grown, lanes }));
  };
  expect(parseRegistryDocument(document(["receipt"])).lanes.at(-1)?.kinds).toEqual(["receipt"]);
  for (const kinds of [
    ["receipt", "request"],
    ["file", "receipt"],
    ["receipt", "receipt"],
  ]) {
    expect(() => parseRegistryDocument(document(kinds)), kinds.join()).toThrow("registry.invalid");
  }
});
