/** Guarantee: a root or an issuing CA is made in a folder of its own; where the root is elsewhere, its request is. */
import type { CliContext, CliInput, ExitCode } from "@lightferry/proto/cli";
import {
  AUTHORITY_VALIDITY_MS,
  type Certificate,
  createIssuer,
  createRoot,
  prepareIssuer,
  readAuthority,
  toPem,
  type Validity,
} from "@lightferry/proto/pki";
import { type KeyAction, withKeyAction } from "@lightferry/proto/service";
import { type CaWork, withCa } from "./ca-access.ts";
import {
  answered,
  CLOCK_MARGIN_MS,
  clock,
  needed,
  outFile,
  outFileIfAny,
  tell,
  termOf,
  writeNew,
  zoneNamed,
} from "./options.ts";
import { withSecret } from "./terminal.ts";

/** A new passphrase is set, and what is made says whose it is. */
const making = (about: Readonly<Record<string, string>>): CaWork => ({
  ...{ verb: "init", about, fresh: true },
});

function validityOf(input: CliInput, usualMs: number): Validity {
  const now = Date.now();
  return { notBeforeMs: now - CLOCK_MARGIN_MS, notAfterMs: now + (termOf(input) ?? usualMs) };
}

function noted(action: KeyAction, { keyId, serial, subject }: Certificate): void {
  action.note({ keys: [keyId], serials: [serial], about: { subject } });
}

function told(context: CliContext, dir: string, certificate: Certificate, out?: string): ExitCode {
  const { subject, digest, keyId, notAfterMs } = certificate;
  if (out !== undefined) writeNew(out, toPem("CERTIFICATE", certificate.der));
  const words = {
    zh: `已建立 ${subject}，有效至 ${clock(notAfterMs)}`,
    en: `${subject} is made, good until ${clock(notAfterMs)}`,
  };
  const code = answered(context, { dir, subject, digest, keyId, notAfterMs }, words);
  tell(context, {
    zh: `证书摘要（SM3）${digest}，请当面或电话核对`,
    en: `digest of the certificate (SM3) ${digest}: compare it in person or by voice`,
  });
  return code;
}

export async function initRoot(context: CliContext, input: CliInput): Promise<ExitCode> {
  const demo = input.flag("demo");
  const subject = {
    organisation: needed(input, "organisation"),
    commonName: input.text("name") ?? (demo ? "光渡演示根" : "光渡根证书"),
    ...{ demo, ...validityOf(input, AUTHORITY_VALIDITY_MS.root) },
  };
  const out = outFileIfAny(input);
  return withCa(context, input, making({ role: "root" }), (ca, action) => {
    const made = createRoot({ ...ca, ...subject });
    noted(action, made);
    return told(context, ca.dir, made, out);
  });
}

export async function initIssuer(context: CliContext, input: CliInput): Promise<ExitCode> {
  const zone = zoneNamed(context);
  const organisation = needed(input, "organisation");
  const subject = { zone, organisation, demo: input.flag("demo") };
  const rootDir = input.text("root");
  if (rootDir === undefined) {
    const out = outFile(input);
    return withCa(context, input, making({ role: "issuer", zone }), (ca, action) => {
      writeNew(out, toPem("CERTIFICATE REQUEST", prepareIssuer({ ...ca, ...subject })));
      action.note({ keys: [readAuthority(ca.dir).keyId] });
      const words = {
        zh: `签发申请已写入 ${out}；由根签发后用 keys import --ca 导入`,
        en: `request written to ${out}; when the root has issued it, keys import --ca`,
      };
      return answered(context, { dir: ca.dir, request: out }, words);
    });
  }
  const out = outFileIfAny(input);
  const validity = validityOf(input, AUTHORITY_VALIDITY_MS.issuer);
  const secret = {
    passphraseFile: "root-passphrase-file",
    unlockFile: "root-unlock-file",
    what: { zh: `根 ${rootDir} 的口令`, en: `Passphrase of the root ${rootDir}` },
  };
  return withSecret(context, input, secret, (unlock) =>
    withCa(context, input, making({ role: "issuer", zone, root: rootDir }), async (ca, action) => {
      // Two keys, each on record beside its own folder.
      const asRoot = {
        ...{ keyFolder: rootDir, verb: "keys issue", operator: input.text("operator") },
        about: { ca: rootDir, for: ca.dir },
      };
      const made = await withKeyAction(asRoot, async (issuing) => {
        const root = { dir: rootDir, unlock, provider: issuing.provider };
        const issuer = await createIssuer({ ...ca, ...subject, ...validity, root });
        noted(issuing, issuer);
        return issuer;
      });
      noted(action, made);
      return told(context, ca.dir, made, out);
    }),
  );
}
