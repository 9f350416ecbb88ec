/**
 * Guarantee: the shapes of the API, from which both the checks and the OpenAPI
 * document are made; what is not named here is refused.
 */
import { PRIORITIES } from "@lightferry/proto/registry";

/** Registered names: short, plain, the same in every zone. */
const NAME = { type: "string", pattern: "^[0-9A-Za-z][0-9A-Za-z._-]{0,62}$" } as const;
/** No control characters: these texts reach logs and database columns. */
const TEXT = "^[^\\u0000-\\u001f\\u007f]*$";
const GRADE = { type: "string", maxLength: 32, pattern: TEXT } as const;
const PURPOSE = { type: "string", maxLength: 256, pattern: TEXT } as const;
const ORDERING_KEY = { type: "string", maxLength: 128, pattern: TEXT } as const;
const EXCHANGE_ID = {
  type: "string",
  pattern: "^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$",
} as const;

const words = {
  type: "object",
  properties: { zh: { type: "string" }, en: { type: "string" } },
} as const;

export const PROBLEM = {
  $id: "Problem",
  type: "object",
  required: ["type", "title", "titleZh", "status", "code", "reason", "actor", "do"],
  properties: {
    type: { type: "string", description: "urn:lightferry:error:<code>" },
    title: { type: "string" },
    titleZh: { type: "string" },
    status: { type: "integer" },
    code: { type: "string", description: "见 GET /v1/errors one of GET /v1/errors" },
    detail: { type: "string" },
    exchangeId: { type: "string" },
    rule: { type: "string" },
    reason: words,
    actor: { type: "string" },
    do: words,
    statusUrl: { type: "string" },
  },
} as const;

export const RECEIPT = {
  $id: "Receipt",
  type: "object",
  required: ["exchangeId", "state", "statusUrl"],
  properties: {
    exchangeId: { type: "string" },
    state: { type: "string" },
    statusUrl: { type: "string" },
  },
} as const;

export const UPLOAD_PROGRESS = {
  $id: "UploadProgress",
  type: "object",
  required: ["exchangeId", "offset"],
  properties: { exchangeId: { type: "string" }, offset: { type: "integer" } },
} as const;

const REFUSAL = {
  type: "object",
  additionalProperties: true,
  properties: {
    code: { type: "string" },
    rule: { type: "string" },
    reason: words,
    actor: { type: "string" },
    do: words,
  },
} as const;

const TIMELINE_STEP = {
  type: "object",
  additionalProperties: true,
  required: ["atMs", "state"],
  properties: {
    atMs: { type: "integer" },
    state: { type: "string" },
    code: { type: "string" },
    detail: { type: "string" },
  },
} as const;

export const EXCHANGE = {
  $id: "Exchange",
  type: "object",
  additionalProperties: true,
  required: ["exchangeId", "direction", "kind", "state", "lane", "service", "timeline"],
  properties: {
    exchangeId: { type: "string" },
    direction: { type: "string", enum: ["sent", "received"] },
    kind: { type: "string" },
    priority: {
      type: "string",
      enum: PRIORITIES,
      description:
        "发送侧：由注册表按服务规定，不由接入方指定；文件一律为 bulk · sending side: the registry's word on the service, not the caller's; files are bulk",
    },
    state: {
      type: "string",
      description:
        "发送侧：received → refused | held | permitted → sealed → queued → emitted，另有 cancelled、expired、failed；接收侧：arrived → verified → quarantined | permitted → dispatched → delivered | in-doubt | failed | returned",
    },
    unconfirmed: { type: "boolean", description: "对端未知：尚无回执 no receipt has come back" },
    stateNote: words,
    lane: { type: "string" },
    service: { type: "string" },
    caller: { type: "string" },
    grade: { type: "string" },
    size: { type: "integer" },
    submittedMs: { type: "integer" },
    updatedMs: { type: "integer" },
    bundleId: { type: "string" },
    attempts: { type: "integer" },
    refusal: REFUSAL,
    receipt: {
      type: "object",
      description: "对端签名回执所述结果 what the far side's signed receipt says became of it",
      required: ["state", "atMs", "number"],
      properties: {
        state: {
          type: "string",
          enum: ["delivered", "failed", "in-doubt", "quarantined", "returned"],
        },
        refusal: REFUSAL,
        atMs: { type: "integer", description: "对端时钟 by the far side's clock" },
        number: { type: "integer", description: "回执清单编号 number of the list" },
      },
    },
    timeline: { type: "array", items: TIMELINE_STEP },
  },
} as const;

const TEXT_FIELD = { type: "string" } as const;

export const ERROR_TABLE = {
  type: "object",
  required: ["errors"],
  properties: {
    errors: {
      type: "array",
      items: {
        type: "object",
        required: ["code", "http", "actor", "zh", "en", "doZh", "doEn"],
        properties: {
          ...{ code: TEXT_FIELD, http: { type: "integer" }, grpc: TEXT_FIELD, actor: TEXT_FIELD },
          ...{ zh: TEXT_FIELD, en: TEXT_FIELD, doZh: TEXT_FIELD, doEn: TEXT_FIELD },
        },
      },
    },
  },
} as const;

export const HEALTH = {
  type: "object",
  required: ["status", "zone", "database"],
  properties: { status: TEXT_FIELD, zone: TEXT_FIELD, database: TEXT_FIELD },
} as const;

export const REQUEST_BODY = {
  type: "object",
  additionalProperties: false,
  required: ["lane", "service", "method", "path"],
  properties: {
    lane: NAME,
    service: NAME,
    grade: GRADE,
    purpose: PURPOSE,
    method: { type: "string", pattern: "^[A-Z]{3,16}$" },
    path: { type: "string", maxLength: 2048 },
    headers: { type: "object", additionalProperties: { type: "string" } },
    body: {},
    bodyBase64: { type: "string" },
    orderingKey: ORDERING_KEY,
  },
} as const;

export const FILE_QUERY = {
  type: "object",
  additionalProperties: false,
  required: ["lane", "service", "filename"],
  properties: {
    lane: NAME,
    service: NAME,
    grade: GRADE,
    purpose: PURPOSE,
    filename: { type: "string", minLength: 1, maxLength: 255 },
    contentType: { type: "string", maxLength: 127, pattern: "^[\\x20-\\x7e]*$" },
    orderingKey: ORDERING_KEY,
  },
} as const;

export const ID_PARAMS = {
  type: "object",
  required: ["id"],
  properties: { id: EXCHANGE_ID },
} as const;

export const LIST_QUERY = {
  type: "object",
  additionalProperties: false,
  properties: {
    lane: NAME,
    service: NAME,
    state: { type: "string", maxLength: 32, pattern: "^[a-z-]+$" },
    direction: { type: "string", enum: ["sent", "received"] },
    limit: { type: "string", pattern: "^(?:[1-9][0-9]?|[1-4][0-9]{2}|500)$", default: "50" },
    cursor: { type: "string", maxLength: 64 },
  },
} as const;

const problem = (description: string) =>
  ({
    description,
    content: { "application/problem+json": { schema: { $ref: "Problem#" } } },
  }) as const;

/** What every guarded route may answer besides success. */
export const PROBLEMS = {
  "4xx": problem("拒绝，改正后再提交 refused: see code and do"),
  "5xx": problem("暂不可用，按 Retry-After 重试 unavailable: try again after Retry-After"),
} as const;

/** A successful answer in JSON. */
export const success = (description: string, schema: object) => ({
  description,
  content: { "application/json": { schema } },
});

export const ACCEPTED = success("已落盘，正在处理 durable and under way", { $ref: "Receipt#" });
