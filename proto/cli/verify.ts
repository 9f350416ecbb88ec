/** Guarantee: `lightferry bundle verify` makes every check of SPEC §8 that its inputs allow, and shows each with its result. */
import {
  type BundleKeys,
  openBundle,
  type ReceivedBundle,
  type VerifiedHeader,
  verifyChunks,
  verifyHeader,
} from "../src/bundle/index.ts";
import {
  type CliContext,
  type CliInput,
  type CliVerb,
  EXIT,
  type ExitCode,
} from "../src/cli/index.ts";
import { type ErrorCode, errorRow, GatewayError } from "../src/errors/index.ts";
import type { KeyRing } from "../src/keystore/index.ts";
import { loadProvider, type SmProvider } from "../src/sm/index.ts";
import { type CertificateView, viewCertificate } from "./bundle-view.ts";
import { AT_OPTION, FILE_ARG, keysOf, TRUST_OPTIONS, timeOption } from "./evidence.ts";
import { fileOf } from "./files.ts";
import { readForm } from "./form.ts";
import { printCertificates } from "./inspect.ts";
import { RING_OPTIONS, withRecipientRing } from "./ring.ts";
import {
  CHUNK_STEPS,
  FORM_STEPS,
  HEADER_STEPS,
  headerStepOf,
  OPEN_STEPS,
  openStepOf,
  type Step,
} from "./steps.ts";
import { hex, idText, timeJson, timeText } from "./words.ts";

type Result = "ok" | "failed" | "skipped";

interface Row extends Step {
  readonly result: Result;
  readonly code?: ErrorCode;
  readonly detail?: string;
}

const RESULTS = {
  ok: { zh: "通过", en: "ok" },
  failed: { zh: "失败", en: "FAILED" },
  skipped: { zh: "未做", en: "skipped" },
} as const;

export const verify: CliVerb = {
  name: "verify",
  summary: {
    zh: "离线核验数据包：只需根证书；有收件密钥时连同内容",
    en: "verify a bundle offline: needs the root alone; with a recipient's key the contents too",
  },
  usage: "<FILE> --root ROOT.pem [--at TIME] [--trust DIR|FILE]…",
  args: [FILE_ARG],
  options: {
    ...TRUST_OPTIONS,
    at: AT_OPTION,
    lane: {
      type: "string",
      value: "NAME",
      summary: { zh: "应属的通道", en: "the lane it must belong to" },
    },
    self: {
      type: "string",
      value: "NODE",
      summary: { zh: "应有的收件节点", en: "a node that must be a recipient" },
    },
    ...RING_OPTIONS,
  },
  examples: [
    {
      command: "bundle verify bundle.lfb --root root.pem --at 2026-05-01T08:00",
      summary: {
        zh: "按当时的时间核验一个存档的包",
        en: "verify an archived bundle as of its day",
      },
    },
  ],
  run: async (context, input) => {
    const provider = loadProvider();
    const form = await readForm(fileOf(input.positionals[0] ?? ""));
    const rows: Row[] = [];
    let received: ReceivedBundle | undefined;
    let verified: VerifiedHeader | undefined;
    if (form.received === undefined) {
      const { step, code, detail, offset } = form.fault ?? NOT_READ;
      const about = `byte ${offset}${detail === "" ? "" : `: ${detail}`}`;
      rows.push(...failedAt(FORM_STEPS, `8.1.${step}`, code, about));
    } else {
      received = form.received;
      rows.push(...FORM_STEPS.map(passed));
      const header = checkHeader(provider, received, input);
      rows.push(...header.rows);
      verified = header.verified;
    }
    rows.push(...(await checkChunks(provider, verified)));
    rows.push(...(await checkOpening(verified, input)));
    return report(context, rows, received, verified);
  },
};

/** What reading says when it says nothing; never seen, for a form without a bundle has a fault. */
const NOT_READ = { step: 1, code: "bundle.not-a-bundle", detail: "", offset: 0 } as const;

function checkHeader(
  provider: SmProvider,
  received: ReceivedBundle,
  input: CliInput,
): { rows: Row[]; verified?: VerifiedHeader } {
  const [lane, self] = [input.text("lane"), input.text("self")];
  // `certificate.*` says nothing of the step: it is that of the key asked for last.
  let asked = "8.2.2";
  const directory = keysOf(provider, input, received.header.certificates);
  const keys: BundleKeys = {
    signKey: (...of) => {
      asked = "8.2.2";
      return directory.signKey(...of);
    },
    policyKey: (...of) => {
      asked = "8.2.7";
      return directory.policyKey(...of);
    },
  };
  const now = timeOption(input, "at") ?? Date.now();
  const untold = new Set<string>();
  if (lane === undefined) untold.add("8.2.1");
  if (self === undefined) untold.add("8.2.12");
  const wanted = {
    ...(lane === undefined ? {} : { lane }),
    ...(self === undefined ? {} : { self }),
  };
  try {
    const verified = verifyHeader(provider, received, { now, keys, ...wanted });
    return { rows: skipping(HEADER_STEPS.map(passed), untold), verified };
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    const rows = failedAt(HEADER_STEPS, headerStepOf(error.code, asked), error.code, error.detail);
    return { rows: skipping(rows, untold) };
  }
}

async function checkChunks(
  provider: SmProvider,
  verified: VerifiedHeader | undefined,
): Promise<Row[]> {
  if (verified === undefined) return CHUNK_STEPS.map(skipped);
  try {
    await verifyChunks(provider, verified);
    return CHUNK_STEPS.map(passed);
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    return failedAt(CHUNK_STEPS, "8.3", error.code, error.detail);
  }
}

/** §8.4 with a recipient's ring. An item that fails, fails alone: all failures are told. */
async function checkOpening(verified: VerifiedHeader | undefined, input: CliInput): Promise<Row[]> {
  if (verified === undefined || input.text("ring") === undefined) return OPEN_STEPS.map(skipped);
  return withRecipientRing(input, "bundle verify", verified, (ring, { provider }) =>
    opening(provider, verified, ring),
  );
}

async function opening(
  provider: SmProvider,
  verified: VerifiedHeader,
  ring: KeyRing,
): Promise<Row[]> {
  const failures: GatewayError[] = [];
  try {
    for await (const item of openBundle(provider, verified, ring)) {
      try {
        for await (const _ of item.content);
      } catch (error) {
        if (!(error instanceof GatewayError)) throw error;
        failures.push(error);
      }
    }
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    return failedAt(OPEN_STEPS, openStepOf(error.code), error.code, error.detail);
  }
  const [first] = failures;
  if (first === undefined) return OPEN_STEPS.map(passed);
  const about = failures.map(({ detail }) => detail).join("; ");
  return failedAt(OPEN_STEPS, "8.4.6", first.code, about);
}

function passed(step: Step): Row {
  return { ...step, result: "ok" };
}

function skipped(step: Step): Row {
  return { ...step, result: "skipped" };
}

function failedAt(steps: readonly Step[], id: string, code: ErrorCode, detail: string): Row[] {
  const at = steps.findIndex((step) => step.id === id);
  return steps.map((step, index) => {
    if (index < at) return passed(step);
    return index === at ? { ...step, result: "failed", code, detail } : skipped(step);
  });
}

function skipping(rows: readonly Row[], untold: ReadonlySet<string>): Row[] {
  return rows.map((row) => (untold.has(row.id) && row.result === "ok" ? skipped(row) : row));
}

/** What a step that was left out would have needed. */
const NEEDS: Readonly<Record<string, string>> = {
  "8.2.1": "--lane",
  "8.2.12": "--self",
  ...Object.fromEntries(OPEN_STEPS.map(({ id }) => [id, "--ring, --unlock"])),
};

/** @param whole nothing failed, so that what was left out was left out for want of something. */
function remark(context: CliContext, { id, result, code, detail }: Row, whole: boolean): string {
  if (code !== undefined) return `${code} ${context.say(errorRow(code))} ${detail ?? ""}`.trim();
  const needs = result === "skipped" && whole ? NEEDS[id] : undefined;
  return needs === undefined ? "" : context.say({ zh: `须给出 ${needs}`, en: `needs ${needs}` });
}

function report(
  context: CliContext,
  rows: readonly Row[],
  received: ReceivedBundle | undefined,
  verified: VerifiedHeader | undefined,
): ExitCode {
  const failed = rows.find(({ result }) => result === "failed");
  const certificates = received?.header.certificates.map(viewCertificate) ?? [];
  context.emitJson({
    verified: failed === undefined,
    bundle: verified && idText(verified.bundleId),
    headerDigest: verified && hex(verified.headerDigest),
    created: verified && timeJson(verified.header.createdMs),
    steps: rows,
    certificates,
  });
  context.table(rows, [
    { title: { zh: "步骤", en: "STEP" }, value: "id" },
    { title: { zh: "检查", en: "CHECK" }, value: (row) => context.say(row) },
    { title: { zh: "结果", en: "RESULT" }, value: ({ result }) => context.say(RESULTS[result]) },
    {
      title: { zh: "说明", en: "REMARKS" },
      value: (row) => remark(context, row, failed === undefined),
      max: 160,
    },
  ]);
  if (verified !== undefined) printVerified(context, verified, certificates);
  if (failed?.code === undefined) {
    const opened = rows.every(({ id, result }) => id !== "8.4.6" || result === "ok");
    context.out(
      context.say(
        opened
          ? { zh: "\n核验通过", en: "\nverified" }
          : {
              zh: "\n核验通过；内容未打开，只知其密文未变",
              en: "\nverified; the contents were not opened: of them only that the ciphertext is unaltered",
            },
      ),
    );
    return EXIT.done;
  }
  const { doZh, doEn } = errorRow(failed.code);
  context.out(context.say({ zh: `\n核验未通过：${doZh}`, en: `\nNOT verified: ${doEn}` }));
  if (failed.code === "bundle.expired") {
    context.out(
      context.say({
        zh: "存档的包用 --at 按当时的时间核验",
        en: "verify an archived bundle as of its day with --at",
      }),
    );
  }
  return EXIT.refused;
}

function printVerified(
  context: CliContext,
  { header, headerDigest, bundleId }: VerifiedHeader,
  certificates: readonly CertificateView[],
): void {
  const facts = [idText(bundleId), header.stream, `#${header.sequence}`, header.grade];
  context.out(`\n${facts.join("  ")}  ${timeText(header.createdMs)}\n${hex(headerDigest)}\n`);
  printCertificates(context, certificates);
  if (certificates.some(({ demo }) => demo)) {
    context.out(
      context.say({
        zh: "注意：演示证书，不具证明力（--production 可拒绝）",
        en: "note: demonstration certificates prove nothing in earnest (--production refuses them)",
      }),
    );
  }
}
