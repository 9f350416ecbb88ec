/** Guarantee checked: the trust store and the reader together say of every certificate vector what SPEC §14.4 says. */
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { bufferSource, readHeader, verifyHeader } from "../src/bundle/index.ts";
import { asGatewayError } from "../src/errors/index.ts";
import { loadProvider } from "../src/sm/index.ts";
import { TrustStore } from "../src/trust/index.ts";
import { pkiItem } from "../vectors/pki/make.ts";
import type { CertificateVector, ImportVector } from "../vectors/vector.ts";

const provider = loadProvider();
const folder = new URL("../vectors/certificates/", import.meta.url);
const vectors = readdirSync(folder)
  .sort()
  .map(
    (name) =>
      JSON.parse(readFileSync(new URL(name, folder), "utf8")) as CertificateVector | ImportVector,
  );
const ofBundles = vectors.filter((vector) => "bundle" in vector);
const ofImports = vectors.filter((vector) => "imports" in vector);

function storeOf(context: ImportVector["context"] & { readonly denied?: readonly string[] }) {
  const { root, mode, known, lists, denied = [] } = context;
  return TrustStore.build(provider, {
    root: pkiItem(root),
    mode,
    set: {
      version: 1,
      certificates: known.map(pkiItem),
      revocationLists: lists.map(pkiItem),
      denials: denied.map((keyId) => ({ keyId, deniedMs: 1, reason: "", actor: "" })),
    },
  });
}

async function verdictOn({ context, bundle }: CertificateVector) {
  const { now, lane, sender, self, zones } = context;
  const keys = storeOf(context).keyDirectory((node) => zones[node]);
  try {
    const received = await readHeader(bufferSource(Buffer.from(bundle, "base64")));
    verifyHeader(provider, received, { now, lane, sender, self, keys });
    return "accepted";
  } catch (error) {
    return { code: asGatewayError(error).code };
  }
}

describe("certificate vectors", () => {
  it("show every code of SPEC §14.4", () => {
    const shown = new Set(JSON.stringify(vectors).match(/certificate\.[a-z-]+/g));
    const text = readFileSync(new URL("../SPEC.md", import.meta.url), "utf8");
    const rules = text.slice(text.indexOf("### 14.4"), text.indexOf("### 14.5"));
    const named = new Set(rules.match(/certificate\.[a-z-]+/g));
    expect([...named].filter((code) => !shown.has(code))).toEqual([]);
    expect(named.size).toBeGreaterThan(5);
  });

  it.each(ofBundles.map((vector) => [vector.name, vector] as const))("%s", async (_, vector) => {
    expect(await verdictOn(vector)).toEqual(vector.expect);
  });

  it.each(ofImports.map((vector) => [vector.name, vector] as const))("%s", (_, vector) => {
    const store = storeOf(vector.context);
    const said = vector.imports.map(({ item }) => {
      const { status, code } = store.judge(pkiItem(item), vector.context.now);
      return code === undefined ? { item, status } : { item, status, code };
    });
    expect(said).toEqual(vector.imports);
  });
});
