/** Guarantee: only the front-proxy asks for decisions; every service of the zone may read the signed registry. */
import { bind, PolicyService, type ServiceBinding } from "@lightferry/proto/rpc";
import { decideBatch } from "./decide-batch.ts";
import { decideStream } from "./decide-stream.ts";
import type { Desk } from "./desk.ts";

export interface SignedRegistry {
  readonly document: Uint8Array;
  readonly signature: Uint8Array;
}

export function policyBinding(desk: Desk, registry: SignedRegistry): ServiceBinding {
  return bind(
    PolicyService,
    {
      decide: (request) => decideBatch(desk, request),
      decideStream: (requests) => decideStream(desk, requests),
      getRegistry: async () => ({ ...registry, policyVersion: desk.policy.pack.version }),
    },
    {
      decide: ["front-proxy"],
      decideStream: ["front-proxy"],
      getRegistry: [
        "front-proxy",
        "seal",
        "audit",
        "ferry-tx",
        "ferry-rx",
        "media-tx",
        "media-rx",
        "operator",
        "supervisor",
      ],
    },
  );
}
