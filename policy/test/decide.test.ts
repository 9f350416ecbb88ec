import { lightferry } from "@lightferry/proto/gen";
import type { RegistryDocument } from "@lightferry/proto/registry";
import fc from "fast-check";
import { afterEach, describe, expect, test } from "vitest";
import { decide } from "../src/decide/decide.ts";
import { canonicalSegments, matchesTemplate } from "../src/decide/path.ts";
import { decideBatch } from "../src/server/decide-batch.ts";
import { readItem, type WireItem } from "../src/server/intake.ts";
import { inspectPieces, planOf, provider } from "./plan.ts";
import {
  DEMO_PACK,
  fileItem,
  NOW,
  requestItem,
  type TestDesk,
  testDesk,
  testPolicy,
} from "./world.ts";

const { Decision } = lightferry.policy.v1;
const DAY = 86_400_000;
let desk: TestDesk | undefined;
afterEach(() => desk?.close());

type Change = (document: RegistryDocument) => RegistryDocument;

async function codeOf(item: WireItem, change?: Change, pack?: Uint8Array): Promise<string> {
  desk = await testDesk(testPolicy("extranet", change, pack));
  const { outcomes } = await decideBatch(desk, { items: [item] });
  const [outcome] = outcomes ?? [];
  expect(outcome?.reason ?? "").toBe(
    outcome?.decision === Decision.DECISION_PERMIT ? "" : outcome?.reason,
  );
  if (outcome?.decision !== Decision.DECISION_PERMIT) expect(outcome?.ruleId).not.toBe("");
  return outcome?.code ?? "";
}

const http = (path: string, more = {}) => ({
  http: { method: "POST", path, headers: [], ...more },
});
const BODY = '{"parcel":"A-1"}';
const licence =
  (more: Partial<RegistryDocument["nodes"][number]["licence"]>): Change =>
  (document) => ({
    ...document,
    nodes: document.nodes.map((node) => ({ ...node, licence: { ...node.licence, ...more } })),
  });
const grants =
  (more: Partial<RegistryDocument["grants"][number]>): Change =>
  (document) => ({ ...document, grants: document.grants.map((grant) => ({ ...grant, ...more })) });

const packWith = (from: string, to: string) => Buffer.from(DEMO_PACK.toString().replace(from, to));
const APPROVAL = packWith(
  "  land-registration:\n    formats: [json]\n    approval: none",
  "  land-registration:\n    formats: [json]\n    approval: required",
);
const STRICT = packWith(
  "  land-registration:\n    formats: [json]\n    approval: none",
  "  land-registration:\n    formats: [json]\n    approval: none\n    content:\n      - { id: strict.hold, detect: mobile-number, action: hold }\n      - { id: strict.refuse, detect: secrecy-mark-text, action: refuse }",
);

describe("each refusal has its code", () => {
  test.each<[string, WireItem, (Change | undefined)?, Uint8Array?]>([
    ["", requestItem(BODY)],
    ["policy.licence-expired", requestItem(BODY), licence({ notAfterMs: NOW })],
    ["policy.licence-expired", requestItem(BODY), licence({ notBeforeMs: NOW + 1 })],
    ["policy.licence-lane", requestItem(BODY, { lane: "unlicensed" })],
    ["policy.lane-unknown", requestItem(BODY, { lane: "nowhere" })],
    ["policy.lane-wrong-zone", requestItem(BODY, { lane: "outbound" })],
    ["policy.kind-unknown", requestItem(BODY, { kind: "pigeon" })],
    ["policy.kind-not-built", requestItem(BODY, { kind: "layer" })],
    ["policy.kind-not-built", requestItem(BODY, { kind: "order" })],
    ["policy.kind-not-built", requestItem(BODY, { kind: "order" })],
    ["policy.kind-not-allowed", requestItem(BODY, { lane: "narrow" })],
    ["policy.service-unknown", requestItem(BODY, { service: "nothing" })],
    ["policy.service-wrong-zone", requestItem(BODY, { service: "public-query" })],
    ["policy.service-wrong-kind", requestItem(BODY, { service: "documents" })],
    ["policy.service-without-rules", fileItem("unruled", "a.csv", 0)],
    ["policy.caller-unknown", requestItem(BODY, { caller: "nobody" })],
    ["policy.caller-wrong-zone", requestItem(BODY, { caller: "inner" })],
    ["policy.grant-missing", requestItem(BODY, { caller: "stranger" })],
    ["policy.grant-not-yet", requestItem(BODY), grants({ notBeforeMs: NOW + 1 })],
    ["policy.grant-expired", requestItem(BODY), grants({ notAfterMs: NOW })],
    ["policy.purpose-mismatch", requestItem(BODY, { purpose: "别的" })],
    ["", requestItem(BODY, { purpose: "登记" })],
    ["policy.method-not-allowed", requestItem(BODY, http("/records", { method: "DELETE" }))],
    ["policy.path-not-allowed", requestItem(BODY, http("/secrets"))],
    ["policy.path-not-canonical", requestItem(BODY, http("/records/../secrets"))],
    ["policy.path-not-canonical", requestItem(BODY, http("/records?x=1"))],
    [
      "policy.request-invalid",
      requestItem(BODY, http("/records", { headers: [{ name: "X-A", value: "1" }] })),
    ],
    [
      "policy.request-invalid",
      requestItem(BODY, http("/records", { headers: [{ name: "x", value: "1\n2" }] })),
    ],
    [
      "policy.request-invalid",
      // Inspected as text, where escapes stand for themselves; delivered as what the second says.
      requestItem(
        BODY,
        http("/records", {
          headers: ["text/plain", "application/json"].map((value) => ({
            ...{ name: "content-type", value },
          })),
        }),
      ),
    ],
    ["policy.request-invalid", requestItem(BODY, { orderingKey: "x".repeat(600) })],
    ["policy.request-invalid", requestItem(BODY, { http: null })],
    ["policy.request-invalid", fileItem("documents", "../a.txt", 0)],
    ["policy.request-invalid", fileItem("documents", "a\u202etxt.exe", 0)],
    ["policy.body-too-large", fileItem("village-table", "a.csv", 1001)],
    ["policy.grade-missing", requestItem(BODY, { declaredGrade: "" })],
    ["policy.grade-unknown", requestItem(BODY, { declaredGrade: "G9" })],
    ["policy.grade-over-lane", fileItem("documents", "a.txt", 0, { lane: "narrow" })],
    ["policy.grade-over-grant", requestItem(BODY, { declaredGrade: "G4" })],
    ["policy.grade-over-licence", requestItem(BODY), licence({ gradeCeiling: "G1" })],
    ["policy.grade-core", requestItem(BODY, { declaredGrade: "CORE" })],
    ["policy.grade-important", requestItem(BODY, { declaredGrade: "IMPORTANT" })],
    ["policy.grade-secret", requestItem(BODY, { declaredGrade: "机密" })],
    ["policy.grade-secret", requestItem(BODY, { declaredGrade: " 绝 密 ★" })],
    ["policy.grade-secret", requestItem(BODY, { declaredGrade: "SECRET_2", lane: "nowhere" })],
    ["policy.secret-suspected", requestItem('{"密级":"机密"}')],
    ["policy.secret-suspected", fileItem("documents", "机密-规划.txt", 0)],
    ["policy.secret-mark-held", requestItem('{"备注":"关于机密文件的管理"}')],
    ["policy.secret-mark-refused", requestItem('{"备注":"关于机密文件的管理"}'), undefined, STRICT],
    [
      "policy.content-refused",
      { ...fileItem("village-table", "a.csv", 11), content: Buffer.from("13800138000") },
    ],
    ["policy.content-held", requestItem('{"t":"13800138000"}'), undefined, STRICT],
    ["policy.content-undecodable", requestItem("{")],
    ["policy.content-undecodable", requestItem(Buffer.from([0xff, 0xfe, 0]))],
    [
      "policy.content-format",
      { ...fileItem("documents", "a.csv", 3), content: Buffer.from("a,b") },
    ],
    ["policy.content-size", requestItem(BODY, { size: 3 })],
    ["policy.content-in-envelope", requestItem(BODY, http("/records/510104199003077217"))],
    [
      "policy.content-in-envelope",
      requestItem(BODY, http("/records", { headers: [{ name: "x", value: "13800138000" }] })),
    ],
    ["policy.approval-required", requestItem(BODY), undefined, APPROVAL],
  ])("%s", async (code, item, change, pack) => {
    expect(await codeOf(item, change, pack)).toBe(code);
  });

  test("a closed lane is refused where it starts", async () => {
    desk = await testDesk(testPolicy("business"));
    const item = requestItem(BODY, { lane: "outbound", service: "public-query", caller: "inner" });
    const { outcomes } = await decideBatch(desk, { items: [item] });
    expect(outcomes?.[0]?.code).toBe("policy.lane-closed");
  });

  test("a node without a licence of its own", async () => {
    const policy = testPolicy();
    desk = await testDesk({ ...policy, node: "node-other" });
    const { outcomes } = await decideBatch(desk, { items: [requestItem(BODY)] });
    expect(outcomes?.[0]?.code).toBe("policy.licence-missing");
  });

  test("what precedes comes first: licence, grant, label, content", async () => {
    const wrong = { caller: "stranger", declaredGrade: "" };
    expect(await codeOf(requestItem("{", wrong), licence({ notAfterMs: NOW }))).toBe(
      "policy.licence-expired",
    );
    expect(await codeOf(requestItem("{", wrong))).toBe("policy.grant-missing");
    expect(await codeOf(requestItem("{", { declaredGrade: "" }))).toBe("policy.grade-missing");
    expect(await codeOf(requestItem("{"), undefined, APPROVAL)).toBe("policy.content-undecodable");
  });

  test("the strictest finding wins", async () => {
    const text = '{"a":"13800138000","b":"关于机密文件","c":"机密★5年"}';
    expect(await codeOf(requestItem(text))).toBe("policy.secret-suspected");
  });

  test("of several grants the one that reaches the grade is used", async () => {
    const more: Change = (document) => ({
      ...document,
      grants: [
        ...document.grants,
        ...document.grants
          .slice(0, 1)
          .map((one) => ({ ...one, id: "z-high", gradeCeiling: "G4" as const })),
      ],
    });
    expect(await codeOf(requestItem(BODY, { declaredGrade: "G4" }), more)).toBe("");
  });
});

describe("paths", () => {
  test.each([
    "/records/.",
    "/records/..",
    "/records//x",
    "/records/",
    "//records",
    "records",
    "/a%2Fb",
    "/a%2fb",
    "/a%5Cb",
    "/%2e%2e/x",
    "/a%252e",
    "/a\\b",
    "/a;b%00",
    "/a?b",
    "/a#b",
    "/a b",
    "/%E6%9C",
    "/%41",
    "/a%",
    "/记录",
    "/a%0Ab",
    `/${"a".repeat(9000)}`,
  ])("not canonical: %j", (path) => {
    expect(canonicalSegments(path)).toBeUndefined();
  });

  test.each(["/records", "/records/A-1", "/a/b;v=1/c:d@e", "/%E8%AE%B0%E5%BD%95", "/"])(
    "canonical: %j",
    (path) => {
      expect(canonicalSegments(path)).toBeDefined();
    },
  );

  test("templates match whole segments", () => {
    expect(matchesTemplate(["records", "7"], "/records/{id}")).toBe(true);
    expect(matchesTemplate(["records"], "/records/{id}")).toBe(false);
    expect(matchesTemplate(["records", "7", "x"], "/records/{id}")).toBe(false);
    expect(matchesTemplate(["recordsx"], "/records")).toBe(false);
  });
});

test("decide is a pure function: the same input gives the same answer, and nothing is touched", () => {
  const policy = testPolicy();
  const grade = fc.constantFrom("", "G1", "G3", "G4", "CORE", "机密", "x");
  const lane = fc.constantFrom("inbound", "outbound", "narrow", "nowhere");
  const caller = fc.constantFrom("office", "stranger", "inner", "");
  fc.assert(
    fc.property(
      grade,
      lane,
      caller,
      fc.string(),
      fc.integer({ min: -2, max: 2 }),
      (declaredGrade, l, c, body, days) => {
        const wire = requestItem(JSON.stringify({ body }), { declaredGrade, lane: l, caller: c });
        const { request, declared } = readItem(policy, provider, wire);
        const { report } = inspectPieces([wire.content ?? new Uint8Array()], declared, planOf());
        const facts = {
          nowMs: NOW + days * DAY,
          report,
          arrival: undefined,
          quota: "within",
        } as const;
        const before = JSON.stringify(request);
        const first = decide(policy, request, facts);
        expect(decide(testPolicy(), request, facts)).toEqual({
          ...first,
          admission: first.admission && { ...first.admission },
        });
        expect(JSON.stringify(request)).toBe(before);
        if (first.decision === "permit") expect(first.ruleIds.length).toBeGreaterThan(0);
        else expect(first.code).not.toBe("");
      },
    ),
    { numRuns: 60 },
  );
});

test("without a look at the content there is no permit", () => {
  const policy = testPolicy();
  const { request } = readItem(policy, provider, requestItem(BODY));
  const facts = { nowMs: NOW, report: undefined, arrival: undefined, quota: "within" } as const;
  expect(decide(policy, request, facts).decision).toBe("deny");
});
