/**
 * Guarantee: bundles leave for readers of GB/T 35275 as the exporter's own
 * signed statement about them; see README.md.
 */
export { EXPORT_CERTIFICATE_MAX } from "./certificate.ts";
export {
  EXPORT_MAX,
  type MessageInput,
  type MessageSigner,
  signedAndEnvelopedData,
} from "./signed-and-enveloped.ts";
export { type ExportItem, exportStatement } from "./statement.ts";
