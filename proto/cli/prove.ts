/** Guarantee: `lightferry bundle prove` makes a stand-alone proof of one exchange, or checks one with the root alone. */
import {
  type CliContext,
  type CliInput,
  type CliVerb,
  EXIT,
  type ExitCode,
  readUpTo,
} from "../src/cli/index.ts";
import { GatewayError } from "../src/errors/index.ts";
import type { KeyRing } from "../src/keystore/index.ts";
import {
  checkContent,
  checkProof,
  decodeProof,
  encodeProof,
  PROOF_MAX,
  type ProvenExchange,
  presentedBy,
  proveItem,
  provePermission,
} from "../src/proof/index.ts";
import type { KeyAction } from "../src/service/index.ts";
import { loadProvider } from "../src/sm/index.ts";
import { AT_OPTION, FILE_ARG, keysOf, needed, TRUST_OPTIONS, verifiedOf } from "./evidence.ts";
import { printFacts } from "./facts.ts";
import { fileOf, writeNew } from "./files.ts";
import { eachOpened, ITEM_OPTIONS, wantedOf } from "./opened.ts";
import { RING_OPTIONS, withRecipientRing } from "./ring.ts";
import { hex, idText, sizeText, timeJson, timeText } from "./words.ts";

export const prove: CliVerb = {
  name: "prove",
  summary: {
    zh: "为一次交换出具独立证明，或核验一份证明",
    en: "make a stand-alone proof of one exchange, or check one",
  },
  usage: "<FILE> --root ROOT.pem --item N --out PROOF | --check PROOF --root ROOT.pem",
  args: [{ ...FILE_ARG, optional: true }],
  options: {
    ...ITEM_OPTIONS,
    out: {
      type: "string",
      value: "PROOF",
      summary: { zh: "证明写入的文件", en: "file to write the proof to" },
    },
    permission: {
      type: "boolean",
      summary: {
        zh: "只证明策略放行，不显示其他条目的裁决，也不证明已封装",
        en: "prove the permission alone: shows no verdicts of others, says nothing of sealing",
      },
    },
    check: {
      type: "string",
      value: "PROOF",
      summary: { zh: "核验这份证明", en: "check this proof" },
    },
    content: {
      type: "string",
      value: "FILE",
      summary: { zh: "与证明比对的内容文件", en: "content to compare with the proof" },
    },
    ...TRUST_OPTIONS,
    at: AT_OPTION,
    ...RING_OPTIONS,
  },
  examples: [
    {
      command:
        "bundle prove bundle.lfb --root root.pem --item 3 --ring keys/encrypt --unlock keys/encrypt.unlock --out proof.json",
      summary: {
        zh: "证明第 3 个条目及其内容摘要",
        en: "prove item 3 and the digest of its content",
      },
    },
    {
      command: "bundle prove --check proof.json --root root.pem --content file.zip",
      summary: {
        zh: "只凭根证书核验证明与内容",
        en: "check proof and content with the root alone",
      },
    },
  ],
  run: (context, input) => {
    const checked = input.text("check");
    return checked === undefined ? make(context, input) : check(context, input, checked);
  },
};

async function make(context: CliContext, input: CliInput): Promise<ExitCode> {
  const provider = loadProvider();
  const [file] = input.positionals;
  const wanted = wantedOf(input);
  if (file === undefined || wanted === undefined) {
    throw new GatewayError("cli.usage", { detail: file === undefined ? "<FILE>" : "--item" });
  }
  const out = needed(input, "out");
  const verified = await verifiedOf(provider, input, file);
  const form = input.flag("permission") ? provePermission : proveItem;
  const item = input.integer("item", { min: 0, max: Number.MAX_SAFE_INTEGER });
  let proof: ReturnType<typeof form> | undefined;
  if (input.text("ring") !== undefined) {
    const opening = (ring: KeyRing, action: KeyAction) =>
      eachOpened(action.provider, verified, ring, wanted, (opened) => {
        proof = form(verified, opened.index, opened);
      });
    await withRecipientRing(input, "bundle prove", verified, opening, out);
  } else {
    if (item === undefined) throw new GatewayError("cli.usage", { detail: "--exchange: --ring" });
    proof = form(verified, item);
  }
  if (proof === undefined) throw new GatewayError("proof.no-such-item");
  const bytes = encodeProof(proof);
  writeNew(out, [bytes]);
  context.emitJson({
    out,
    bytes: bytes.length,
    form: proof.form,
    opened: proof.opening !== undefined,
  });
  context.out(
    context.say({
      zh: `证明已写入 ${out}（${sizeText(bytes.length)} 字节）`,
      en: `proof written to ${out} (${sizeText(bytes.length)} bytes)`,
    }),
  );
  if (proof.opening === undefined) {
    context.out(
      context.say({
        zh: "未打开条目：证明只含承诺，加 --ring 可显示内容摘要",
        en: "not opened: the proof shows the commitment only; --ring adds the content's digest",
      }),
    );
  }
  return EXIT.done;
}

async function check(context: CliContext, input: CliInput, path: string): Promise<ExitCode> {
  const provider = loadProvider();
  const proof = decodeProof(readUpTo(path, PROOF_MAX));
  const keys = keysOf(provider, input, presentedBy(proof));
  const proven = checkProof(provider, proof, keys);
  const content = input.text("content");
  if (content !== undefined) await checkContent(provider, proven, fileOf(content));
  context.emitJson({
    proven: true,
    form: proof.form,
    ...provenJson(proven),
    content: content ?? null,
  });
  printProven(context, proven);
  if (content !== undefined) {
    context.out(context.say({ zh: `内容相符：${content}`, en: `the content matches: ${content}` }));
  }
  return EXIT.done;
}

function provenJson({ bundle, verdict, entry, ...proven }: ProvenExchange): object {
  return {
    commitment: hex(proven.commitment),
    policyNode: proven.policyNode,
    policyKeyId: proven.policyKeyId,
    lane: verdict.lane,
    sender: verdict.sender,
    recipients: verdict.recipients,
    grade: verdict.grade,
    rules: verdict.ruleIds,
    obligations: verdict.obligations,
    policyVersion: verdict.policyVersion,
    decided: timeJson(verdict.decidedMs),
    bundle: bundle && {
      id: idText(bundle.bundleId),
      headerDigest: hex(bundle.headerDigest),
      ...{ stream: bundle.stream, sequence: bundle.sequence, signKeyId: bundle.signKeyId },
      created: timeJson(bundle.createdMs),
      ...{ item: bundle.item, items: bundle.items },
    },
    exchange: entry && {
      id: idText(entry.exchangeId),
      ...{ kind: entry.kind, service: entry.service, caller: entry.caller, size: entry.size },
      digest: hex(entry.digest),
      http: entry.http && { method: entry.http.method, path: entry.http.path },
      file: entry.file && { name: entry.file.name },
      submitted: timeJson(entry.submittedMs),
    },
  };
}

function printProven(
  context: CliContext,
  { bundle, verdict, entry, commitment }: ProvenExchange,
): void {
  printFacts(context, (row) => {
    row("承诺", "commitment", hex(commitment));
    if (bundle !== undefined) {
      row(
        "封装于",
        "sealed in",
        `${idText(bundle.bundleId)}  ${bundle.stream} #${bundle.sequence}`,
      );
      row("条目", "item", `${bundle.item} / ${bundle.items}`);
      row("封装时间", "sealed at", timeText(bundle.createdMs));
    }
    row(
      "放行",
      "permitted",
      `${verdict.sender}  ${verdict.lane} → ${verdict.recipients.join(" ")}`,
    );
    row("级别", "grade", verdict.grade);
    row("规则", "rules", verdict.ruleIds.join(" "));
    row("义务", "obligations", verdict.obligations.join(" "));
    row("裁决时间", "decided at", timeText(verdict.decidedMs));
    if (entry !== undefined) {
      row("交换编号", "exchange", idText(entry.exchangeId));
      row("服务", "service", `${entry.service}  ${entry.caller}`);
      row("内容字节", "content bytes", sizeText(entry.size));
      row("内容摘要（SM3）", "content digest (SM3)", hex(entry.digest));
    }
  });
  context.out(
    bundle === undefined
      ? context.say({
          zh: "证明成立：策略已放行（不证明已封装）",
          en: "proven: permitted by policy (nothing is said of sealing)",
        })
      : context.say({ zh: "证明成立：已封装", en: "proven: sealed" }),
  );
}
