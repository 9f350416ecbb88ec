/** Guarantee: the methods of every service of the house, as the schemas in proto/lightferry say. */
import { lightferry } from "../gen/index.js";
import { bidi, unary } from "./spec.ts";

const policy = lightferry.policy.v1;
const audit = lightferry.audit.v1;
const ferry = lightferry.ferry.v1;
const seal = lightferry.seal.v1;
const admin = lightferry.admin.v1;

export const PolicyService = {
  decide: unary(
    "/lightferry.policy.v1.PolicyService/Decide",
    policy.DecideRequest,
    policy.DecideResponse,
  ),
  decideStream: bidi(
    "/lightferry.policy.v1.PolicyService/DecideStream",
    policy.DecideStreamRequest,
    policy.DecideStreamResponse,
  ),
  getRegistry: unary(
    "/lightferry.policy.v1.PolicyService/GetRegistry",
    policy.GetRegistryRequest,
    policy.GetRegistryResponse,
  ),
} as const;

export const TrustService = {
  getTrust: unary(
    "/lightferry.policy.v1.TrustService/GetTrust",
    policy.GetTrustRequest,
    policy.GetTrustResponse,
  ),
  importTrust: unary(
    "/lightferry.policy.v1.TrustService/ImportTrust",
    policy.ImportTrustRequest,
    policy.ImportTrustResponse,
  ),
  denyKey: unary(
    "/lightferry.policy.v1.TrustService/DenyKey",
    policy.DenyKeyRequest,
    policy.DenyKeyResponse,
  ),
} as const;

export const AuditService = {
  append: unary(
    "/lightferry.audit.v1.AuditService/Append",
    audit.AppendRequest,
    audit.AppendResponse,
  ),
  getCheckpoint: unary(
    "/lightferry.audit.v1.AuditService/GetCheckpoint",
    audit.GetCheckpointRequest,
    audit.GetCheckpointResponse,
  ),
  witness: unary(
    "/lightferry.audit.v1.AuditService/Witness",
    audit.WitnessRequest,
    audit.WitnessResponse,
  ),
  listEvents: unary(
    "/lightferry.audit.v1.AuditService/ListEvents",
    audit.ListEventsRequest,
    audit.ListEventsResponse,
  ),
  getTrail: unary(
    "/lightferry.audit.v1.AuditService/GetTrail",
    audit.GetTrailRequest,
    audit.GetTrailResponse,
  ),
} as const;

export const OutboxService = {
  lease: unary("/lightferry.ferry.v1.OutboxService/Lease", ferry.LeaseRequest, ferry.LeaseResponse),
  ack: unary("/lightferry.ferry.v1.OutboxService/Ack", ferry.AckRequest, ferry.AckResponse),
  renew: unary("/lightferry.ferry.v1.OutboxService/Renew", ferry.RenewRequest, ferry.RenewResponse),
  listEmitted: unary(
    "/lightferry.ferry.v1.OutboxService/ListEmitted",
    ferry.ListEmittedRequest,
    ferry.ListEmittedResponse,
  ),
  recall: unary(
    "/lightferry.ferry.v1.OutboxService/Recall",
    ferry.RecallRequest,
    ferry.RecallResponse,
  ),
} as const;

export const InboxService = {
  deliver: unary(
    "/lightferry.ferry.v1.InboxService/Deliver",
    ferry.DeliverRequest,
    ferry.DeliverResponse,
  ),
  openLinkKey: unary(
    "/lightferry.ferry.v1.InboxService/OpenLinkKey",
    ferry.OpenLinkKeyRequest,
    ferry.OpenLinkKeyResponse,
  ),
} as const;

export const SealQueueService = {
  lease: unary("/lightferry.seal.v1.SealQueueService/Lease", seal.LeaseRequest, seal.LeaseResponse),
  commit: unary(
    "/lightferry.seal.v1.SealQueueService/Commit",
    seal.CommitRequest,
    seal.CommitResponse,
  ),
  fail: unary("/lightferry.seal.v1.SealQueueService/Fail", seal.FailRequest, seal.FailResponse),
  leaseReceipts: unary(
    "/lightferry.seal.v1.SealQueueService/LeaseReceipts",
    seal.LeaseReceiptsRequest,
    seal.LeaseReceiptsResponse,
  ),
  commitReceipts: unary(
    "/lightferry.seal.v1.SealQueueService/CommitReceipts",
    seal.CommitReceiptsRequest,
    seal.CommitReceiptsResponse,
  ),
} as const;

const adminPath = (method: string): string => `/lightferry.admin.v1.AdminService/${method}`;

export const AdminService = {
  issueToken: unary(adminPath("IssueToken"), admin.IssueTokenRequest, admin.IssueTokenResponse),
  rotateToken: unary(adminPath("RotateToken"), admin.RotateTokenRequest, admin.RotateTokenResponse),
  revokeToken: unary(adminPath("RevokeToken"), admin.RevokeTokenRequest, admin.RevokeTokenResponse),
  listTokens: unary(adminPath("ListTokens"), admin.ListTokensRequest, admin.ListTokensResponse),
  retryExchange: unary(
    adminPath("RetryExchange"),
    admin.RetryExchangeRequest,
    admin.RetryExchangeResponse,
  ),
  cancelExchange: unary(
    adminPath("CancelExchange"),
    admin.CancelExchangeRequest,
    admin.CancelExchangeResponse,
  ),
  returnExchange: unary(
    adminPath("ReturnExchange"),
    admin.ReturnExchangeRequest,
    admin.ReturnExchangeResponse,
  ),
  getExchange: unary(adminPath("GetExchange"), admin.GetExchangeRequest, admin.GetExchangeResponse),
  listExchanges: unary(
    adminPath("ListExchanges"),
    admin.ListExchangesRequest,
    admin.ListExchangesResponse,
  ),
  listQuarantine: unary(
    adminPath("ListQuarantine"),
    admin.ListQuarantineRequest,
    admin.ListQuarantineResponse,
  ),
  getBacklog: unary(adminPath("GetBacklog"), admin.GetBacklogRequest, admin.GetBacklogResponse),
  discardBundle: unary(
    adminPath("DiscardBundle"),
    admin.DiscardBundleRequest,
    admin.DiscardBundleResponse,
  ),
  exportReceipts: unary(
    adminPath("ExportReceipts"),
    admin.ExportReceiptsRequest,
    admin.ExportReceiptsResponse,
  ),
  confirmReceipts: unary(
    adminPath("ConfirmReceipts"),
    admin.ConfirmReceiptsRequest,
    admin.ConfirmReceiptsResponse,
  ),
  importReceipts: unary(
    adminPath("ImportReceipts"),
    admin.ImportReceiptsRequest,
    admin.ImportReceiptsResponse,
  ),
  getReceiptStatus: unary(
    adminPath("GetReceiptStatus"),
    admin.GetReceiptStatusRequest,
    admin.GetReceiptStatusResponse,
  ),
} as const;
