/** Guarantee: everything a service needs to call and to be called within its zone. */

export { bind, type CallContext, type Handlers, type ServiceBinding } from "./binding.ts";
export { type CallOptions, type Client, createClient } from "./client.ts";
export { HEALTH, HealthService } from "./health.ts";
export {
  checkZoneName,
  identityOf,
  identityUri,
  type PeerIdentity,
  SERVICE_NAMES,
  type ServiceName,
} from "./identity.ts";
export { DEFAULT_DEADLINE_MS, MAX_MESSAGE_BYTES, STREAM_STALL_MS } from "./limits.ts";
export { type ClientCertificate, createLocalCa, issueClientCertificate } from "./local-ca.ts";
export { type RpcServer, type RpcServerOptions, startRpcServer } from "./server.ts";
export {
  AdminService,
  AuditService,
  InboxService,
  OutboxService,
  PolicyService,
  SealQueueService,
  TrustService,
} from "./services.ts";
export type { BidiSpec, Codec, MethodSpec, ServiceSpec, UnarySpec } from "./spec.ts";
export type { TlsFiles } from "./tls.ts";
