/**
 * Guarantee: everything other modules may use of certificates, requests and
 * revocation lists; see README.md.
 */
export * from "./authority/index.ts";
export { parseCertificate } from "./certificate.ts";
export { type PemLabel, type PkiItem, pemLabel, readPkiItems, toPem } from "./files.ts";
export { issueCertificate, selfSignRoot } from "./issue.ts";
export { type PkiKind, pkiKind } from "./kind.ts";
export * from "./limits.ts";
export { identityUri, issuerUri } from "./profile.ts";
export { writeQrFiles } from "./qr-files.ts";
export { qrSvg, qrTerminal } from "./qr-image.ts";
export { QR_MAX_BYTES, QR_PARTS_MAX, QrCollector, qrParts } from "./qr-parts.ts";
export { createRequest, parseRequest } from "./request.ts";
export { issueRevocationList, parseRevocationList, type RevocationPlan } from "./revocation.ts";
export * from "./types.ts";
export { verifyCertificateSignature, verifyRevocationList } from "./verify.ts";
