/**
 * Guarantee: a number in a JSON body keeps its value to the last digit. As a double, 510104199003077217
 * becomes 510104199003077250: other content than was handed over, and no longer the
 * identity number that policy would have masked.
 */

import { GatewayError } from "@lightferry/proto/errors";
import type { FastifyInstance } from "fastify";

/** A double holds 15 digits surely; numbers with fewer and without an exponent need no second look. */
const MAY_LOSE_DIGITS = /[0-9.]{16}|[0-9][eE]/;

/** Replaces the JSON parser of the routes registered in `app`. */
export function parseJsonExactly(app: FastifyInstance): void {
  // Refuses __proto__ and constructor.prototype.
  const parse = app.getDefaultJsonParser("error", "error");
  app.addContentTypeParser("application/json", { parseAs: "string" }, (request, text, done) => {
    void parse(request, text as string, (error, value) => {
      if (error !== null || !MAY_LOSE_DIGITS.test(text as string)) return done(error, value);
      try {
        return done(null, withExactNumbers(text as string));
      } catch (cause) {
        // The reviver goes as deep as the value is nested.
        return done(new GatewayError("api.bad-request", { detail: "JSON too deep", cause }));
      }
    });
  });
}

function withExactNumbers(text: string): unknown {
  return sourceJson.parse(text.replace(/^\ufeff/, ""), keepSource);
}

/** JSON.stringify writes a raw number as its source; every other consumer refuses it as no number. */
function keepSource(_key: string, value: unknown, context: { readonly source?: string }): unknown {
  const { source } = context;
  if (typeof value !== "number" || source === undefined || String(value) === source) return value;
  return sourceJson.rawJSON(source);
}

/** ECMAScript 2026; the type library does not know it yet. */
interface SourceJson {
  parse(text: string, reviver: typeof keepSource): unknown;
  rawJSON(source: string): object;
}
const sourceJson = JSON as unknown as SourceJson;
