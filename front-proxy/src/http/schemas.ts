/**
 * Guarantee: the shapes of the API, from which both the checks and the OpenAPI
 * document are made; what is not named here is refused.
 */

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
  required: ["type", "title", "status", "code", "actor", "do"],
  properties: {
    type: { type: "string" },
    title: { type: "string" },
    titleZh: { type: "string" },
    status: { type: "integer" },
    code: { type: "string" },
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

export const EXCHANGE = {
  $id: "Exchange",
  type: "object",
  additionalProperties: true,
  required: ["exchangeId", "direction", "kind", "state", "lane", "service", "timeline"],
  properties: {
    exchangeId: { type: "string" },
    direction: { type: "string", enum: ["sent", "received"] },
    kind: { type: "string" },
    state: { type: "string" },
    unconfirmed: { type: "boolean" },
    lane: { type: "string" },
    service: { type: "string" },
  },
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

/** What every guarded route may answer besides success. */
export const PROBLEMS = {
  "4xx": { $ref: "Problem#" },
  "5xx": { $ref: "Problem#" },
} as const;
