/**
 * Guarantee: a pack is plain YAML 1.2 (no tags, aliases or repeated keys) whose
 * every field is known, in which every detector has a baseline action, and in
 * which a service can only be stricter than the baseline.
 */
import { GatewayError } from "@lightferry/proto/errors";
import type { SmProvider } from "@lightferry/proto/sm";
import { isAlias, isCollection, isScalar, parseDocument, visit } from "yaml";
import { PACK_FORMATS, type PackFormat } from "../content/format.ts";
import type { ContentPlan } from "../content/inspection.ts";
import {
  ACTIONS,
  ALLOWED_ACTIONS,
  type ContentRule,
  type ContentRules,
  DETECTORS,
  type Detector,
  stricter,
} from "../content/rules.ts";
import { PACK_FORMAT, type Pack, type ServicePolicy } from "./document.ts";
import { PackFields, packInvalid } from "./fields.ts";

/** Some thousand services; read whole at start. */
export const PACK_MAX_BYTES = 1024 * 1024;
/** Looked for around each word; must lie inside the detector's reach. */
const PHRASE_MAX = 16;
/** Digits of the digest that name a pack: 64 bits, enough to tell packs apart by eye and log. */
const VERSION_DIGEST_HEX = 16;

/** @throws GatewayError `policy.pack-invalid` naming the first wrong field. */
export function parsePack(provider: SmProvider, bytes: Uint8Array): Pack {
  const fields = new PackFields(readYaml(bytes), "$");
  fields.oneOf("format", [PACK_FORMAT]);
  const number = fields.whole("number");
  const demo = fields.flag("demo");
  const title = new PackFields(fields.take("title"), "$.title");
  const titles = { zh: title.text("zh"), en: title.text("en") };
  title.done();
  const ordinaryPhrases = fields.list("ordinaryPhrases", readPhrase);
  const baselineRules = completeRules(fields.list("content", readRule));
  const baseline: ContentPlan = {
    rules: baselineRules,
    formats: [],
    opaque: undefined,
    ordinaryPhrases,
  };
  const services = fields.members("services", (value, path) => readService(value, path, baseline));
  fields.done();
  const digest = Buffer.from(provider.sm3(bytes)).toString("hex");
  const version = `${number}-${digest.slice(0, VERSION_DIGEST_HEX)}`;
  return { number, demo, title: titles, services, baseline, version };
}

function readYaml(bytes: Uint8Array): unknown {
  if (bytes.length > PACK_MAX_BYTES) packInvalid("$", `larger than ${PACK_MAX_BYTES} bytes`);
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new GatewayError("policy.pack-invalid", { detail: "$: not UTF-8", cause });
  }
  const document = parseDocument(text, { version: "1.2", schema: "core", uniqueKeys: true });
  const [fault] = [...document.errors, ...document.warnings];
  if (fault !== undefined) packInvalid("$", fault.message.split("\n")[0] ?? "not YAML");
  visit(document, {
    Node(_key, node) {
      const anchored = (isScalar(node) || isCollection(node)) && node.anchor !== undefined;
      if (isAlias(node) || anchored) packInvalid("$", "anchors and aliases are not allowed");
      if ("tag" in node && node.tag !== undefined && !node.tag.startsWith("tag:yaml.org,2002:")) {
        packInvalid("$", "tags are not allowed");
      }
    },
  });
  return document.toJS();
}

function readPhrase(value: unknown, path: string): string {
  if (typeof value !== "string" || value.length > PHRASE_MAX || !/[绝机秘]密/u.test(value)) {
    packInvalid(
      path,
      `a phrase of at most ${PHRASE_MAX} characters with 绝密, 机密 or 秘密 is needed`,
    );
  }
  return value;
}

interface DetectorRule extends ContentRule {
  readonly detector: Detector;
}

function readRule(value: unknown, path: string): DetectorRule {
  const fields = new PackFields(value, path);
  const id = fields.id("id");
  const detector = fields.oneOf("detect", DETECTORS);
  const action = fields.oneOf("action", ACTIONS);
  if (!ALLOWED_ACTIONS[detector].includes(action)) {
    packInvalid(`${path}.action`, `one of ${ALLOWED_ACTIONS[detector].join(", ")} for ${detector}`);
  }
  fields.done();
  return { id, detector, action };
}

function completeRules(rules: readonly DetectorRule[]): ContentRules {
  const entries = DETECTORS.map((detector) => {
    const own = rules.filter((rule) => rule.detector === detector);
    const [rule] = own;
    if (rule === undefined || own.length > 1) {
      packInvalid("$.content", `needs exactly one rule for ${detector}`);
    }
    return [detector, { id: rule.id, action: rule.action }] as const;
  });
  return Object.fromEntries(entries) as ContentRules;
}

/** Strictest wins: of baseline and service, the stricter rule speaks. */
function tighten(
  baseline: ContentRules,
  rules: readonly DetectorRule[],
  path: string,
): ContentRules {
  const result: Record<Detector, ContentRule> = { ...baseline };
  for (const { id, detector, action } of rules) {
    if (!stricter(action, result[detector].action)) {
      packInvalid(path, `${id} is not stricter than ${result[detector].id}`);
    }
    result[detector] = { id, action };
  }
  return result;
}

function readFormat(value: unknown, path: string): PackFormat {
  const found = PACK_FORMATS.find((format) => format === value);
  return found ?? packInvalid(path, `one of ${PACK_FORMATS.join(", ")}`);
}

function readOpaque(value: unknown, path: string): NonNullable<ContentPlan["opaque"]> {
  const fields = new PackFields(value, path);
  const opaque = { ruleId: fields.id("id"), reason: fields.text("reason") };
  fields.done();
  return opaque;
}

function readService(value: unknown, path: string, baseline: ContentPlan): ServicePolicy {
  const fields = new PackFields(value, path);
  const plan: ContentPlan = {
    rules: tighten(baseline.rules, fields.list("content", readRule), `${path}.content`),
    formats: fields.list("formats", readFormat),
    opaque: fields.has("opaque") ? readOpaque(fields.take("opaque"), `${path}.opaque`) : undefined,
    ordinaryPhrases: baseline.ordinaryPhrases,
  };
  // They have a reader of their own, which takes nothing else.
  if (plan.formats.includes("receipts") && (plan.formats.length > 1 || plan.opaque !== undefined)) {
    packInvalid(`${path}.formats`, "receipts stands alone, without an opaque rule");
  }
  const approval = fields.oneOf("approval", ["none", "required"]);
  fields.done();
  return { plan, approval };
}
