/** Guarantee: `keys issue` shows every request before it signs any, and hands out only what the CA's journal holds. */
import type { CliContext, CliInput, CliVerb } from "@lightferry/proto/cli";
import { GatewayError } from "@lightferry/proto/errors";
import {
  AUTHORITY_VALIDITY_MS,
  type AuthorityState,
  CERTIFICATE_VALIDITY_MS,
  type Certificate,
  issueTo,
  parseRequest,
  readAuthority,
  type SigningRequest,
  toPem,
  type Validity,
  vouchersAt,
} from "@lightferry/proto/pki";
import { loadProvider } from "@lightferry/proto/sm";
import { withCa } from "./ca-access.ts";
import {
  answered,
  CA_OPTIONS,
  CLOCK_MARGIN_MS,
  clock,
  example,
  needed,
  OPTIONS,
  outFile,
  readItems,
  tell,
  termOf,
  timeOf,
  valued,
  writeNew,
} from "./options.ts";
import { confirm } from "./terminal.ts";

const HOUR_MS = 3_600_000;
/** The other zone hears of a new key before it is used: once a day a medium goes even where no lane does. */
const ANNOUNCE_HOURS = 24;
const MAX_ANNOUNCE_HOURS = 31 * 24;
/** A person compares each before saying yes; one line of the record names them all. */
const MAX_REQUESTS = 256;

interface Planned {
  readonly request: SigningRequest;
  readonly validity: Validity;
}

/** A key that replaces one in force is announced first; a first key begins at once. */
function begin(input: CliInput, ca: AuthorityState, request: SigningRequest, now: number): number {
  const asked = timeOf(input, "not-before");
  if (asked !== undefined) return asked;
  const hours = input.integer("announce", { min: 0, max: MAX_ANNOUNCE_HOURS });
  if (hours !== undefined) return hours === 0 ? now - CLOCK_MARGIN_MS : now + hours * HOUR_MS;
  const replaces = ca.issued.some(
    ({ certificate, revoked }) =>
      certificate.zone === request.zone &&
      certificate.identity?.node === request.identity?.node &&
      certificate.identity?.use === request.identity?.use &&
      revoked === undefined &&
      certificate.notAfterMs > now,
  );
  return replaces ? now + ANNOUNCE_HOURS * HOUR_MS : now - CLOCK_MARGIN_MS;
}

function plan(input: CliInput, ca: AuthorityState, der: Uint8Array): Planned {
  const request = parseRequest(loadProvider(), der, vouchersAt(ca, Date.now()));
  const notBeforeMs = begin(input, ca, request, Date.now());
  const asked = termOf(input);
  const use = request.identity?.use;
  const usual = use === undefined ? AUTHORITY_VALIDITY_MS.issuer : CERTIFICATE_VALIDITY_MS[use];
  const wanted = notBeforeMs + (asked ?? usual);
  // Without a wish for more, a certificate ends with its CA.
  const last = ca.certificate?.notAfterMs ?? wanted;
  return {
    request,
    validity: { notBeforeMs, notAfterMs: asked === undefined ? Math.min(wanted, last) : wanted },
  };
}

function show(context: CliContext, plans: readonly Planned[]): void {
  for (const { request, validity } of plans) {
    const { subject, keyId, digest, vouchedBy } = request;
    const vouched =
      vouchedBy === undefined
        ? { zh: "", en: "" }
        : {
            zh: `\n  密码机加密密钥不能签名，由本节点签名密钥 ${vouchedBy} 担保`,
            en: `\n  an encryption key in a cipher machine signs nothing; the node's signing key ${vouchedBy} vouches for it`,
          };
    tell(context, {
      zh: `将签发 ${subject}\n  密钥 ${keyId}\n  申请摘要（SM3）${digest}${vouched.zh}\n  有效期 ${clock(validity.notBeforeMs)} 至 ${clock(validity.notAfterMs)}`,
      en: `to issue: ${subject}\n  key ${keyId}\n  digest of the request (SM3) ${digest}${vouched.en}\n  valid ${clock(validity.notBeforeMs)} to ${clock(validity.notAfterMs)}`,
    });
  }
}

/** The certificates, and what verifies them at the other end: the CA, its root and the newest list. */
function answer(dir: string, issued: readonly Certificate[]): string {
  const { certificate, root, list } = readAuthority(dir);
  const chain = new Map(
    [...issued, certificate, root].flatMap((one) =>
      one === undefined ? [] : [[one.digest, one] as const],
    ),
  );
  const pems = [...chain.values()].map((one) => toPem("CERTIFICATE", one.der));
  return [...pems, ...(list === undefined ? [] : [toPem("X509 CRL", list.der)])].join("");
}

export const issueVerb: CliVerb = {
  name: "issue",
  summary: { zh: "签发证书（先显示，后签发）", en: "issue certificates: shown first, then signed" },
  usage: "--ca DIR --request FILE --out FILE [--days N]",
  args: [],
  options: {
    ...CA_OPTIONS,
    request: valued("FILE", "签发申请，可含多份", "request file, may hold several"),
    out: OPTIONS.out,
    "not-before": valued("TIME", "生效时间", "when it begins"),
    announce: valued(
      "HOURS",
      `提前公告的小时数；替换在用密钥时默认 ${ANNOUNCE_HOURS}`,
      `hours of announcement; ${ANNOUNCE_HOURS} by default where it replaces a key in use`,
    ),
    days: OPTIONS.days,
    yes: OPTIONS.yes,
  },
  examples: [
    example(
      "keys issue --ca ca/extranet --request node.csr --out node.pem",
      "为节点签发",
      "for a node",
    ),
  ],
  run: async (context, input) => {
    const dir = needed(input, "ca");
    const out = outFile(input);
    const items = readItems(needed(input, "request"));
    if (items.length === 0 || items.some(({ label }) => label !== "CERTIFICATE REQUEST")) {
      throw new GatewayError("cli.usage", { detail: "--request: requests alone" });
    }
    if (items.length > MAX_REQUESTS) {
      throw new GatewayError("cli.usage", { detail: `--request: at most ${MAX_REQUESTS}` });
    }
    const ca = readAuthority(dir);
    const plans = items.map(({ der }) => plan(input, ca, der));
    show(context, plans);
    await confirm(input, context, {
      zh: `用 ${ca.certificate?.subject ?? dir} 签发以上 ${plans.length} 份证书？`,
      en: `Issue these ${plans.length} certificates by ${ca.certificate?.subject ?? dir}?`,
    });
    const issued: Certificate[] = [];
    try {
      const about = { requests: String(plans.length) };
      await withCa(context, input, { verb: "issue", about }, async (access, action) => {
        for (const { request, validity } of plans) {
          const made = await issueTo(access, request.der, validity);
          issued.push(made);
          action.note({ keys: [made.keyId], serials: [made.serial] });
        }
      });
    } finally {
      // What was signed before one was refused is signed, and handed out.
      if (issued.length > 0) writeNew(out, answer(dir, issued));
    }
    const rows = issued.map(({ serial, keyId, subject, notBeforeMs, notAfterMs }) => ({
      ...{ serial, keyId, subject, notBeforeMs, notAfterMs },
    }));
    return answered(
      context,
      { out, issued: rows },
      {
        zh: `已签发 ${issued.length} 份，连同签发机构证书与吊销列表写入 ${out}`,
        en: `${issued.length} issued; written to ${out} with the authority's certificate and list`,
      },
    );
  },
};
