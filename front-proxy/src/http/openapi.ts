/**
 * Guarantee: /openapi.json describes what the API does beyond the shapes that
 * are checked: how to authenticate, the headers of an upload, what each answer
 * means. Routes and shapes come from the routes themselves and cannot drift.
 */
import type { FastifyDynamicSwaggerOptions } from "@fastify/swagger";

type Options = Required<
  Pick<FastifyDynamicSwaggerOptions, "openapi" | "refResolver" | "transformObject">
>;
type Json = Record<string, unknown>;

const DESCRIPTION = `凭 API 令牌或已登记的客户端证书调用。202 表示内容已落盘，之后的去向用 GET /v1/exchanges/{id} 查询；
发送侧最终状态为 emitted（对端未知）；收到对端签名回执后 receipt 给出对端结果。每次拒绝都是 application/problem+json，含错误码 code、规则 rule、由谁处理 actor、怎么办 do；
全部错误码见 GET /v1/errors。

Call with an API token or a registered client certificate. 202 means that the content is durable; ask
GET /v1/exchanges/{id} what became of it. The sending side ends with emitted (unconfirmed); receipt
says more once a signed one has come back. Every refusal is
application/problem+json with code, rule, actor (who must act) and do (what to do); GET /v1/errors lists all codes.`;

const text = (maxLength: number) => ({ type: "string", maxLength });
const bytes = { type: "integer", minimum: 0 };

/** Request headers by name, as the routes read them. */
const HEADERS: Readonly<Record<string, { readonly description: string; readonly schema: Json }>> = {
  "Idempotency-Key": {
    description:
      "同一键、同一内容得到同一次交换；内容不同则 409。 The same key with the same content gives the same exchange; other content 409.",
    schema: { ...text(200), pattern: "^[\\x21-\\x7e]+$" },
  },
  "X-Content-SM3": {
    description:
      "内容的 SM3（64 位十六进制），不符则拒绝。 SM3 of the content, checked before acceptance.",
    schema: { type: "string", pattern: "^[0-9a-fA-F]{64}$" },
  },
  "Upload-Length": {
    description:
      "续传方式：文件总长度；随后用 PATCH 分段。 Resumable upload: the length of the whole file; PATCH follows.",
    schema: bytes,
  },
  "Upload-Offset": { description: "本段的起点。 Where this part begins.", schema: bytes },
};

const binary = (required: boolean) => ({
  required,
  content: { "application/octet-stream": { schema: { type: "string", format: "binary" } } },
});

/** What a route reads that no schema checks: `method path` → headers, and whether the body is the file. */
const READS: Readonly<
  Record<string, { readonly headers: readonly string[]; readonly file?: true }>
> = {
  "post /v1/requests": { headers: ["Idempotency-Key"] },
  "post /v1/files": {
    headers: ["Idempotency-Key", "X-Content-SM3", "Upload-Length"],
    file: true,
  },
  "patch /v1/files/{id}": { headers: ["Upload-Offset"], file: true },
};
const REQUIRED_HEADERS = new Set(["patch /v1/files/{id} Upload-Offset"]);

export const OPENAPI: Options = {
  openapi: {
    openapi: "3.1.0",
    info: { title: "Lightferry 光渡 API", version: "1", description: DESCRIPTION },
    servers: [{ url: "/" }],
    components: {
      securitySchemes: {
        token: { type: "http", scheme: "bearer" },
        // OpenAPI 3.1 has it; the type that the plugin exports is that of 3.0.
        certificate: { type: "mutualTLS" } as never,
      },
    },
    security: [{ token: [] }, { certificate: [] }],
  },
  refResolver: {
    buildLocalReference: (json, _baseUri, _fragment, index) =>
      typeof json.$id === "string" ? json.$id : `def-${index}`,
  },
  transformObject: (made) => {
    if (!("openapiObject" in made)) return made.swaggerObject;
    const paths = (made.openapiObject.paths ?? {}) as Record<string, Record<string, Json>>;
    for (const [route, { headers, file }] of Object.entries(READS)) {
      const [method = "", path = ""] = route.split(" ");
      const operation = paths[path]?.[method];
      if (operation === undefined) continue;
      const before = Array.isArray(operation.parameters) ? (operation.parameters as Json[]) : [];
      operation.parameters = [
        ...before,
        ...headers.map((name) => ({
          name,
          in: "header",
          required: REQUIRED_HEADERS.has(`${route} ${name}`),
          ...HEADERS[name],
        })),
      ];
      // A POST with Upload-Length may come without content.
      if (file) operation.requestBody = binary(method === "patch");
    }
    return made.openapiObject;
  },
};
