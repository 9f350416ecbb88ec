/**
 * Guarantee: content flows through once, in bounded memory; what comes out is
 * what may leave, its size and digest are of exactly those bytes, and every
 * byte was either read by the inspectors, let pass by an explicit opaque rule,
 * or reported as something that could not be looked at.
 */
import type { Sm3Hash, SmProvider } from "@lightferry/proto/sm";
import { hasControls, Utf8Stream } from "../text/utf8.ts";
import {
  type DeclaredContent,
  declaredFormat,
  type Format,
  guessFormat,
  HEAD_BYTES,
  isCoded,
  isPacked,
  looksLikeText,
  type PackFormat,
} from "./format.ts";
import { JsonReader } from "./json-reader.ts";
import { type ContentReader, csvReader, textReader } from "./reader.ts";
import { ReceiptContent, type ReceiptJudge } from "./receipt-content.ts";
import { type ContentRules, DETECTORS } from "./rules.ts";
import { type Finding, Tally } from "./tally.ts";

/** What the pack says about the content of one service. */
export interface ContentPlan {
  readonly rules: ContentRules;
  readonly formats: readonly PackFormat[];
  /** Content that nobody can read may pass under this rule, with its reason. */
  readonly opaque: { readonly ruleId: string; readonly reason: string } | undefined;
  readonly ordinaryPhrases: readonly string[];
}

export interface ContentReport {
  /** Bytes as they leave, and their SM3. */
  readonly size: number;
  readonly digest: Uint8Array;
  readonly submittedSize: number;
  readonly changed: boolean;
  readonly findings: readonly Finding[];
  /** Rule under which unreadable bytes passed. */
  readonly opaqueRuleId: string | undefined;
  /** The declared format is known and not among those the service takes. */
  readonly formatRefused: boolean;
}

/** Pieces smaller than this are gathered: a token cut many times is not read many times. */
const PIECE_BYTES = HEAD_BYTES;
const NOTHING = new Uint8Array();

export class ContentInspection {
  readonly #plan: ContentPlan;
  readonly #declared: DeclaredContent;
  readonly #tally: Tally;
  readonly #hash: Sm3Hash;
  readonly #utf8 = new Utf8Stream();
  readonly #receipts: ReceiptContent | undefined;
  #gathered: Uint8Array[] = [];
  #gatheredBytes = 0;
  #chosen = false;
  #reader: ContentReader | undefined;
  #opaque = false;
  #wasRead = false;
  #formatRefused = false;
  #submittedSize = 0;
  #size = 0;

  /** @param receipts of a content that is receipts: looks at each list; without it form alone counts */
  constructor(
    provider: SmProvider,
    plan: ContentPlan,
    declared: DeclaredContent,
    receipts?: ReceiptJudge,
  ) {
    this.#plan = plan;
    this.#declared = declared;
    this.#tally = new Tally(plan.rules);
    this.#hash = provider.createSm3();
    this.#receipts = plan.formats.includes("receipts") ? new ReceiptContent(receipts) : undefined;
  }

  /** True as soon as what was read must be sealed away. */
  get sealsAway(): boolean {
    return this.#tally.sealsAway;
  }

  /** True when a certain mark may still come behind the first lines: in a field of JSON. */
  get marksMayComeLate(): boolean {
    return this.#reader instanceof JsonReader;
  }

  /**
   * True once it is certain that every byte, also those to come, leaves as it came: no rule masks,
   * or the content turned out unreadable before any of it was read as text.
   */
  get altersNothing(): boolean {
    const { rules } = this.#plan;
    if (this.#receipts !== undefined) return true;
    if (DETECTORS.every((detector) => rules[detector].action !== "mask")) return true;
    return this.#chosen && !this.#wasRead;
  }

  /** Takes the next bytes and gives back those that are settled; may be none. */
  push(chunk: Uint8Array): Uint8Array {
    this.#submittedSize += chunk.length;
    if (this.#receipts !== undefined) {
      this.#receipts.push(chunk);
      return this.#passed(chunk);
    }
    this.#gathered.push(chunk);
    this.#gatheredBytes += chunk.length;
    return this.#gatheredBytes < PIECE_BYTES ? NOTHING : this.#read(this.#takeGathered());
  }

  /** The last bytes and the report. */
  end(): { readonly rest: Uint8Array; readonly report: ContentReport } {
    const settled = this.#gatheredBytes > 0 ? this.#read(this.#takeGathered()) : NOTHING;
    const rest = Buffer.concat([settled, this.#finish()]);
    if (this.#receipts?.isWhole() === false) this.#formatRefused = true;
    const findings = this.#tally.findings();
    const report: ContentReport = {
      size: this.#size,
      digest: this.#hash.digest(),
      submittedSize: this.#submittedSize,
      changed: findings.some((finding) => finding.action === "mask"),
      findings,
      opaqueRuleId: this.#opaque ? this.#plan.opaque?.ruleId : undefined,
      formatRefused: this.#formatRefused,
    };
    return { rest, report };
  }

  #takeGathered(): Uint8Array {
    const [first = NOTHING, ...more] = this.#gathered;
    const bytes = more.length === 0 ? first : Buffer.concat(this.#gathered, this.#gatheredBytes);
    this.#gathered = [];
    this.#gatheredBytes = 0;
    return bytes;
  }

  #read(bytes: Uint8Array): Uint8Array {
    if (!this.#chosen) this.#choose(bytes);
    if (this.#reader === undefined) return this.#passed(bytes);
    const before = this.#utf8.rest;
    const text = this.#utf8.push(bytes);
    if (text === undefined || hasControls(text)) {
      const held = Buffer.from(this.#reader.end());
      this.#giveUp(text === undefined ? "broken-utf8" : "not-text");
      return this.#passed(Buffer.concat([held, before, bytes]));
    }
    const out = this.#reader.push(text);
    return this.#passed(
      out === text && before.length === 0 && this.#utf8.rest.length === 0
        ? bytes
        : Buffer.from(out),
    );
  }

  #finish(): Uint8Array {
    if (this.#reader === undefined) return NOTHING;
    const out = Buffer.from(this.#reader.end());
    if (this.#utf8.rest.length === 0) return this.#passed(out);
    this.#giveUp("broken-utf8");
    return this.#passed(Buffer.concat([out, this.#utf8.rest]));
  }

  #passed(bytes: Uint8Array): Uint8Array {
    this.#hash.update(bytes);
    this.#size += bytes.length;
    return bytes;
  }

  /** Without a reader the rest passes unseen: under the opaque rule, or as a blindness that holds. */
  #giveUp(reason: "broken-utf8" | "not-text" | "unknown-type" | "packed"): void {
    this.#reader = undefined;
    if (this.#plan.opaque === undefined) this.#tally.couldNotLook(reason);
    else this.#opaque = true;
  }

  #choose(head: Uint8Array): void {
    this.#chosen = true;
    const chosen = this.#formatOf(head);
    if (chosen === "unknown-type" || chosen === "packed" || chosen === "not-text") {
      this.#giveUp(chosen);
    } else {
      this.#use(chosen);
    }
  }

  #formatOf(head: Uint8Array): Format | "unknown-type" | "packed" | "not-text" {
    const { formats, opaque } = this.#plan;
    const declared = declaredFormat(this.#declared);
    if (isPacked(head) || isCoded(this.#declared)) return "packed";
    if (declared === "conflict") return "unknown-type";
    if (declared !== "unknown" && formats.includes(declared)) return declared;
    const readable = looksLikeText(head);
    // Where unreadable content may pass, what can be read is read all the same.
    if (opaque !== undefined && readable) {
      return declared === "unknown" ? (guessFormat(head, formats) ?? "text") : declared;
    }
    if (declared !== "unknown" && opaque === undefined) this.#formatRefused = true;
    return readable ? (guessFormat(head, formats) ?? "unknown-type") : "not-text";
  }

  #use(format: Format): void {
    const phrases = this.#plan.ordinaryPhrases;
    this.#wasRead = true;
    if (format === "json") this.#reader = new JsonReader(this.#tally, phrases);
    else if (format === "csv") this.#reader = csvReader(this.#tally, phrases);
    else this.#reader = textReader(this.#tally, phrases);
  }
}
