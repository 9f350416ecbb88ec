/**
 * Guarantee: a request names one key and one identity and is signed by that key;
 * a {@link SigningRequest} exists only after that signature was checked, so a CA
 * never certifies a key that its holder does not have. One exception: the
 * encryption key of a cipher machine can sign nothing, and is vouched for by the
 * certified signing key of the same node.
 */
import { GatewayError } from "../errors/index.ts";
import {
  DEFAULT_USER_ID,
  formatKeyId,
  loadProvider,
  type Sm2PrivateKey,
  type Sm2PublicKey,
  type SmProvider,
} from "../sm/index.ts";
import { malformed } from "./asn1-read.ts";
import { context, oid, seq, set, wholeNumber } from "./asn1-write.ts";
import { NAME_FORM, REQUEST_MAX_BYTES } from "./limits.ts";
import { readExtensions, readIdentity, readName, readPublicKey, readSigned } from "./parts.ts";
import {
  identityUri,
  issuerUri,
  nameOf,
  OID,
  parseUri,
  publicKeyInfo,
  signed,
  subjectAltName,
} from "./profile.ts";
import type { Certificate, NodeIdentity, RequestSubject, SigningRequest } from "./types.ts";

/** PKCS#10 has one version, RFC 2986 §4.1. */
const REQUEST_VERSION = 0;

/** The CN that goes with an identity: `<node>-<use>`, or `<zone>-ca`. */
export function commonNameOf(zone: string, identity: NodeIdentity | undefined): string {
  return identity === undefined ? `${zone}-ca` : `${identity.node}-${identity.use}`;
}

/**
 * A PKCS#10 request (RFC 2986) with the identity as subject alternative name.
 * @param voucher the node's certified signing key, for an encryption key that can only decrypt; the key
 * itself otherwise.
 * @returns DER, about 500 bytes.
 * @throws GatewayError `request.invalid` for names out of form, or a voucher for another use.
 */
export function createRequest(
  provider: SmProvider,
  key: Sm2PrivateKey,
  subject: RequestSubject,
  voucher: Sm2PrivateKey = key,
): Uint8Array {
  const identity = "identity" in subject ? subject.identity : undefined;
  const zone = "identity" in subject ? subject.identity.zone : subject.zone;
  const uri = identity === undefined ? issuerUri(zone) : identityUri(identity);
  if (parseUri(uri) === undefined || !NAME_FORM.test(zone)) {
    throw new GatewayError("request.invalid", { detail: `no identity: ${uri}` });
  }
  if (voucher !== key && identity?.use !== "encrypt") {
    throw new GatewayError("request.invalid", { detail: "only an encryption key is vouched for" });
  }
  const attribute = seq(oid(OID.extensionRequest), set(seq(subjectAltName(uri))));
  const info = seq(
    wholeNumber(REQUEST_VERSION),
    nameOf({
      organisation: subject.organisation,
      demo: subject.demo,
      commonName: commonNameOf(zone, identity),
    }),
    publicKeyInfo(key.publicKey),
    context(0, attribute),
  );
  return signed(info, (message) => provider.sm2Sign(voucher, message, DEFAULT_USER_ID));
}

/**
 * Reads a request and checks that its sender holds the private key.
 * @param bytes DER, at most 2 KiB; copied.
 * @param vouchers certificates that count; those for signing of the same node may vouch for its
 * encryption key. The caller says which are in force.
 * @throws GatewayError `certificate.malformed`; `request.invalid` when the proof of possession fails
 * or the name does not fit the identity.
 */
export function parseRequest(
  provider: SmProvider,
  bytes: Uint8Array,
  vouchers: readonly Certificate[] = [],
): SigningRequest {
  const { body, tbs, signature } = readSigned(bytes, REQUEST_MAX_BYTES, "request");
  const fields = body.sequence("request");
  if (fields.next().wholeNumber("version") !== REQUEST_VERSION) {
    throw malformed("request: version");
  }
  const subject = readName(fields.next());
  const publicKey = readPublicKey(provider, fields.next());
  const attributes = fields.next().context(0, "attributes");
  fields.end();
  const attribute = attributes.next().sequence("attribute");
  attributes.end();
  if (attribute.next().oid("attribute") !== OID.extensionRequest) {
    throw malformed("request: unknown attribute");
  }
  const values = attribute.next().set("extension request");
  attribute.end();
  const extensions = readExtensions(values.next(), { [OID.subjectAltName]: "plain" });
  values.end();
  const { role, zone, identity } = readIdentity(extensions);
  if (subject.commonName !== commonNameOf(zone, identity)) {
    throw new GatewayError("request.invalid", { detail: "the name does not fit the identity" });
  }
  const signedBy = (key: Sm2PublicKey) => provider.sm2Verify(key, tbs, signature, DEFAULT_USER_ID);
  const own = signedBy(publicKey);
  const voucher = own
    ? undefined
    : vouchersOf(identity, vouchers).find((one) => signedBy(one.publicKey));
  if (!own && voucher === undefined) {
    throw new GatewayError("request.invalid", { detail: "it is not signed by its own key" });
  }
  return Object.freeze({
    der: Uint8Array.from(bytes),
    digest: Buffer.from(loadProvider().sm3(bytes)).toString("hex"),
    publicKey,
    keyId: formatKeyId(publicKey),
    subject: subject.text,
    role,
    zone,
    identity,
    organisation: subject.organisation,
    demo: subject.demo,
    vouchedBy: voucher?.keyId,
  });
}

function vouchersOf(
  identity: NodeIdentity | undefined,
  certificates: readonly Certificate[],
): readonly Certificate[] {
  if (identity?.use !== "encrypt") return [];
  return certificates.filter(
    (one) =>
      one.identity?.zone === identity.zone &&
      one.identity.node === identity.node &&
      one.identity.use === "sign",
  );
}
