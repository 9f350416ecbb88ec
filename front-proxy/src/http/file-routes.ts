/**
 * Guarantee: an upload streams through in constant memory; a part is answered
 * with its offset only after it is durable, the last with 202.
 *
 *   POST without Upload-Length: the body is the file.
 *   POST with Upload-Length, then PATCH with Upload-Offset …; HEAD tells the durable offset.
 */
import { GatewayError } from "@lightferry/proto/errors";
import { formatId, parseId } from "@lightferry/proto/ids";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { FrontProxyContext } from "../context.ts";
import { checkFileName } from "../egress/file-name.ts";
import type { Receipt } from "../egress/submission.ts";
import type { Created, NewFile, Progress } from "../egress/uploads.ts";
import { callerOf } from "./guard.ts";
import { claimFor, readKey } from "./idempotency-key.ts";
import type { ApiParts } from "./parts.ts";
import { sendRefusal } from "./problem.ts";
import { wellFormed } from "./request-routes.ts";
import { ACCEPTED, FILE_QUERY, ID_PARAMS, PROBLEMS, success } from "./schemas.ts";

interface FileQuery {
  readonly lane: string;
  readonly service: string;
  readonly grade?: string;
  readonly purpose?: string;
  readonly filename: string;
  readonly contentType?: string;
  readonly orderingKey?: string;
}

const DEFAULT_TYPE = "application/octet-stream";
/** 2^53 − 1 bytes is beyond any lane; more digits are a mistake. */
const DIGITS = /^\d{1,15}$/;
const ANSWERS = {
  200: success("本段已落盘 this part is durable", { $ref: "UploadProgress#" }),
  201: success("已登记，用 PATCH 续传 begun: go on with PATCH", { $ref: "UploadProgress#" }),
  202: ACCEPTED,
  ...PROBLEMS,
} as const;

export async function fileRoutes(
  app: FastifyInstance,
  { context, parts }: { readonly context: FrontProxyContext; readonly parts: ApiParts },
): Promise<void> {
  const { uploads } = parts;
  // Whatever the type: the body is handed on as the stream it is.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", { bodyLimit: Number.MAX_SAFE_INTEGER }, (_request, payload, done) =>
    done(null, payload),
  );

  app.post<{ Querystring: FileQuery }>(
    "/v1/files",
    {
      bodyLimit: Number.MAX_SAFE_INTEGER,
      schema: {
        summary: "上传文件 Upload a file, in one stream or resumable in parts",
        querystring: FILE_QUERY,
        response: ANSWERS,
      },
    },
    async (request, reply) => {
      const resumable = request.headers["upload-length"] !== undefined;
      const file = readFile(context, request, resumable);
      const created = await uploads.create(file);
      if ("receipt" in created) return await repeated(request, reply, created.receipt);
      const { progress } = created;
      const body = bodyOf(request);
      if (!resumable) {
        const stored = await uploads.append(progress.uploadId, file.caller, 0, body, true);
        return answer(reply, stored, 200);
      }
      if (file.length === 0 || !isEmpty(request)) {
        const stored = await uploads.append(progress.uploadId, file.caller, progress.offset, body);
        return answer(reply, stored, 201);
      }
      return answer(reply, created, 201);
    },
  );

  app.patch<{ Params: { id: string } }>(
    "/v1/files/:id",
    {
      bodyLimit: Number.MAX_SAFE_INTEGER,
      schema: {
        summary: "续传 Append at Upload-Offset",
        params: ID_PARAMS,
        response: ANSWERS,
      },
    },
    async (request, reply) => {
      const id = parseId(request.params.id);
      const offset = readNumber(request, "upload-offset");
      if (offset === undefined) throw bad("Upload-Offset is needed");
      const caller = callerOf(request);
      await refuseOverlong(request, await uploads.progress(id, caller), offset);
      return answer(reply, await uploads.append(id, caller, offset, bodyOf(request)), 200);
    },
  );

  app.head<{ Params: { id: string } }>(
    "/v1/files/:id",
    {
      config: { swagger: { exposeHeadRoute: true } },
      schema: {
        summary: "查询已落盘的偏移 The durable offset, in the header Upload-Offset",
        params: ID_PARAMS,
        response: { 200: { description: "Upload-Offset, Upload-Length", type: "null" } },
      },
    },
    async (request, reply) => {
      const progress = await uploads.progress(parseId(request.params.id), callerOf(request));
      progressHeaders(reply, progress).header("cache-control", "no-store");
      return reply.code(200).send();
    },
  );

  // The same key again: the same content gets the same answer, other content none.
  async function repeated(request: FastifyRequest, reply: FastifyReply, receipt: Receipt) {
    if (receipt.repeated && !isEmpty(request)) {
      const same = await uploads.sameContent(receipt.exchangeId, bodyOf(request));
      if (!same) throw new GatewayError("idempotency.conflict");
    }
    return answer(reply, { receipt }, 200);
  }
}

function answer(reply: FastifyReply, created: Created, underWay: 200 | 201) {
  if ("progress" in created) {
    const { progress } = created;
    const exchangeId = formatId(progress.uploadId);
    progressHeaders(reply, progress).code(underWay).header("location", `/v1/files/${exchangeId}`);
    return { exchangeId, offset: progress.offset };
  }
  const { receipt } = created;
  const exchangeId = formatId(receipt.exchangeId);
  if (receipt.refusal !== undefined) {
    // The rest of the body would only be thrown away: end the connection instead.
    return sendRefusal(reply.header("connection", "close"), exchangeId, receipt.refusal);
  }
  const statusUrl = `/v1/exchanges/${exchangeId}`;
  reply.code(202).header("location", statusUrl);
  return { exchangeId, state: receipt.state, statusUrl };
}

function progressHeaders(reply: FastifyReply, progress: Progress): FastifyReply {
  reply.header("upload-offset", String(progress.offset));
  if (progress.length !== undefined) reply.header("upload-length", String(progress.length));
  return reply;
}

function readFile(
  context: FrontProxyContext,
  request: FastifyRequest<{ Querystring: FileQuery }>,
  resumable: boolean,
): NewFile {
  const { query } = request;
  const head = {
    caller: callerOf(request),
    clientAddress: request.ip,
    lane: query.lane,
    service: query.service,
    grade: wellFormed(query.grade),
    purpose: wellFormed(query.purpose),
    orderingKey: wellFormed(query.orderingKey),
  };
  const file = {
    name: checkFileName(query.filename),
    contentType: query.contentType ?? plainType(request.headers["content-type"]),
  };
  const length = readNumber(request, resumable ? "upload-length" : "content-length");
  const key = readKey(request.headers["idempotency-key"]);
  const parts = length === undefined ? { file } : { file, length };
  return {
    ...head,
    file,
    length,
    expectedDigest: readDigest(request),
    idempotency: key === undefined ? undefined : claimFor(context.shell.provider, key, head, parts),
  };
}

/** What the body is called on this connection says nothing when it is the default of every client. */
function plainType(header: string | undefined): string {
  const [type = ""] = (header ?? "").split(";", 1);
  const plain = type.trim().toLowerCase();
  const generic = plain === "" || plain === "application/x-www-form-urlencoded";
  return generic || !/^[\x20-\x7e]{1,127}$/.test(plain) ? DEFAULT_TYPE : plain;
}

/** `X-Content-SM3: <hex>` or `Digest: sm3=<base64>`. @throws GatewayError `api.bad-request`. */
function readDigest(request: FastifyRequest): Uint8Array | undefined {
  const hex = request.headers["x-content-sm3"];
  if (typeof hex === "string") {
    if (!/^[0-9a-f]{64}$/i.test(hex)) throw bad("X-Content-SM3 is 64 hex digits");
    return Buffer.from(hex, "hex");
  }
  const { digest } = request.headers;
  const base64 = typeof digest === "string" ? /\bsm3=([0-9A-Za-z+/]{43}=)/i.exec(digest)?.[1] : "";
  if (base64 === undefined) throw bad("Digest is sm3=<base64>");
  return base64 === "" ? undefined : Buffer.from(base64, "base64");
}

function readNumber(request: FastifyRequest, name: string): number | undefined {
  const text = request.headers[name];
  if (text === undefined) return undefined;
  if (typeof text !== "string" || !DIGITS.test(text)) throw bad(`${name} is a number of bytes`);
  return Number(text);
}

async function refuseOverlong(
  request: FastifyRequest,
  progress: Progress,
  offset: number,
): Promise<void> {
  const sends = readNumber(request, "content-length") ?? 0;
  if (progress.length !== undefined && offset + sends > progress.length) {
    throw new GatewayError("upload.length-exceeded", { detail: `announced ${progress.length}` });
  }
}

function isEmpty(request: FastifyRequest): boolean {
  const length = request.headers["content-length"];
  return length === undefined
    ? request.headers["transfer-encoding"] === undefined
    : Number(length) === 0;
}

function bodyOf(request: FastifyRequest): AsyncIterable<Uint8Array> {
  return request.body === undefined || request.body === null
    ? request.raw
    : (request.body as AsyncIterable<Uint8Array>);
}

function bad(detail: string): GatewayError {
  return new GatewayError("api.bad-request", { detail });
}
