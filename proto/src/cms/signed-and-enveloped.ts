/**
 * Guarantee: a message is a GB/T 35275-2017 clause 10 signedAndEnvelopedData in
 * DER, signed by the exporter over the plaintext and readable by the named
 * recipients alone. README.md says which readings of the standard it follows.
 */
import { createCipheriv, randomBytes } from "node:crypto";
import { GatewayError } from "../errors/index.ts";
import { signatureToDer } from "../sm/der.ts";
import { constantTimeEqual, type Sm2PrivateKey, type SmProvider } from "../sm/index.ts";
import { type MessageCertificate, readMessageCertificate } from "./certificate.ts";
import {
  type Der,
  encoded,
  explicit,
  integer,
  objectIdentifier,
  octetString,
  sequence,
  setOf,
  taggedOctetString,
  taggedSetOf,
} from "./der.ts";

const MIB = 1024 * 1024;
/** The signature is over the whole content, which is held in memory once plain and once encrypted. */
export const EXPORT_MAX = 64 * MIB;
/** Each costs one SM2 operation and some 250 bytes; as many as a bundle has recipients. */
const RECIPIENTS_MAX = 16;
/** Signer's certificate, its issuers, and those of the embedded bundle. */
const CERTIFICATES_MAX = 32;

const OID = {
  data: "1.2.156.10197.6.1.4.2.1",
  signedAndEnvelopedData: "1.2.156.10197.6.1.4.2.4",
  sm2Sign: "1.2.156.10197.1.301.1",
  sm2Encrypt: "1.2.156.10197.1.301.3",
  sm3: "1.2.156.10197.1.401",
  sm4Cbc: "1.2.156.10197.1.104.2",
} as const;
const VERSION = 1;
const SM4_KEY_BYTES = 16;
const SM4_BLOCK_BYTES = 16;

export interface MessageSigner {
  readonly key: Sm2PrivateKey;
  /** X.509 DER of that key. */
  readonly certificate: Uint8Array;
}

export interface MessageInput {
  /** The content in pieces, at most 64 MiB together. */
  readonly content: readonly Uint8Array[];
  readonly signer: MessageSigner;
  /** X.509 DER of the encryption certificates, one to sixteen. */
  readonly recipients: readonly Uint8Array[];
  /** X.509 DER that a verifier will want besides the signer's own. */
  readonly certificates: readonly Uint8Array[];
  /** Unix milliseconds: the certificates must be valid then. */
  readonly atMs: number;
}

/**
 * @returns the DER in pieces, in order.
 * @throws GatewayError `export.too-large`, `export.certificate-unusable`.
 */
export function signedAndEnvelopedData(
  provider: SmProvider,
  input: MessageInput,
): readonly Uint8Array[] {
  const signer = readMessageCertificate(provider, input.signer.certificate, "sign", input.atMs);
  if (!constantTimeEqual(signer.publicKey, input.signer.key.publicKey)) {
    throw new GatewayError("export.certificate-unusable", { detail: "not the signing key's" });
  }
  const count = input.recipients.length;
  if (count < 1 || count > RECIPIENTS_MAX || input.certificates.length >= CERTIFICATES_MAX) {
    throw new GatewayError("export.certificate-unusable", { detail: "number of certificates" });
  }
  const recipients = input.recipients.map((der) =>
    readMessageCertificate(provider, der, "encrypt", input.atMs),
  );
  const size = input.content.reduce((sum, piece) => sum + piece.length, 0);
  if (size > EXPORT_MAX) throw new GatewayError("export.too-large", { detail: `${size} bytes` });
  const content = Buffer.concat(input.content, size);
  const key = randomBytes(SM4_KEY_BYTES);
  try {
    const message = sequence(
      objectIdentifier(OID.signedAndEnvelopedData),
      explicit(
        0,
        sequence(
          integer(VERSION),
          setOf(...recipients.map((recipient) => recipientInfo(provider, recipient, key))),
          setOf(algorithm(OID.sm3)),
          encryptedContentInfo(key, content),
          taggedSetOf(0, ...distinct([signer.der, ...input.certificates]).map(encoded)),
          setOf(signerInfo(signer, provider.sm2Sign(input.signer.key, content))),
        ),
      ),
    );
    return message.pieces;
  } finally {
    key.fill(0);
    content.fill(0);
  }
}

/** Clause 9.2. */
function recipientInfo(provider: SmProvider, recipient: MessageCertificate, key: Uint8Array): Der {
  return sequence(
    integer(VERSION),
    issuerAndSerialNumber(recipient),
    algorithm(OID.sm2Encrypt),
    octetString(provider.sm2Encrypt(recipient.publicKey, key)),
  );
}

/** Clause 9.1: the content's octets, padded as RFC 5652 §6.3 says, under a fresh key and IV. */
function encryptedContentInfo(key: Uint8Array, content: Uint8Array): Der {
  const iv = randomBytes(SM4_BLOCK_BYTES);
  const cipher = createCipheriv("sm4-cbc", key, iv);
  const pieces = [cipher.update(content), cipher.final()];
  return sequence(
    objectIdentifier(OID.data),
    algorithm(OID.sm4Cbc, octetString(iv)),
    taggedOctetString(0, ...pieces),
  );
}

/** Clause 8.2, without attributes: the signature is over the content itself. */
function signerInfo(signer: MessageCertificate, signature: Uint8Array): Der {
  return sequence(
    integer(VERSION),
    issuerAndSerialNumber(signer),
    algorithm(OID.sm3),
    algorithm(OID.sm2Sign),
    octetString(signatureToDer(signature)),
  );
}

function issuerAndSerialNumber({ issuer, serial }: MessageCertificate): Der {
  return sequence(encoded(issuer), encoded(serial));
}

function algorithm(oid: string, ...parameters: readonly Der[]): Der {
  return sequence(objectIdentifier(oid), ...parameters);
}

function distinct(certificates: readonly Uint8Array[]): Uint8Array[] {
  const seen = new Map(certificates.map((der) => [Buffer.from(der).toString("base64"), der]));
  return [...seen.values()];
}
