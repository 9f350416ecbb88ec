/**
 * Guarantee: what the demonstration submits and how each piece must end. The
 * expectations are states and error codes, so a wrong end is a failed start.
 */
import { createReadStream, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import type { ZoneName } from "../layout.ts";
import { REPOSITORY } from "../repository.ts";
import type { ApiAnswer, ApiClient } from "./api-client.ts";

const SAMPLES = join(REPOSITORY, "deploy/samples");

export interface Expectation {
  /** State on the sending side at the end. */
  readonly sent: "emitted" | "refused";
  /** State on the receiving side at the end; absent when nothing may cross. */
  readonly received?: "delivered";
  /** Error code of the refusal. */
  readonly code?: string;
}

export interface Scenario {
  readonly name: string;
  readonly zh: string;
  readonly en: string;
  readonly from: ZoneName;
  readonly expect: Expectation;
  /** File of `samples/` that must be found whole in the drop folder of `service`. */
  readonly identicalFile?: { readonly service: string; readonly sample: string };
  /** File of `samples/` that must be found without a single valid ID number. */
  readonly maskedFile?: { readonly service: string; readonly sample: string };
  /** One answer for each exchange that was handed over. */
  submit(api: ApiClient): Promise<readonly ApiAnswer[]>;
}

/** Handing the same piece over twice under one key gives the exchange of the first time. */
const key = (name: string) => ({ "idempotency-key": `demo-${name}` });

function fileScenario(
  name: string,
  service: string,
  sample: string,
  contentType: string,
): Scenario["submit"] {
  return async (api) => {
    const path = join(SAMPLES, sample);
    const query = new URLSearchParams({ lane: "inbound", service, grade: "G2", filename: sample });
    const answer = await api.send(
      "POST",
      `/v1/files?${query}`,
      {
        "content-type": contentType,
        "content-length": String(statSync(path).size),
        ...key(name),
      },
      createReadStream(path),
    );
    return [answer];
  };
}

function requestScenario(
  name: string,
  lane: string,
  service: string,
  path: string,
): Scenario["submit"] {
  return async (api) => [
    await api.postJson(
      "/v1/requests",
      { lane, service, grade: "G1", method: "POST", path, body: { demo: name } },
      key(name),
    ),
  ];
}

async function submitRegistrations(api: ApiClient): Promise<readonly ApiAnswer[]> {
  const records = JSON.parse(
    readFileSync(join(SAMPLES, "registrations.json"), "utf8"),
  ) as readonly unknown[];
  return Promise.all(
    records.map((body, i) =>
      api.postJson(
        "/v1/requests",
        {
          lane: "inbound",
          service: "land-registration",
          grade: "G2",
          method: "POST",
          path: "/records",
          body,
        },
        key(`registration-${i}`),
      ),
    ),
  );
}

export const SCENARIOS: readonly Scenario[] = [
  {
    name: "registrations",
    zh: "不动产登记记录 60 条（HTTP 请求）",
    en: "60 land-registration records (HTTP requests)",
    from: "extranet",
    expect: { sent: "emitted", received: "delivered" },
    submit: submitRegistrations,
  },
  {
    name: "warning",
    zh: "地质灾害预警（紧急，先于一切摆渡）",
    en: "hazard warning (urgent, overtakes all else)",
    from: "extranet",
    expect: { sent: "emitted", received: "delivered" },
    submit: requestScenario("warning", "inbound", "hazard-warning", "/notices"),
  },
  {
    name: "villages",
    zh: "村级区划表 34,412 行（文件）",
    en: "village table, 34,412 rows (file)",
    from: "extranet",
    expect: { sent: "emitted", received: "delivered" },
    identicalFile: { service: "village-table", sample: "sichuan-villages.csv" },
    submit: fileScenario("villages", "village-table", "sichuan-villages.csv", "text/csv"),
  },
  {
    name: "survey",
    zh: "含身份证号的调查表（脱敏后过网）",
    en: "survey with ID numbers (crosses masked)",
    from: "extranet",
    expect: { sent: "emitted", received: "delivered" },
    maskedFile: { service: "household-survey", sample: "household-survey.csv" },
    submit: fileScenario("survey", "household-survey", "household-survey.csv", "text/csv"),
  },
  {
    name: "secret",
    zh: "标有“机密”的文档（拒绝并封存）",
    en: "document marked 机密 (refused, sealed away)",
    from: "extranet",
    expect: { sent: "refused", code: "policy.secret-suspected" },
    submit: fileScenario("secret", "documents", "marked-secret.txt", "text/plain"),
  },
  {
    name: "unregistered",
    zh: "未注册的服务（拒绝）",
    en: "unregistered service (refused)",
    from: "extranet",
    expect: { sent: "refused", code: "submit.service-unknown" },
    submit: requestScenario("unregistered", "inbound", "no-such-service", "/records"),
  },
  {
    name: "outbound",
    zh: "业务网 → 外网（该方向关闭，拒绝）",
    en: "business → extranet (closed, refused)",
    from: "business",
    expect: { sent: "refused", code: "policy.lane-closed" },
    submit: requestScenario("outbound", "outbound", "public-query", "/answers"),
  },
];
