/**
 * Guarantee: the work of a root or issuing CA over its folder: made, asked,
 * issuing, revoking, backed up. Command line and set-up use the same functions.
 */
export { backupAuthority, restoreAuthority } from "./backup.ts";
export {
  type CaSubject,
  createIssuer,
  createRoot,
  installCertificate,
  prepareIssuer,
  requestOf,
} from "./create.ts";
export { type AuthorityState, type Issued, readAuthority } from "./read.ts";
export {
  type CaAccess,
  type CertificateChoice,
  issueTo,
  type ListTimes,
  renewList,
  revokeAt,
  vouchersAt,
} from "./sign.ts";
export { AUTHORITY_VALIDITY_MS, CERTIFICATE_VALIDITY_MS, LIST_VALIDITY_MS } from "./terms.ts";
