/**
 * Guarantee checked: an export is what GB/T 35275 says, seen by programs that share nothing with the
 * writer: `openssl asn1parse` cuts it and `openssl` decrypts and verifies the parts; a reader in
 * Python (cms-reader.py) does all of it on its own.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  bufferSource,
  openBundle,
  readHeader,
  type VerifiedHeader,
  verifyHeader,
} from "../src/bundle/index.ts";
import { integer, joined, objectIdentifier, octetString, setOf } from "../src/cms/der.ts";
import {
  EXPORT_CERTIFICATE_MAX,
  EXPORT_MAX,
  type ExportItem,
  exportStatement,
  type MessageInput,
  signedAndEnvelopedData,
} from "../src/cms/index.ts";
import { signatureToDer } from "../src/sm/der.ts";
import {
  context,
  gather,
  provider,
  recipient,
  sealInput,
  sealToBytes,
  sender,
} from "./bundle-fixture.ts";
import {
  asn1parse,
  body,
  certify,
  openssl,
  opensslMissing,
  type Parsed,
  verifies,
  whole,
  writeKey,
  writePublicKey,
} from "./openssl-command.ts";

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
const refused = (code: string, detail?: string) =>
  expect.objectContaining(detail === undefined ? { code } : { code, detail });

describe("DER", () => {
  it("writes the shortest form", () => {
    const cases: [string, string][] = [
      [hex(joined(integer(0))), "020100"],
      [hex(joined(integer(127))), "02017f"],
      [hex(joined(integer(128))), "02020080"],
      [hex(joined(integer(2 ** 40))), "0206010000000000"],
      [hex(joined(objectIdentifier("1.2.156.10197.1.104.2"))), "06082a811ccf55016802"],
      [hex(joined(octetString(new Uint8Array(127)))).slice(0, 4), "047f"],
      [hex(joined(octetString(new Uint8Array(128)))).slice(0, 6), "048180"],
      [hex(joined(octetString(new Uint8Array(65536)))).slice(0, 10), "0483010000"],
      [hex(joined(setOf(integer(2), integer(1)))), "3106020101020102"],
    ];
    for (const [written, expected] of cases) expect(written).toBe(expected);
  });
});

const reason = opensslMissing();

describe.skipIf(reason !== undefined)(`an export read by others ${reason ?? ""}`, () => {
  const contents = [Buffer.from("短内容"), Buffer.alloc(300_000, 7)];
  const signerKey = provider.generateSm2();
  const readers = [provider.generateSm2(), provider.generateSm2()];
  let folder = "";
  let verified: VerifiedHeader;
  let items: ExportItem[];
  let input: MessageInput;
  let message: Buffer;
  let parsed: Parsed[];
  const path = (name: string) => join(folder, name);
  const put = (name: string, bytes: Uint8Array) => {
    writeFileSync(path(name), bytes);
    return path(name);
  };

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "lightferry-cms-"));
    const bytes = await sealToBytes(sealInput(contents.map((content) => ({ content }))));
    verified = verifyHeader(provider, await readHeader(bufferSource(bytes)), context);
    items = [];
    for await (const item of openBundle(provider, verified, recipient.key)) {
      const { index, salt, entryBytes } = item;
      items.push({ index, salt, entryBytes, content: [await gather(item.content)] });
    }
    const signing = "keyUsage=critical,digitalSignature,nonRepudiation";
    const encrypting = "keyUsage=critical,keyEncipherment,dataEncipherment,keyAgreement";
    input = {
      content: exportStatement(verified, items, Date.now()),
      signer: {
        key: signerKey,
        certificate: certify(folder, "signer", writeKey(path("signer.key"), signerKey), signing),
      },
      recipients: readers.map((key, index) =>
        certify(folder, `reader${index}`, writeKey(path(`reader${index}.key`), key), encrypting),
      ),
      certificates: [],
      atMs: Date.now(),
    };
    message = Buffer.concat(signedAndEnvelopedData(provider, input));
    parsed = asn1parse(put("export.der", message));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  /** Elements directly inside `parent`, by offsets and depth alone. */
  const inside = (list: readonly Parsed[], parent: Parsed | undefined): Parsed[] =>
    parent === undefined
      ? []
      : list.filter(
          ({ offset, depth }) =>
            depth === parent.depth + 1 &&
            offset > parent.offset &&
            offset < parent.offset + parent.header + parent.length,
        );
  const fields = () => inside(parsed, inside(parsed, inside(parsed, parsed[0])[1])[0]);
  const octets = (element: Parsed | undefined) =>
    element === undefined ? new Uint8Array() : body(message, element);
  const oidOf = (algorithm: Parsed | undefined) => inside(parsed, algorithm)[0]?.value;

  it("has the structure of clause 10", () => {
    expect(parsed[0]).toMatchObject({ offset: 0, tag: "SEQUENCE" });
    expect((parsed[0]?.header ?? 0) + (parsed[0]?.length ?? 0)).toBe(message.length);
    expect(inside(parsed, parsed[0]).map(({ tag, value }) => tag + value)).toEqual([
      "OBJECT1.2.156.10197.6.1.4.2.4",
      "cont [ 0 ]",
    ]);
    const [version, recipients, digests, encrypted, certificates, signers, ...more] = fields();
    expect(more).toEqual([]);
    expect(version).toMatchObject({ tag: "INTEGER", value: "01" });
    expect(
      [recipients, digests, encrypted, certificates, signers].map((part) => part?.tag),
    ).toEqual(["SET", "SET", "SEQUENCE", "cont [ 0 ]", "SET"]);
    expect(inside(parsed, digests).map(oidOf)).toEqual(["sm3"]);
    const [type, cipher, sealed] = inside(parsed, encrypted);
    expect(type?.value).toBe("1.2.156.10197.6.1.4.2.1");
    expect(oidOf(cipher)).toBe("sm4-cbc");
    expect(inside(parsed, cipher)[1]).toMatchObject({ tag: "OCTET STRING", length: 16 });
    expect(sealed?.tag).toBe("cont [ 0 ]");
    for (const info of inside(parsed, recipients)) {
      const [one, name, algorithm, key] = inside(parsed, info);
      expect([one?.value, oidOf(algorithm), key?.tag]).toEqual([
        "01",
        "1.2.156.10197.1.301.3",
        "OCTET STRING",
      ]);
      expect(inside(parsed, name).map(({ tag }) => tag)).toEqual(["SEQUENCE", "INTEGER"]);
    }
    const [info, ...others] = inside(parsed, signers);
    expect(others).toEqual([]);
    const [one, , digest, algorithm, signature, ...attributes] = inside(parsed, info);
    expect([
      one?.value,
      oidOf(digest),
      oidOf(algorithm),
      signature?.tag,
      attributes.length,
    ]).toEqual(["01", "sm3", "1.2.156.10197.1.301.1", "OCTET STRING", 0]);
  });

  it("names each certificate as its issuer wrote it", () => {
    const [, recipients, , , , signers] = fields();
    const serials = ["reader0", "reader1", "signer"].map((name) =>
      openssl("x509", "-inform", "DER", "-in", path(`${name}.der`), "-noout", "-serial")
        .toString()
        .trim()
        .replace("serial=", ""),
    );
    const named = [...inside(parsed, recipients), ...inside(parsed, signers)].map(
      (info) => inside(parsed, inside(parsed, info)[1])[1]?.value,
    );
    expect(named.toSorted()).toEqual(serials.toSorted());
  });

  /** Decrypts with the command line alone. @returns the statement. */
  function decrypt(reader: number): Buffer {
    const [, recipients, , encrypted] = fields();
    const own = inside(parsed, recipients).flatMap((info) => {
      const sealed = put("sealed.key", octets(inside(parsed, info)[3]));
      const files = ["-inkey", path(`reader${reader}.key`), "-in", sealed];
      const run = spawnSync("openssl", ["pkeyutl", "-decrypt", ...files, "-pkeyopt", "digest:sm3"]);
      return run.status === 0 ? [run.stdout] : [];
    });
    expect(own).toHaveLength(1);
    expect(own[0]).toHaveLength(16);
    const [, cipher, sealed] = inside(parsed, encrypted);
    const iv = hex(octets(inside(parsed, cipher)[1]));
    const file = put("sealed.content", octets(sealed));
    const key = hex(own[0] ?? new Uint8Array());
    return openssl("enc", "-d", "-sm4-cbc", "-K", key, "-iv", iv, "-in", file);
  }

  it("opens for each recipient, to the statement that was signed", () => {
    for (const reader of [0, 1]) {
      expect(decrypt(reader).equals(Buffer.concat(input.content))).toBe(true);
    }
    const [, , , , certificates, signers] = fields();
    const [certificate] = inside(parsed, certificates);
    if (certificate === undefined) throw new Error("no certificate");
    const der = put("found.der", whole(message, certificate));
    const key = openssl("x509", "-inform", "DER", "-in", der, "-noout", "-pubkey");
    const signer = put("found.pub", key);
    const [info] = inside(parsed, signers);
    const signature = put("found.sig", octets(inside(parsed, info)[4]));
    const statement = decrypt(0);
    expect(verifies(signer, put("statement", statement), signature)).toBe(true);
    expect(verifies(signer, path("statement"), signature, "ALICE123@YAHOO.COM")).toBe(false);
    statement[statement.length - 1] = (statement.at(-1) ?? 0) ^ 1;
    expect(verifies(signer, put("statement", statement), signature)).toBe(false);
  });

  it("embeds the sender's own signature, and the contents that it covers", () => {
    const statement = decrypt(1);
    const lines = asn1parse(put("statement.der", statement));
    const [format, , header, signature, list] = inside(lines, lines[0]);
    expect(format?.value).toBe("lightferry-export/1");
    const cut = (element: Parsed | undefined) =>
      element === undefined ? new Uint8Array() : body(statement, element);
    const original = Buffer.concat([Buffer.from("lightferry/bundle-header/1\0"), cut(header)]);
    const sent = put("sent.sig", signatureToDer(cut(signature)));
    const senderKey = writePublicKey(path("sender.pub"), sender.key.publicKey);
    expect(verifies(senderKey, put("original", original), sent)).toBe(true);
    const exported = inside(lines, list).map((item) => inside(lines, item));
    expect(exported.map(([index]) => index?.value)).toEqual(["00", "01"]);
    for (const [place, [, salt, entry, content]] of exported.entries()) {
      const digest = openssl("dgst", "-sm3", "-r", put("content", cut(content))).toString();
      const named = Buffer.from(digest.split(" ")[0] ?? "", "hex");
      expect(Buffer.from(cut(entry)).includes(named)).toBe(true);
      const opening = Buffer.concat([Buffer.of(0), cut(salt), cut(entry)]);
      const commitment = openssl("dgst", "-sm3", "-r", put("opening", opening)).toString();
      expect(commitment.split(" ")[0]).toBe(
        hex(verified.header.items[place]?.commitment ?? new Uint8Array()),
      );
      expect(Buffer.from(cut(content)).equals(contents[place] ?? Buffer.alloc(0))).toBe(true);
    }
  });

  const imports =
    "import pyasn1; from cryptography.hazmat.primitives.ciphers.algorithms import SM4";
  const python = spawnSync("python3", ["-c", imports]);
  const without = python.status === 0 ? "" : "(no python3 with pyasn1 and cryptography here)";
  it.skipIf(python.status !== 0)(`opens and verifies in an independent reader ${without}`, () => {
    const reader = new URL("cms-reader.py", import.meta.url).pathname;
    const scalar = hex(provider.exportSm2(readers[1] ?? signerKey));
    const files = [reader, path("export.der"), scalar, hex(signerKey.publicKey)];
    const run = spawnSync("python3", files, { maxBuffer: EXPORT_MAX });
    expect(run.stderr.toString()).toBe("");
    expect(run.stdout.equals(Buffer.concat(input.content))).toBe(true);
    const stranger = [...files.slice(0, 2), hex(provider.exportSm2(signerKey)), files[3] ?? ""];
    expect(spawnSync("python3", stranger).status).toBe(1);
  });

  describe("refuses", () => {
    const write = (change: Partial<MessageInput>) => () =>
      signedAndEnvelopedData(provider, { ...input, ...change });
    const code = "export.certificate-unusable";

    it("certificates that are for something else", () => {
      const [reader = new Uint8Array()] = input.recipients;
      const { certificate } = input.signer;
      expect(write({ recipients: [certificate] })).toThrow(refused(code, "key usage"));
      expect(write({ signer: { key: readers[0] ?? signerKey, certificate: reader } })).toThrow(
        refused(code, "key usage"),
      );
      expect(write({ signer: { key: provider.generateSm2(), certificate } })).toThrow(
        refused(code, "not the signing key's"),
      );
      openssl(
        ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"],
        ...["-keyout", path("p256.key"), "-subj", "/CN=p256", "-outform", "DER"],
        ...["-out", path("p256.der")],
      );
      const other = { recipients: [readFileSync(path("p256.der"))], atMs: Date.now() };
      expect(write(other)).toThrow(refused(code, "not an SM2 key"));
    });

    it("certificates out of their time, and what is none", () => {
      const day = 24 * 60 * 60 * 1000;
      for (const atMs of [Date.now() - day, Date.now() + 31 * day]) {
        expect(write({ atMs })).toThrow(refused(code, "validity"));
      }
      const [reader = new Uint8Array()] = input.recipients;
      for (const other of [
        Buffer.of(),
        Buffer.from("no"),
        reader.subarray(1),
        new Uint8Array(EXPORT_CERTIFICATE_MAX + 1),
      ]) {
        expect(write({ recipients: [other] })).toThrow(refused(code));
      }
      expect(write({ recipients: [] })).toThrow(refused(code));
      expect(write({ recipients: Array.from({ length: 17 }, () => reader) })).toThrow(
        refused(code),
      );
    });

    it("more content than its limit, before it is copied", () => {
      // One buffer many times over: the sum counts, not the memory.
      const piece = new Uint8Array(1024 * 1024);
      const content = Array.from({ length: EXPORT_MAX / piece.length }, () => piece);
      expect(write({ content: [...content, Uint8Array.of(0)] })).toThrow(
        refused("export.too-large"),
      );
    });
  });
});
