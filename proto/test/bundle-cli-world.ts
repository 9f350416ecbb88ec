/**
 * Guarantee: tests of the bundle commands have one sealed bundle of two items in a folder, the
 * certificates to judge it by, an installation that is none of its business, and the commands.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll } from "vitest";
import { noun } from "../cli/bundle.ts";
import { openBundle, readHeader, verifyHeader } from "../src/bundle/index.ts";
import { formatId } from "../src/ids.ts";
import { createRequest, issueCertificate } from "../src/pki/index.ts";
import { runCaptured, type Said } from "../src/testing/captured.ts";
import { type TestPki, testPki } from "../src/testing/pki.ts";
import {
  context,
  DAY,
  NOW,
  type Party,
  policy,
  provider,
  sealInput,
  sealToBytes,
  sender,
} from "./bundle-fixture.ts";

export const AT = new Date(NOW + 1000).toISOString();
export const contents = [Buffer.from("first"), Buffer.alloc(10_000, 3)];
export let pki: TestPki;
export let other: TestPki;
let folder = "";
export let bytes: Buffer;
export let bundle = "";
export let exchange = "";
export let certificates: Uint8Array[] = [];

export const path = (name: string) => join(folder, name);
export function put(name: string, content: Uint8Array | string): string {
  writeFileSync(path(name), content);
  return path(name);
}

export const run = (...argv: string[]): Promise<Said> => runCaptured(noun, argv, "en_GB.UTF-8");

export interface Answer {
  readonly steps?: readonly { id: string; result: string; code?: string }[];
  readonly fault?: unknown;
}

export async function runJson(...argv: string[]): Promise<{ code: number; json: Answer }> {
  const { code, out } = await run(...argv, "--json");
  return { code, json: JSON.parse(out) as Answer };
}

/** A certificate for a key of the fixture. */
function certify(owner: Party, use: "sign" | "policy"): Uint8Array {
  const identity = { zone: "extranet", node: owner.nodeId, use };
  const request = createRequest(provider, owner.key, {
    identity,
    organisation: "test",
    demo: true,
  });
  const validity = { notBeforeMs: NOW - DAY, notAfterMs: NOW + 300 * DAY };
  return issueCertificate(provider, pki.issuer("extranet"), request, validity);
}

/** Registers the hooks; a test file calls it once. */
export function bundleCliWorld(): void {
  beforeAll(async () => {
    const zones = { extranet: "node-extranet", business: "node-business" };
    folder = mkdtempSync(join(tmpdir(), "lightferry-bundle-cli-"));
    pki = await testPki({ zones });
    other = await testPki({ zones });
    const reader = "node-business";
    certificates = [
      certify(sender, "sign"),
      certify(policy, "policy"),
      pki.issuer("extranet").certificate.der,
    ];
    const input = sealInput(
      contents.map((content) => ({ content })),
      {
        certificates,
        recipients: [
          {
            nodeId: reader,
            keyId: pki.keyId(reader, "encrypt"),
            publicKey: pki.key(reader, "encrypt").publicKey,
          },
        ],
      },
    );
    bytes = Buffer.from(await sealToBytes(input));
    bundle = put("good.lfb", bytes);
    const verified = verifyHeader(provider, await readHeader(bundle), context);
    for await (const item of openBundle(provider, verified, pki.key(reader, "encrypt"))) {
      if (item.index === 1) exchange = formatId(item.entry.exchangeId);
    }
  });
  afterAll(async () => {
    await pki.cleanup();
    await other.cleanup();
    rmSync(folder, { recursive: true });
  });
}
