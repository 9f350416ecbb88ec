/**
 * Guarantee checked: the openssl command reads and verifies our certificates,
 * requests and lists, and we read what it makes to the same profile. OpenSSL 3.0
 * takes the user id for the certificate in question alone: a chain is verified
 * in pairs, a self-signature and a list over the signed bytes with `pkeyutl`.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  CERTIFICATE_USES,
  createRequest,
  issueCertificate,
  parseCertificate,
  parseRequest,
  parseRevocationList,
  readPkiItems,
  toPem,
  verifyCertificateSignature,
  verifyRevocationList,
} from "@lightferry/proto/pki";
import { DEFAULT_USER_ID, loadProvider } from "@lightferry/proto/sm";
import { type TestPki, testPki } from "@lightferry/proto/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { opensslMissing } from "./openssl-command.ts";

const reason = opensslMissing();

describe.skipIf(reason !== undefined)(`X.509 with the openssl command ${reason ?? ""}`, () => {
  const provider = loadProvider();
  const id = `distid:${DEFAULT_USER_ID}`;
  let folder = "";
  let pki: TestPki;
  const path = (name: string): string => join(folder, name);
  const openssl = (...args: string[]): string =>
    execFileSync("openssl", args, { stdio: "pipe", cwd: folder }).toString();
  const put = (name: string, content: string | Uint8Array): string => {
    writeFileSync(path(name), content);
    return path(name);
  };
  const pem = (name: string, der: Uint8Array): string => put(name, toPem("CERTIFICATE", der));
  const nodeDer = (use: (typeof CERTIFICATE_USES)[number]): Uint8Array =>
    pki.store.chain(pki.keyId("gw-a", use))[0] ?? new Uint8Array();

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "lf-x509-"));
    pki = await testPki({ zones: { alpha: "gw-a", beta: "gw-b" }, mode: "production" });
    pem("root.pem", pki.root);
    pem("ca.pem", pki.issuer("alpha").certificate.der);
    pem("other-ca.pem", pki.issuer("beta").certificate.der);
    for (const use of CERTIFICATE_USES) pem(`${use}.pem`, nodeDer(use));
  });
  afterAll(async () => {
    rmSync(folder, { recursive: true, force: true });
    await pki.cleanup();
  });

  /** Verifies the outer signature of a DER structure with another program's DER reader and SM2. */
  function verifyOuter(der: Uint8Array, signer: string): string {
    const whole = put("whole.der", der);
    const lines = openssl("asn1parse", "-inform", "DER", "-in", whole).trimEnd().split("\n");
    const inner = lines
      .filter((line) => /:d=1 /.test(line))
      .map((line) => Number(line.split(":")[0]));
    const cut = (at: number | undefined, name: string) =>
      openssl(
        "asn1parse",
        "-inform",
        "DER",
        "-in",
        whole,
        "-strparse",
        `${at}`,
        "-noout",
        "-out",
        path(name),
      );
    cut(inner[0], "tbs");
    cut(inner[2], "signature");
    put("signer.pub", openssl("x509", "-in", signer, "-pubkey", "-noout"));
    const files = ["-inkey", path("signer.pub"), "-in", path("tbs"), "-sigfile", path("signature")];
    return openssl(
      "pkeyutl",
      "-verify",
      "-pubin",
      ...files,
      "-rawin",
      "-digest",
      "sm3",
      "-pkeyopt",
      id,
    );
  }

  it("verifies root → issuing CA", () => {
    const verify = ["verify", "-x509_strict", "-vfyopt", id, "-CAfile", path("root.pem")];
    expect(openssl(...verify, path("ca.pem"))).toContain("OK");
    expect(() => openssl(...verify, path("sign.pem"))).toThrow(/unable to get local issuer/);
  });

  it.each(CERTIFICATE_USES)("verifies issuing CA → %s certificate", (use) => {
    const verify = ["verify", "-x509_strict", "-vfyopt", id, "-partial_chain", "-CAfile"];
    expect(openssl(...verify, path("ca.pem"), path(`${use}.pem`))).toContain("OK");
    expect(() => openssl(...verify, path("other-ca.pem"), path(`${use}.pem`))).toThrow();
  });

  it("verifies with our user id and no other", () => {
    const verify = ["verify", "-partial_chain", "-CAfile", path("ca.pem"), path("sign.pem")];
    expect(() => openssl(...verify)).toThrow(/signature failure/);
    const other = ["-vfyopt", "distid:8765432187654321"];
    expect(() => openssl("verify", ...other, ...verify.slice(1))).toThrow(/signature failure/);
  });

  it("refuses a certificate with one bit changed", () => {
    const der = Uint8Array.from(nodeDer("sign"));
    der[der.length - 1] = (der.at(-1) ?? 0) ^ 1;
    const args = ["verify", "-vfyopt", id, "-partial_chain", "-CAfile", path("ca.pem")];
    expect(() => openssl(...args, pem("bad.pem", der))).toThrow(/signature failure/);
  });

  it("verifies the self-signature of the root", () => {
    expect(verifyOuter(pki.root, path("root.pem"))).toContain("Success");
  });

  it("says what the profile says of a certificate", () => {
    const text = openssl("x509", "-in", path("encrypt.pem"), "-noout", "-text");
    expect(text).toContain("Version: 3 (0x2)");
    expect(text).toContain("Signature Algorithm: SM2-with-SM3");
    expect(text).toContain("ASN1 OID: SM2");
    expect(text).toContain("Key Encipherment, Data Encipherment, Key Agreement");
    expect(text).toContain("CA:FALSE");
    expect(text).toContain("URI:lightferry://alpha/gw-a/encrypt");
    expect(openssl("x509", "-in", path("sign.pem"), "-noout", "-text")).toContain(
      "Digital Signature, Non Repudiation",
    );
    expect(openssl("x509", "-in", path("ca.pem"), "-noout", "-text")).toContain(
      "CA:TRUE, pathlen:0",
    );
    const serial = openssl("x509", "-in", path("sign.pem"), "-noout", "-serial").trim();
    expect(serial.toLowerCase()).toBe(`serial=${parseCertificate(nodeDer("sign")).serial}`);
  });

  it("writes the very bytes it read", () => {
    const again = openssl("x509", "-in", path("sign.pem"), "-outform", "PEM");
    expect(readPkiItems(Buffer.from(again))[0]?.der).toEqual(nodeDer("sign"));
  });

  it("verifies our request", () => {
    const key = provider.generateSm2();
    const identity = { zone: "alpha", node: "gw-a", use: "policy" } as const;
    const der = createRequest(provider, key, { identity, organisation: "数据中心", demo: true });
    const file = put("ours.csr", toPem("CERTIFICATE REQUEST", der));
    const verify = spawnSync("openssl", ["req", "-in", file, "-verify", "-noout", "-vfyopt", id], {
      encoding: "utf8",
    });
    expect(verify.stderr + verify.stdout).toMatch(/verify OK/i);
    expect(verify.status).toBe(0);
    const text = openssl("req", "-in", file, "-noout", "-text", "-nameopt", "utf8");
    expect(text).toContain("URI:lightferry://alpha/gw-a/policy");
    expect(text).toContain("O=数据中心");
  });

  it("reads and verifies our list", () => {
    const sign = parseCertificate(nodeDer("sign")).serial;
    const der = pki.revoke(pki.keyId("gw-a", "sign"), "keyCompromise");
    const text = openssl("crl", "-in", put("ours.crl", toPem("X509 CRL", der)), "-noout", "-text");
    expect(text).toContain("Version 2 (0x1)");
    expect(text.toLowerCase()).toContain(`serial number: ${sign}`);
    expect(text).toContain("Key Compromise");
    expect(text).toMatch(/X509v3 CRL Number:\s+2/);
    expect(verifyOuter(der, path("ca.pem"))).toContain("Success");
    expect(() => verifyOuter(der, path("other-ca.pem"))).toThrow();
  });

  describe("made by the command", () => {
    const identifier = (der: string) =>
      openssl("dgst", "-sm3", "-r", put("point", Buffer.from(der, "base64").subarray(-65))).slice(
        0,
        40,
      );
    const keyId = (name: string) => {
      openssl(
        "genpkey",
        "-algorithm",
        "EC",
        "-pkeyopt",
        "ec_paramgen_curve:SM2",
        "-out",
        path(`${name}.key`),
      );
      const text = openssl("pkey", "-in", path(`${name}.key`), "-pubout", "-outform", "PEM");
      return identifier(text.replace(/-----.*-----|\s/g, ""));
    };
    const signing = ["-sm3", "-sigopt", id];
    let rootFile = "";

    beforeAll(() => {
      const ids = { root: keyId("their-root"), ca: keyId("their-ca"), node: keyId("their-node") };
      put(
        "their.cnf",
        `[req]
distinguished_name = name
prompt = no
utf8 = yes
string_mask = utf8only
[name]
C = CN
O = 某单位
CN = their root
[ca_name]
C = CN
O = 某单位
CN = gamma-ca
[node_name]
C = CN
O = 某单位
CN = gw-c-sign
[root]
subjectKeyIdentifier = ${ids.root}
authorityKeyIdentifier = keyid:always
basicConstraints = critical,CA:TRUE,pathlen:1
keyUsage = critical,keyCertSign,cRLSign
[issuer]
subjectKeyIdentifier = ${ids.ca}
authorityKeyIdentifier = keyid:always
basicConstraints = critical,CA:TRUE,pathlen:0
keyUsage = critical,keyCertSign,cRLSign
subjectAltName = URI:lightferry://gamma/ca
[node]
subjectKeyIdentifier = ${ids.node}
authorityKeyIdentifier = keyid:always
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature,nonRepudiation
subjectAltName = URI:lightferry://gamma/gw-c/sign
[asked]
subjectAltName = URI:lightferry://gamma/gw-c/sign
[ca]
default_ca = lists
[lists]
database = index.txt
crlnumber = crlnumber
default_md = sm3
crl_extensions = crl
[crl]
authorityKeyIdentifier = keyid:always
`,
      );
      rootFile = path("their-root.pem");
      const config = ["-config", path("their.cnf")];
      const root = ["-key", path("their-root.key"), "-extensions", "root", "-days", "3650"];
      openssl("req", "-x509", "-new", ...config, ...signing, ...root, "-out", rootFile);
    });

    const issue = (name: string, section: string, subject: string, issuer: string): Uint8Array => {
      const config = put(
        `${name}.cnf`,
        readFileSync(path("their.cnf"), "utf8").replace(
          "distinguished_name = name",
          `distinguished_name = ${subject}`,
        ),
      );
      const asked = section === "node" ? ["-reqexts", "asked"] : [];
      const key = ["-key", path(`${name}.key`), "-out", path(`${name}.csr`)];
      openssl("req", "-new", "-config", config, ...signing, ...asked, ...key);
      const by = ["-CA", path(`${issuer}.pem`), "-CAkey", path(`${issuer}.key`), "-CAcreateserial"];
      const extensions = ["-extfile", path("their.cnf"), "-extensions", section];
      const files = ["-in", path(`${name}.csr`), "-out", path(`${name}.pem`), "-vfyopt", id];
      openssl("x509", "-req", ...signing, ...by, ...extensions, "-days", "365", ...files);
      return readPkiItems(readFileSync(path(`${name}.pem`)))[0]?.der ?? new Uint8Array();
    };

    it("a chain and a request are read and verified", () => {
      const root = parseCertificate(
        readPkiItems(readFileSync(rootFile))[0]?.der ?? new Uint8Array(),
      );
      const ca = parseCertificate(issue("their-ca", "issuer", "ca_name", "their-root"));
      const node = parseCertificate(issue("their-node", "node", "node_name", "their-ca"));
      expect([root.role, ca.role, node.role]).toEqual(["root", "issuer", "node"]);
      expect(root.subject).toBe("C=CN, O=某单位, CN=their root");
      expect(node.identity).toEqual({ zone: "gamma", node: "gw-c", use: "sign" });
      expect(verifyCertificateSignature(provider, root, root)).toBe(true);
      expect(verifyCertificateSignature(provider, ca, root)).toBe(true);
      expect(verifyCertificateSignature(provider, node, ca)).toBe(true);
      expect(verifyCertificateSignature(provider, node, root)).toBe(false);

      const csr = readPkiItems(readFileSync(path("their-node.csr")))[0]?.der ?? new Uint8Array();
      const request = parseRequest(provider, csr);
      expect(request.keyId).toBe(node.keyId);
      const own = pki.issuer("alpha");
      expect(() => issueCertificate(provider, own, csr, own.certificate)).toThrow(/wrong-zone/);

      put("index.txt", "");
      put("crlnumber", "07");
      const by = ["-cert", path("their-ca.pem"), "-keyfile", path("their-ca.key")];
      const config = ["-config", path("their.cnf")];
      const what = ["-revoke", path("their-node.pem"), "-crl_reason", "superseded"];
      openssl("ca", ...config, ...by, ...what);
      const out = ["-gencrl", "-crldays", "30", "-sigopt", id, "-out", path("their.crl")];
      openssl("ca", ...config, ...by, ...out);
      const der = readPkiItems(readFileSync(path("their.crl")))[0]?.der ?? new Uint8Array();
      const list = parseRevocationList(der);
      expect(list.number).toBe(7);
      expect(list.entries).toMatchObject([{ serial: node.serial, reason: "superseded" }]);
      expect(verifyRevocationList(provider, list, ca)).toBe(true);
      expect(verifyRevocationList(provider, list, root)).toBe(false);
    });
  });
});
