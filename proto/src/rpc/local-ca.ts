/**
 * Guarantee: a zone's own transport CA. Issuing again keeps every certificate
 * that is still good, so a restart changes nothing; keys are readable by their
 * owner only, and each file is complete or absent.
 */
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  X509Certificate,
} from "node:crypto";
import { chmod, mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { GatewayError } from "../errors/index.ts";
import { checkZoneName, identityUri, type ServiceName } from "./identity.ts";
import type { TlsFiles } from "./tls.ts";
import { buildCertificate, type CertificateRequest, pem } from "./x509.ts";

const DAY_MS = 86_400_000;
/** Longer than a node stays in service, so that it is replaced with the node. */
const CA_DAYS = 3_650;
/** Two years: long enough for an unattended site, short enough that renewal is practised. */
const SERVICE_DAYS = 730;
/** A certificate this close to its end is issued again at the next start. */
const RENEW_DAYS = 30;
/** Clocks of one zone may differ a little; a certificate must not be "not yet valid". */
const BACKDATE_MS = 3_600_000;

/** A caller id becomes a file name and a common name (RFC 5280: at most 64 characters). */
const CALLER_ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

export interface ClientCertificate {
  readonly cert: string;
  readonly key: string;
  /** SHA-256 over the DER, 64 lower-case hex digits, as the registry lists it. */
  readonly fingerprint: string;
}

/**
 * Makes or completes the CA of a zone in `dir`: `ca.pem`, `ca.key.pem`, and
 * `<service>.pem`, `<service>.key.pem` for each service.
 * @param options.hosts names and addresses besides localhost and 127.0.0.1
 * @throws GatewayError `config.invalid`, `tls.invalid`
 */
export async function createLocalCa(
  dir: string,
  zone: string,
  services: readonly ServiceName[],
  options: { hosts?: readonly string[] } = {},
): Promise<Record<ServiceName, TlsFiles>> {
  checkZoneName(zone);
  await mkdir(dir, { recursive: true });
  const ca = await loadOrCreateCa(dir, zone);
  const result: Partial<Record<ServiceName, TlsFiles>> = {};
  for (const service of services) {
    const files = {
      ca: ca.certPath,
      cert: join(dir, `${service}.pem`),
      key: keyPath(dir, service),
    };
    result[service] = files;
    if (await stillGood(files.cert, files.key, ca.cert)) continue;
    await issue(ca, files, {
      commonName: `${zone} ${service}`,
      purpose: "service",
      uri: identityUri({ zone, service }),
      hosts: ["localhost", "127.0.0.1", ...(options.hosts ?? [])],
    });
  }
  return result as Record<ServiceName, TlsFiles>;
}

/**
 * Issues (or returns) the certificate by which a business system calls the API.
 * Its common name is the caller id; it names no service, so RPC refuses it.
 * @throws GatewayError `config.invalid`, `tls.invalid`
 */
export async function issueClientCertificate(
  dir: string,
  callerId: string,
): Promise<ClientCertificate> {
  if (!CALLER_ID.test(callerId)) {
    throw new GatewayError("config.invalid", { detail: `caller id ${JSON.stringify(callerId)}` });
  }
  const ca = await loadCa(dir);
  const folder = join(dir, "clients");
  await mkdir(folder, { recursive: true });
  const files = { cert: join(folder, `${callerId}.pem`), key: keyPath(folder, callerId) };
  if (!(await stillGood(files.cert, files.key, ca.cert))) {
    await issue(ca, files, { commonName: callerId, purpose: "client" });
  }
  const cert = new X509Certificate(await readFile(files.cert));
  return { ...files, fingerprint: cert.fingerprint256.replaceAll(":", "").toLowerCase() };
}

interface Ca {
  readonly certPath: string;
  readonly cert: X509Certificate;
  readonly commonName: string;
  readonly privateKey: KeyObject;
}

async function loadOrCreateCa(dir: string, zone: string): Promise<Ca> {
  const existing = await readFile(join(dir, "ca.pem")).catch(() => undefined);
  if (existing !== undefined) return loadCa(dir);
  const commonName = `Lightferry transport CA ${zone}`;
  const { privateKey, publicKey } = newKey();
  const notBefore = new Date(Date.now() - BACKDATE_MS);
  const certificate = buildCertificate({
    commonName,
    issuerCommonName: commonName,
    publicKey,
    issuerPublicKey: publicKey,
    issuerPrivateKey: privateKey,
    notBefore,
    notAfter: new Date(notBefore.getTime() + CA_DAYS * DAY_MS),
    purpose: "ca",
  });
  await writeKey(keyPath(dir, "ca"), privateKey);
  await writeWhole(join(dir, "ca.pem"), pem(certificate), 0o644);
  return loadCa(dir);
}

async function loadCa(dir: string): Promise<Ca> {
  const certPath = join(dir, "ca.pem");
  try {
    const cert = new X509Certificate(await readFile(certPath));
    const privateKey = createPrivateKey(await readFile(keyPath(dir, "ca")));
    const [, commonName = ""] = /^CN=(.*)$/m.exec(cert.subject) ?? [];
    return { certPath, cert, commonName, privateKey };
  } catch (cause) {
    throw new GatewayError("tls.invalid", { detail: certPath, cause });
  }
}

async function issue(
  ca: Ca,
  files: { cert: string; key: string },
  subject: Pick<CertificateRequest, "commonName" | "purpose" | "uri" | "hosts">,
): Promise<void> {
  const { privateKey, publicKey } = newKey();
  const notBefore = new Date(Date.now() - BACKDATE_MS);
  const certificate = buildCertificate({
    ...subject,
    issuerCommonName: ca.commonName,
    publicKey,
    issuerPublicKey: createPublicKey(ca.privateKey),
    issuerPrivateKey: ca.privateKey,
    notBefore,
    notAfter: new Date(notBefore.getTime() + SERVICE_DAYS * DAY_MS),
  });
  await writeKey(files.key, privateKey);
  await writeWhole(files.cert, pem(certificate), 0o644);
}

/** True when both files are there, belong together and to the CA, and have time left. */
async function stillGood(
  certPath: string,
  privateKeyPath: string,
  ca: X509Certificate,
): Promise<boolean> {
  try {
    const cert = new X509Certificate(await readFile(certPath));
    const key = createPrivateKey(await readFile(privateKeyPath));
    return (
      cert.checkIssued(ca) &&
      cert.verify(ca.publicKey) &&
      cert.checkPrivateKey(key) &&
      Date.parse(cert.validTo) - Date.now() > RENEW_DAYS * DAY_MS
    );
  } catch {
    return false;
  }
}

function newKey(): { privateKey: KeyObject; publicKey: KeyObject } {
  return generateKeyPairSync("ec", { namedCurve: "P-256" });
}

function keyPath(dir: string, name: string): string {
  return join(dir, `${name}.key.pem`);
}

async function writeKey(path: string, key: KeyObject): Promise<void> {
  await writeWhole(path, key.export({ type: "pkcs8", format: "pem" }).toString(), 0o600);
}

async function writeWhole(path: string, text: string, mode: number): Promise<void> {
  const fresh = `${path}.${randomBytes(4).toString("hex")}`;
  await writeFile(fresh, text, { mode });
  await chmod(fresh, mode);
  await rename(fresh, path);
}
