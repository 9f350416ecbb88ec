/** Guarantee: what anyone who can reach the port may see: health, the API description, the codes. */
import { ERRORS } from "@lightferry/proto/errors";
import type { FastifyInstance } from "fastify";
import type { FrontProxyContext } from "../context.ts";
import { query } from "../database.ts";
import { ERROR_TABLE, HEALTH, success } from "./schemas.ts";

export async function publicRoutes(
  app: FastifyInstance,
  { context }: { readonly context: FrontProxyContext },
): Promise<void> {
  // Anyone may ask, but the connections to the database are for submissions: who asks meanwhile gets the same answer.
  let asked: Promise<"ok" | "unavailable"> | undefined;
  const askDatabase = (): Promise<"ok" | "unavailable"> => {
    asked ??= query(context.pool, "health", "SELECT 1")
      .then(
        () => "ok" as const,
        () => "unavailable" as const,
      )
      .finally(() => {
        asked = undefined;
      });
    return asked;
  };
  const codes = Object.entries(ERRORS).map(([code, row]) => ({ code, ...row }));

  app.get(
    "/v1/errors",
    {
      schema: {
        summary: "错误码表 Every code, who must act and what to do",
        security: [],
        response: { 200: success("全部错误码 all codes", ERROR_TABLE) },
      },
    },
    () => ({ errors: codes }),
  );

  app.get(
    "/health",
    {
      schema: {
        summary: "健康状态 Whether submissions can be taken",
        security: [],
        response: {
          200: success("可受理 submissions are taken", HEALTH),
          503: success("数据库不可用 the database is away", HEALTH),
        },
      },
    },
    async (_request, reply) => {
      const database = await askDatabase();
      reply.code(database === "ok" ? 200 : 503);
      return { status: database === "ok" ? "ok" : "degraded", zone: context.config.zone, database };
    },
  );

  app.get("/openapi.json", { schema: { hide: true } }, () => app.swagger());
}
