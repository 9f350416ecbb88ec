/** Guarantee: `keys init` makes a root, an issuing CA or a node's key rings; it replaces nothing that is there. */
import { existsSync, mkdirSync } from "node:fs";
import { dirname } from "node:path";
import {
  type CliContext,
  type CliInput,
  type CliVerb,
  EXIT,
  type ExitCode,
} from "@lightferry/proto/cli";
import { GatewayError } from "@lightferry/proto/errors";
import { makeRingKey, unlockLocationWarnings } from "@lightferry/proto/keystore";
import {
  AUTHORITY_VALIDITY_MS,
  CERTIFICATE_USES,
  type Certificate,
  createIssuer,
  createRoot,
  parseCertificate,
  prepareIssuer,
  toPem,
} from "@lightferry/proto/pki";
import { readTrustRoot } from "@lightferry/proto/trust";
import { CA_OPTIONS, withCa } from "./ca-access.ts";
import {
  assertFree,
  CLOCK_MARGIN_MS,
  clock,
  DAY_MS,
  MAX_DAYS,
  needed,
  OPTIONS,
  tell,
  writeNew,
} from "./options.ts";
import { ringRequests } from "./ring-requests.ts";
import { confirm, withSecret } from "./terminal.ts";
import { prepareRing, ringInfos, STORED_USE, type ZoneKeys, zoneKeys } from "./zone-keys.ts";

function term(input: CliInput, lengthMs: number): { notBeforeMs: number; notAfterMs: number } {
  const days = input.integer("days", { min: 1, max: MAX_DAYS });
  const now = Date.now();
  const length = days === undefined ? lengthMs : days * DAY_MS;
  return { notBeforeMs: now - CLOCK_MARGIN_MS, notAfterMs: now + length };
}

function told(context: CliContext, dir: string, certificate: Certificate, out?: string): void {
  const { subject, digest, keyId, notAfterMs } = certificate;
  if (out !== undefined) writeNew(out, toPem("CERTIFICATE", certificate.der));
  context.emitJson({ dir, subject, digest, keyId, notAfterMs });
  tell(context, {
    zh: `已建立 ${subject}，有效至 ${clock(notAfterMs)}`,
    en: `${subject} is made, good until ${clock(notAfterMs)}`,
  });
  tell(context, {
    zh: `证书摘要（SM3）${digest}，请当面或电话核对`,
    en: `digest of the certificate (SM3) ${digest}: compare it in person or by voice`,
  });
}

async function initRoot(context: CliContext, input: CliInput): Promise<ExitCode> {
  const organisation = needed(input, "organisation");
  const out = input.text("out");
  if (out !== undefined) assertFree(out);
  const commonName = input.text("name") ?? (input.flag("demo") ? "光渡演示根" : "光渡根证书");
  const subject = { organisation, commonName, demo: input.flag("demo") };
  const validity = term(input, AUTHORITY_VALIDITY_MS.root);
  return withCa(
    context,
    input,
    async (ca) => {
      told(context, ca.dir, createRoot({ ...ca, ...subject, ...validity }), out);
      return EXIT.done;
    },
    true,
  );
}

async function initIssuer(context: CliContext, input: CliInput): Promise<ExitCode> {
  const { zone } = context;
  if (zone === undefined) throw new GatewayError("cli.usage", { detail: "--zone" });
  const subject = {
    zone,
    organisation: needed(input, "organisation"),
    demo: input.flag("demo"),
  };
  const rootDir = input.text("root");
  if (rootDir === undefined) {
    const out = assertFree(needed(input, "out"));
    return withCa(
      context,
      input,
      (ca) => {
        writeNew(out, toPem("CERTIFICATE REQUEST", prepareIssuer({ ...ca, ...subject })));
        context.emitJson({ dir: ca.dir, request: out });
        tell(context, {
          zh: `签发申请已写入 ${out}；由根签发后用 keys import --ca 导入`,
          en: `request written to ${out}; when the root has issued it, keys import --ca`,
        });
        return EXIT.done;
      },
      true,
    );
  }
  const out = input.text("out");
  if (out !== undefined) assertFree(out);
  const validity = term(input, AUTHORITY_VALIDITY_MS.issuer);
  return withSecret(
    context,
    input,
    {
      passphraseFile: "root-passphrase-file",
      unlockFile: "root-unlock-file",
      what: { zh: `根 ${rootDir} 的口令`, en: `Passphrase of the root ${rootDir}` },
    },
    (unlock) =>
      withCa(
        context,
        input,
        async (ca) => {
          const root = { dir: rootDir, unlock };
          const made = await createIssuer({ ...ca, ...subject, ...validity, root });
          told(context, ca.dir, made, out);
          return EXIT.done;
        },
        true,
      ),
  );
}

/** Puts the root that this zone trusts in its place. It can be compared, not verified: a person answers for it. */
async function pinRoot(context: CliContext, input: CliInput, rootPath: string): Promise<void> {
  const path = input.text("pin");
  if (path === undefined) return;
  const root = parseCertificate(readTrustRoot(path));
  if (root.role !== "root") throw new GatewayError("cli.usage", { detail: "--pin: not a root" });
  if (existsSync(rootPath)) {
    const pinned = parseCertificate(readTrustRoot(rootPath));
    if (pinned.digest === root.digest) return;
    throw new GatewayError("cli.usage", { detail: `${rootPath} holds another root` });
  }
  await confirm(input, context, {
    zh: `信任根证书 ${root.subject}，SM3 摘要 ${root.digest}？`,
    en: `Trust the root ${root.subject}, SM3 digest ${root.digest}?`,
  });
  mkdirSync(dirname(rootPath), { recursive: true, mode: 0o700 });
  writeNew(rootPath, toPem("CERTIFICATE", root.der));
}

/** Said here, where it is still easy to choose another medium; a demonstration is spared. */
function locationWarnings(keys: ZoneKeys): GatewayError[] {
  return CERTIFICATE_USES.filter((use) => ringInfos(keys, use).some(({ demo }) => !demo)).flatMap(
    (use) =>
      unlockLocationWarnings({
        unlock: { file: keys.unlockFile(use) },
        beside: [keys.ringDir(use)],
      }),
  );
}

async function initNode(context: CliContext, input: CliInput): Promise<ExitCode> {
  const keys = zoneKeys(context, input.text("unlock-dir"));
  const out = input.text("out");
  if (out !== undefined) assertFree(out);
  const organisation = out === undefined ? undefined : needed(input, "organisation");
  await pinRoot(context, input, keys.rootPath);
  const rows = CERTIFICATE_USES.map((use) => {
    const unlock = prepareRing(keys, use);
    const [present] = ringInfos(keys, use);
    const demo = input.flag("demo");
    const made = present ?? makeRingKey(keys.ringDir(use), unlock, STORED_USE[use], { demo });
    return { use, keyId: made.keyId, made: present === undefined, unlock: unlock.file };
  });
  if (out !== undefined) {
    const requests = CERTIFICATE_USES.flatMap((use) => ringRequests(keys, use, organisation));
    if (requests.length > 0) writeNew(out, requests.map(({ pem }) => pem).join(""));
  }
  const warnings = locationWarnings(keys);
  const told = warnings.map(({ code, detail }) => ({ code, detail }));
  context.emitJson({
    ...{ zone: keys.zone, node: keys.node, keys: rows, request: out ?? null, warnings: told },
  });
  context.table(rows, [
    { title: { zh: "用途", en: "USE" }, value: "use" },
    { title: { zh: "密钥编号", en: "KEY ID" }, value: "keyId" },
    {
      title: { zh: "状态", en: "STATE" },
      value: (row) =>
        context.say(row.made ? { zh: "新建", en: "made" } : { zh: "已有", en: "was there" }),
    },
    { title: { zh: "解锁密钥", en: "UNLOCK KEY" }, value: "unlock" },
  ]);
  for (const { row, detail } of warnings) {
    tell(context, { zh: `注意：${row.zh}（${detail}）`, en: `note: ${row.en} (${detail})` });
  }
  return EXIT.done;
}

export const initVerb: CliVerb = {
  name: "init",
  summary: {
    zh: "建立根、签发机构或节点的密钥",
    en: "make a root, an issuing authority or a node's keys",
  },
  usage: "--role root|issuer|node [--ca DIR] [--zone ZONE] [--out FILE]",
  args: [],
  options: {
    role: {
      type: "string",
      value: "ROLE",
      summary: {
        zh: "root 根 | issuer 某一网络的签发机构 | node 节点",
        en: "root | issuer of one zone | node",
      },
    },
    ...CA_OPTIONS,
    organisation: OPTIONS.organisation,
    name: {
      type: "string",
      value: "NAME",
      summary: { zh: "根证书名称", en: "common name of the root" },
    },
    days: {
      type: "string",
      value: "DAYS",
      summary: {
        zh: "有效天数；根默认 20 年，签发机构默认 5 年",
        en: "days it is good for; root 20 years, issuer 5 years by default",
      },
    },
    root: {
      type: "string",
      value: "DIR",
      summary: {
        zh: "根的目录；省略则只写出申请，由根另行签发",
        en: "folder of the root; without it a request is written for the root to answer",
      },
    },
    "root-passphrase-file": {
      type: "string",
      value: "FILE",
      summary: { zh: "根的口令文件", en: "file with the root's passphrase" },
    },
    "root-unlock-file": {
      type: "string",
      value: "FILE",
      summary: { zh: "根的解锁密钥文件", en: "the root's unlock key file" },
    },
    "unlock-dir": OPTIONS["unlock-dir"],
    pin: {
      type: "string",
      value: "FILE",
      summary: {
        zh: "节点信任的根证书；核对摘要后写入本网络",
        en: "root certificate this zone is to trust; compare its digest",
      },
    },
    out: OPTIONS.out,
    demo: OPTIONS.demo,
    yes: OPTIONS.yes,
  },
  examples: [
    {
      command:
        "keys init --role root --ca /media/root/ca --organisation 某市自然资源局 --out root.pem",
      summary: { zh: "在离线机器上建立根", en: "make the root on an offline machine" },
    },
    {
      command:
        "keys init --role issuer --zone extranet --ca ca/extranet --organisation 某市自然资源局 --out ca.csr",
      summary: { zh: "建立外网侧签发机构并写出申请", en: "make an issuer and its request" },
    },
    {
      command:
        "keys init --role node --zone extranet --pin root.pem --organisation 某市自然资源局 --out node.csr",
      summary: {
        zh: "生成节点五种密钥并写出申请",
        en: "make a node's five keys and their requests",
      },
    },
  ],
  run: async (context, input) => {
    const role = input.text("role");
    if (role === "root") return initRoot(context, input);
    if (role === "issuer") return initIssuer(context, input);
    if (role === "node") return initNode(context, input);
    throw new GatewayError("cli.usage", { detail: "--role root | issuer | node" });
  },
};
