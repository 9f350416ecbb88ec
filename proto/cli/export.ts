/** Guarantee: `lightferry bundle export` writes a GB/T 35275 message only of a verified bundle and of contents whose digests hold. */
import type { OpenedItem } from "../src/bundle/index.ts";
import { type CliInput, type CliVerb, EXIT } from "../src/cli/index.ts";
import {
  EXPORT_MAX,
  type ExportItem,
  exportStatement,
  type MessageSigner,
  signedAndEnvelopedData,
} from "../src/cms/index.ts";
import { GatewayError } from "../src/errors/index.ts";
import type { KeyRing } from "../src/keystore/index.ts";
import { parseCertificate } from "../src/pki/index.ts";
import type { KeyAction } from "../src/service/index.ts";
import { loadProvider, type SmProvider } from "../src/sm/index.ts";
import {
  AT_OPTION,
  FILE_ARG,
  many,
  needed,
  readItems,
  TRUST_OPTIONS,
  verifiedOf,
} from "./evidence.ts";
import { writeNew } from "./files.ts";
import { eachOpened, ITEM_OPTIONS, wantedOf } from "./opened.ts";
import { RING_OPTIONS, type RingWork, withRecipientRing, withRing } from "./ring.ts";
import { idText, sizeText } from "./words.ts";

export const exportBundle: CliVerb = {
  name: "export",
  summary: {
    zh: "导出为 GB/T 35275 签名及数字信封（DER）",
    en: "export as GB/T 35275 signedAndEnvelopedData (DER)",
  },
  usage: "<FILE> --root ROOT.pem --recipient CERT.pem --out FILE.der …",
  args: [FILE_ARG],
  options: {
    ...ITEM_OPTIONS,
    out: {
      type: "string",
      value: "FILE.der",
      summary: { zh: "导出写入的文件", en: "file to write the export to" },
    },
    recipient: {
      type: "string",
      value: "CERT.pem",
      multiple: true,
      summary: {
        zh: "收件人的 SM2 加密证书；可多次；其可信与否由操作员核对",
        en: "SM2 encryption certificate of a recipient; repeatable; the operator vouches for it",
      },
    },
    "signer-ring": {
      type: "string",
      value: "DIR",
      summary: { zh: "导出方的签名密钥目录", en: "folder of the exporter's signing keys" },
    },
    "signer-unlock": {
      type: "string",
      value: "FILE",
      summary: { zh: "解锁该目录的文件", en: "unlock file of that folder" },
    },
    "signer-certificate": {
      type: "string",
      value: "CERT.pem",
      summary: {
        zh: "导出方的签名证书，可附签发机构证书",
        en: "signing certificate of the exporter, with its issuers if wanted",
      },
    },
    ...TRUST_OPTIONS,
    at: AT_OPTION,
    ...RING_OPTIONS,
  },
  examples: [
    {
      command:
        "bundle export bundle.lfb --root root.pem --ring keys/encrypt --unlock keys/encrypt.unlock --recipient auditor.pem --signer-ring keys/sign --signer-unlock keys/sign.unlock --signer-certificate sign.pem --out bundle.der",
      summary: { zh: "导出给审计方", en: "export for an auditor" },
    },
  ],
  run: async (context, input) => {
    const provider = loadProvider();
    const out = needed(input, "out");
    needed(input, "ring");
    needed(input, "signer-ring");
    const recipients = many(input, "recipient").flatMap(certificatesIn);
    if (recipients.length === 0) throw new GatewayError("cli.usage", { detail: "--recipient" });
    const wanted = wantedOf(input) ?? (() => true);
    const chain = certificatesIn(needed(input, "signer-certificate"));
    const verified = await verifiedOf(provider, input, input.positionals[0] ?? "");
    const about = { bundle: idText(verified.header.bundleId), out };
    const opening = async (ring: KeyRing, action: KeyAction) => {
      const taken: ExportItem[] = [];
      const room = { left: EXPORT_MAX };
      await eachOpened(action.provider, verified, ring, wanted, async (item) => {
        taken.push(await contentOf(item, room));
      });
      return taken;
    };
    const items = await withRecipientRing(input, "bundle export", verified, opening, out);
    const message = await withSigner(input, chain, about, (signer, signing) =>
      signedAndEnvelopedData(signing, {
        content: exportStatement(verified, items, Date.now()),
        signer,
        recipients,
        certificates: [...chain, ...verified.header.certificates],
        atMs: Date.now(),
      }),
    );
    writeNew(out, message);
    const bytes = message.reduce((sum, piece) => sum + piece.length, 0);
    context.emitJson({ out, bytes, items: items.length, recipients: recipients.length });
    context.out(
      context.say({
        zh: `已导出 ${items.length} 个条目到 ${out}（${sizeText(bytes)} 字节），由导出方签名`,
        en: `${items.length} items exported to ${out} (${sizeText(bytes)} bytes), signed by the exporter`,
      }),
    );
    return EXIT.done;
  },
};

/** @throws GatewayError `export.too-large` before a content is read that does not fit. */
async function contentOf(item: OpenedItem, room: { left: number }): Promise<ExportItem> {
  room.left -= item.entry.size;
  if (room.left < 0) throw new GatewayError("export.too-large", { detail: `item ${item.index}` });
  const content: Uint8Array[] = [];
  for await (const piece of item.content) content.push(Uint8Array.from(piece));
  const { index, salt, entryBytes } = item;
  return { index, salt, entryBytes, content };
}

/** The certificate of the chain whose private key lies in the signer's ring. */
function withSigner<T>(
  input: CliInput,
  chain: readonly Uint8Array[],
  about: RingWork["about"],
  work: (signer: MessageSigner, provider: SmProvider) => T,
): Promise<T> {
  const options = { dir: "signer-ring", unlock: "signer-unlock" };
  const wanted = { use: "node-sign", verb: "bundle export", about, options } as const;
  return withRing(input, wanted, (ring, { provider }) => {
    for (const certificate of chain) {
      const key = ring.privateKey(parseCertificate(certificate).keyId);
      if (key !== undefined) return work({ key, certificate }, provider);
    }
    throw new GatewayError("export.certificate-unusable", { detail: "no key of it in the ring" });
  });
}

function certificatesIn(path: string): Uint8Array[] {
  return readItems(path)
    .filter(({ label }) => label === "CERTIFICATE")
    .map(({ der }) => der);
}
