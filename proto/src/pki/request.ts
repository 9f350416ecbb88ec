/**
 * Guarantee: a request names one key and one identity and is signed by that key;
 * a {@link SigningRequest} exists only after that signature was checked, so a CA
 * never certifies a key that its holder does not have.
 */
import { GatewayError } from "../errors/index.ts";
import {
  DEFAULT_USER_ID,
  formatKeyId,
  loadProvider,
  type Sm2PrivateKey,
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
import type { NodeIdentity, RequestSubject, SigningRequest } from "./types.ts";

/** PKCS#10 has one version, RFC 2986 §4.1. */
const REQUEST_VERSION = 0;

/** The CN that goes with an identity: `<node>-<use>`, or `<zone>-ca`. */
export function commonNameOf(zone: string, identity: NodeIdentity | undefined): string {
  return identity === undefined ? `${zone}-ca` : `${identity.node}-${identity.use}`;
}

/**
 * A PKCS#10 request (RFC 2986) with the identity as subject alternative name.
 * @returns DER, about 500 bytes.
 * @throws GatewayError `request.invalid` for names out of form.
 */
export function createRequest(
  provider: SmProvider,
  key: Sm2PrivateKey,
  subject: RequestSubject,
): Uint8Array {
  const identity = "identity" in subject ? subject.identity : undefined;
  const zone = "identity" in subject ? subject.identity.zone : subject.zone;
  const uri = identity === undefined ? issuerUri(zone) : identityUri(identity);
  if (parseUri(uri) === undefined || !NAME_FORM.test(zone)) {
    throw new GatewayError("request.invalid", { detail: `no identity: ${uri}` });
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
  return signed(info, (message) => provider.sm2Sign(key, message, DEFAULT_USER_ID));
}

/**
 * Reads a request and checks that its sender holds the private key.
 * @param bytes DER, at most 2 KiB; copied.
 * @throws GatewayError `certificate.malformed`; `request.invalid` when the proof of possession fails
 * or the name does not fit the identity.
 */
export function parseRequest(provider: SmProvider, bytes: Uint8Array): SigningRequest {
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
  if (!provider.sm2Verify(publicKey, tbs, signature, DEFAULT_USER_ID)) {
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
  });
}
