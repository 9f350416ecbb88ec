/**
 * Guarantee: `grpc.health.v1.Health/Check` answers every service of the zone:
 * SERVING for the server and each bound service, NOT_SERVING once it closes.
 */
import { Reader, Writer } from "protobufjs/minimal.js";
import type { ServiceBinding } from "./binding.ts";
import { SERVICE_NAMES } from "./identity.ts";
import { type Codec, unary } from "./spec.ts";

/** ServingStatus of grpc/health/v1/health.proto. */
export const HEALTH = { SERVING: 1, NOT_SERVING: 2, SERVICE_UNKNOWN: 3 } as const;

interface HealthRequest {
  service: string;
}

interface HealthResponse {
  status: number;
}

/** Both messages have one field, number 1: a string and an enum. */
const healthRequest: Codec<HealthRequest, HealthRequest> = {
  encode: (message, writer = Writer.create()) => writer.uint32(0x0a).string(message.service),
  decode: (bytes) => {
    const reader = Reader.create(bytes);
    const message = { service: "" };
    while (reader.pos < reader.len) {
      const tag = reader.uint32();
      if (tag === 0x0a) message.service = reader.string();
      else reader.skipType(tag & 7);
    }
    return message;
  },
};

const healthResponse: Codec<HealthResponse, HealthResponse> = {
  encode: (message, writer = Writer.create()) => writer.uint32(0x08).int32(message.status),
  decode: (bytes) => {
    const reader = Reader.create(bytes);
    const message = { status: 0 };
    while (reader.pos < reader.len) {
      const tag = reader.uint32();
      if (tag === 0x08) message.status = reader.int32();
      else reader.skipType(tag & 7);
    }
    return message;
  },
};

export const HealthService = {
  check: unary("/grpc.health.v1.Health/Check", healthRequest, healthResponse),
} as const;

export function healthBinding(services: readonly ServiceBinding[]): ServiceBinding {
  const known = new Set([""]);
  for (const service of services) {
    for (const method of Object.values(service.spec)) known.add(method.path.split("/")[1] ?? "");
  }
  const check = async (
    request: HealthRequest,
    call: { closing: AbortSignal },
  ): Promise<HealthResponse> => {
    if (!known.has(request.service)) return { status: HEALTH.SERVICE_UNKNOWN };
    return { status: call.closing.aborted ? HEALTH.NOT_SERVING : HEALTH.SERVING };
  };
  return { spec: HealthService, handlers: { check }, allow: { check: SERVICE_NAMES } };
}
