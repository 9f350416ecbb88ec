/**
 * Guarantee: TLS 1.3 with certificates on both ends, each signed by the zone's
 * CA. A client goes on only with the service and zone it meant to call.
 */
import { readFileSync } from "node:fs";
import { createSecureContext, type PeerCertificate } from "node:tls";
import {
  ChannelCredentials,
  logVerbosity,
  ServerCredentials,
  setLogVerbosity,
} from "@grpc/grpc-js";
import { GatewayError } from "../errors/index.ts";
import { identityOf, identityUri, type PeerIdentity } from "./identity.ts";
import { FLOW_CONTROL_WINDOW, MAX_CONCURRENT_STREAMS } from "./limits.ts";

// grpc-js writes to the console past the log; all it could say reaches the caller as an error.
setLogVerbosity(logVerbosity.NONE);

/** Paths of PEM files. */
export interface TlsFiles {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

interface TlsMaterial {
  readonly ca: Buffer;
  readonly cert: Buffer;
  readonly key: Buffer;
}

/** grpc-js's own `createSsl` cannot ask for TLS 1.3. */
class MutualTls13 extends ServerCredentials {
  constructor(material: TlsMaterial) {
    super(
      {
        requestCert: true,
        rejectUnauthorized: true,
        minVersion: "TLSv1.3",
        settings: {
          initialWindowSize: FLOW_CONTROL_WINDOW,
          maxConcurrentStreams: MAX_CONCURRENT_STREAMS,
        },
      },
      { ...material },
    );
  }

  override _equals(other: ServerCredentials): boolean {
    return this === other;
  }
}

/** @throws GatewayError `tls.invalid` */
export function serverCredentials(files: TlsFiles): ServerCredentials {
  const material = read(files);
  // A wrong pair of files fails here, with its name, and not at the first connection.
  secureContext(files, material);
  return new MutualTls13(material);
}

/**
 * @param onMismatch told when a server shows a certificate of another service or zone
 * @throws GatewayError `tls.invalid`
 */
export function channelCredentials(
  files: TlsFiles,
  expected: PeerIdentity,
  onMismatch: (shown: string) => void,
): ChannelCredentials {
  return ChannelCredentials.createFromSecureContext(secureContext(files, read(files)), {
    // The name in the URI counts; addresses may change without a new certificate.
    checkServerIdentity: (_host: string, cert: PeerCertificate) => {
      const shown = identityOf(cert.subjectaltname);
      if (shown?.zone === expected.zone && shown.service === expected.service) return undefined;
      onMismatch(shown === undefined ? "no identity" : identityUri(shown));
      return new GatewayError("rpc.peer-mismatch", { detail: `expected ${identityUri(expected)}` });
    },
  });
}

function secureContext(files: TlsFiles, material: TlsMaterial) {
  try {
    return createSecureContext({ ...material, minVersion: "TLSv1.3" });
  } catch (cause) {
    throw new GatewayError("tls.invalid", { detail: `${files.cert}, ${files.key}`, cause });
  }
}

function read(files: TlsFiles): TlsMaterial {
  const one = (path: string): Buffer => {
    try {
      return readFileSync(path);
    } catch (cause) {
      throw new GatewayError("tls.invalid", { detail: path, cause });
    }
  };
  return { ca: one(files.ca), cert: one(files.cert), key: one(files.key) };
}
