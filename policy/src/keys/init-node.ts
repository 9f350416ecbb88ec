/** Guarantee: a node gets one key of each use and its zone the root it trusts; what is there stays as it is. */
import { existsSync, mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { type CliContext, type CliInput, EXIT, type ExitCode } from "@lightferry/proto/cli";
import { GatewayError } from "@lightferry/proto/errors";
import { makeRingKey, unlockLocationWarnings } from "@lightferry/proto/keystore";
import {
  CERTIFICATE_USES,
  type Certificate,
  type CertificateUse,
  parseCertificate,
  toPem,
} from "@lightferry/proto/pki";
import { readTrustRoot } from "@lightferry/proto/trust";
import { needed, outFileIfAny, tell, writeNew } from "./options.ts";
import { ringRequests } from "./ring-requests.ts";
import { confirm } from "./terminal.ts";
import {
  onRecord,
  prepareRing,
  ringInfos,
  STORED_USE,
  type ZoneKeys,
  zoneKeys,
} from "./zone-keys.ts";

/** The root that this zone is to trust from now on. It can be compared, not verified: a person answers for it. */
async function rootToPin(
  context: CliContext,
  input: CliInput,
  rootPath: string,
): Promise<Certificate | undefined> {
  const path = input.text("pin");
  if (path === undefined) return undefined;
  const root = parseCertificate(readTrustRoot(path));
  if (root.role !== "root") throw new GatewayError("cli.usage", { detail: "--pin: not a root" });
  if (existsSync(rootPath)) {
    const pinned = parseCertificate(readTrustRoot(rootPath));
    if (pinned.digest === root.digest) return undefined;
    throw new GatewayError("cli.usage", { detail: `${rootPath} holds another root` });
  }
  await confirm(input, context, {
    zh: `信任根证书 ${root.subject}，SM3 摘要 ${root.digest}？`,
    en: `Trust the root ${root.subject}, SM3 digest ${root.digest}?`,
  });
  return root;
}

function pin(rootPath: string, root: Certificate): void {
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

interface Made {
  readonly use: CertificateUse;
  readonly keyId: string;
  /** False when it was there already. */
  readonly made: boolean;
  readonly unlock: string;
}

function makeKeys(keys: ZoneKeys, demo: boolean): Made[] {
  return CERTIFICATE_USES.map((use) => {
    const unlock = prepareRing(keys, use);
    const [present] = ringInfos(keys, use);
    const { keyId } = present ?? makeRingKey(keys.ringDir(use), unlock, STORED_USE[use], { demo });
    return { use, keyId, made: present === undefined, unlock: unlock.file };
  });
}

export async function initNode(context: CliContext, input: CliInput): Promise<ExitCode> {
  const keys = zoneKeys(context, input.text("unlock-dir"));
  const out = outFileIfAny(input);
  const organisation = out === undefined ? undefined : needed(input, "organisation");
  const root = await rootToPin(context, input, keys.rootPath);
  const trusted =
    root === undefined ? {} : { "root-pinned": root.subject, "root-digest": root.digest };
  const rows = await onRecord(input, keys, "init", { role: "node", ...trusted }, (action) => {
    if (root !== undefined) pin(keys.rootPath, root);
    const made = makeKeys(keys, input.flag("demo"));
    action.note({ keys: made.filter((row) => row.made).map(({ keyId }) => keyId) });
    if (out === undefined) return made;
    const requests = CERTIFICATE_USES.flatMap((use) =>
      ringRequests(keys, { use, organisation, provider: action.provider }),
    );
    if (requests.length > 0) writeNew(out, requests.map(({ pem }) => pem).join(""));
    return made;
  });
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
