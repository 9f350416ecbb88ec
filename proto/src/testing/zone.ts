/** Guarantee: a throw-away zone with a CA and a certificate for every service. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createLocalCa, SERVICE_NAMES, type ServiceName, type TlsFiles } from "../rpc/index.ts";

export interface TestZone {
  readonly tls: Record<ServiceName, TlsFiles>;
  /** Folder of the CA; `issueClientCertificate(dir, …)` works on it. */
  readonly dir: string;
  cleanup(): Promise<void>;
}

export async function testZone(zone: string): Promise<TestZone> {
  const dir = await mkdtemp(join(tmpdir(), `lf-zone-${zone}-`));
  const tls = await createLocalCa(dir, zone, SERVICE_NAMES);
  return { tls, dir, cleanup: () => rm(dir, { recursive: true, force: true }) };
}
