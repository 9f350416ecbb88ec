/**
 * Guarantee: one picture of the ferry programs as lines of a terminal, none wider than it: what is alarmed first, then
 * each program with its links, lanes, objects under way and gaps.
 */
import { cellWidth, harmlessLine, type Locale, type Words } from "@lightferry/proto/cli";
import { ERRORS } from "@lightferry/proto/errors";
import type { ActiveAlarm } from "../src/alarms.ts";
import type { Lag } from "../src/lag.ts";
import type { RxLane, RxLink, RxPicture, TxLane, TxLink, TxPicture } from "../src/picture.ts";
import type { Seen } from "./status-files.ts";
import { bar, cut, flow, percent, rate, size, time } from "./status-parts.ts";
import { checkedBytes, sentTags, type TagsState, takenTags, wrongTags } from "./status-tags.ts";

/** How a line is meant; colours are the screen's matter. */
export type Tone = "title" | "alarm" | "warning" | "plain" | "faint";

export interface Line {
  readonly tone: Tone;
  readonly text: string;
}

export interface ViewSize {
  /** Cells of a line; at least 40 are used. */
  readonly columns: number;
  /** Lines; without it all are shown. */
  readonly rows?: number;
}

const LEAST_COLUMNS = 40;
const BAR_CELLS = 20;
/** Objects and gaps shown of a lane; the others are counted. */
const SHOWN = 6;
/** Parity and headers are part of a pass's bytes: at the usual code a sixth beside the bundle. */
const CODED = 1 / 6;

/** What can be done about a gap. */
export const GAP_STATES: Readonly<Record<RxLane["gaps"][number]["state"], Words>> = {
  open: { zh: "待后续遍补齐", en: "a later pass may bring it" },
  unrepaired: { zh: "未补齐，应签发补发单", en: "stays away: write a ticket" },
  unrepairable: { zh: "发送侧已不再保存", en: "the sender has it no more" },
};

/** @param nowMs this machine's clock */
export function statusView(
  seen: readonly Seen[],
  locale: Locale,
  { columns, rows }: ViewSize,
  nowMs: number,
): Line[] {
  const view = new View(locale, Math.max(columns, LEAST_COLUMNS), nowMs);
  for (const one of seen) view.program(one);
  return view.within(rows);
}

class View {
  readonly #locale: Locale;
  readonly #columns: number;
  readonly #nowMs: number;
  readonly #lines: Line[] = [];

  constructor(locale: Locale, columns: number, nowMs: number) {
    this.#locale = locale;
    this.#columns = columns;
    this.#nowMs = nowMs;
  }

  /** The lines that a screen has room for; what is left out is counted. */
  within(rows = Number.POSITIVE_INFINITY): Line[] {
    if (this.#lines.length <= rows) return this.#lines;
    const kept = this.#lines.slice(0, Math.max(0, rows - 1));
    const more = this.#lines.length - kept.length;
    return [
      ...kept,
      { tone: "faint", text: this.#say({ zh: `…另有 ${more} 行`, en: `… ${more} more lines` }) },
    ];
  }

  program({ zone, running, picture }: Seen): void {
    if (this.#lines.length > 0) this.#put("plain", "");
    const role =
      picture.role === "tx" ? { zh: "发送端", en: "sender" } : { zh: "接收端", en: "receiver" };
    const age = time(Math.max(0, (this.#nowMs - picture.timeMs) / 1_000));
    const state = running
      ? { zh: "运行中", en: "running" }
      : { zh: `未运行，以下为 ${age} 前的情况`, en: `not running; as it was ${age} ago` };
    const title = `${zone} ${this.#say(role)}  ${this.#say(state)}`;
    this.#put(running ? "title" : "alarm", title);
    this.#put("faint", "-".repeat(Math.min(this.#columns, Math.max(cellWidth(title), 60))));
    if (picture.role === "tx") this.#tx(picture);
    else this.#rx(picture);
  }

  #tx({ links, lanes }: TxPicture): void {
    for (const link of links) this.#txLink(link);
    for (const lane of lanes) this.#txLane(lane, links.length);
  }

  #txLink({ link, driver, locked, epoch, rateBytesPerSecond: limit, tags, sent }: TxLink): void {
    const state = sentTags(tags);
    const used =
      limit === undefined
        ? []
        : [
            `${bar(sent.bytesPerSecond / limit, BAR_CELLS)} ${percent(sent.bytesPerSecond / limit)}`,
          ];
    this.#facts("plain", this.#linkName(link), [
      rate(sent.bytesPerSecond),
      ...used,
      this.#gate(driver, locked),
      this.#say({ zh: `纪元 ${epoch}`, en: `epoch ${epoch}` }),
      this.#say({
        zh: `已发 ${sent.frames} 帧 ${size(sent.bytes)}`,
        en: `${sent.frames} frames, ${size(sent.bytes)} sent`,
      }),
      this.#say({
        zh: `校验占 ${percent(sent.parityShare)}`,
        en: `${percent(sent.parityShare)} parity`,
      }),
      ...this.#tags(state),
    ]);
    this.#tagFault(state);
    if (sent.failed > 0) {
      const text = { zh: `发送失败 ${sent.failed} 次`, en: `${sent.failed} sends failed` };
      this.#facts("warning", "", [this.#say(text)]);
    }
  }

  #txLane({ lane, bundles, passes, lag, links }: TxLane, ofAll: number): void {
    this.#facts("plain", this.#laneName(lane), [
      ...this.#way(links, ofAll),
      this.#say({ zh: `已发出 ${bundles.emitted} 包`, en: `${bundles.emitted} bundles emitted` }),
      this.#say({ zh: `完成 ${bundles.finished}`, en: `${bundles.finished} finished` }),
      this.#say({ zh: `拒绝 ${bundles.refused}`, en: `${bundles.refused} refused` }),
      this.#say({
        zh: `首遍未完 ${bundles.sending}`,
        en: `${bundles.sending} in their first pass`,
      }),
      this.#say({ zh: `持有 ${bundles.held}`, en: `${bundles.held} held` }),
      this.#lag(lag),
    ]);
    for (const { bundle, pass, bytes, size: whole } of passes.slice(0, SHOWN)) {
      const label = this.#say({ zh: `第 ${pass} 遍`, en: `pass ${pass}` });
      this.#progress(label, bundle, Math.min(1, bytes / (whole * (1 + CODED))), whole);
    }
    this.#more(passes.length);
  }

  #rx({ links, lanes, space }: RxPicture): void {
    for (const link of links) this.#alarms(link.alarms, links.length > 1 ? link.link : undefined);
    this.#alarms(space.alarms, undefined);
    for (const link of links) this.#rxLink(link);
    const tagged = links.some(({ tags }) => tags === "on");
    for (const lane of lanes) this.#rxLane(lane, links.length, tagged);
    const { freeBytes, totalBytes, promisedBytes, leftOut } = space;
    this.#facts(leftOut.objects > 0 ? "warning" : "plain", this.#say({ zh: "磁盘", en: "disk" }), [
      this.#say({
        zh: `剩余 ${size(freeBytes)} / ${size(totalBytes)}`,
        en: `${size(freeBytes)} of ${size(totalBytes)} free`,
      }),
      this.#say({ zh: `已预留 ${size(promisedBytes)}`, en: `${size(promisedBytes)} promised` }),
      this.#say({
        zh: `因空间不足未收 ${leftOut.objects}`,
        en: `${leftOut.objects} objects left out`,
      }),
    ]);
  }

  #alarms(alarms: readonly ActiveAlarm[], link: number | undefined): void {
    for (const { code, sinceMs, facts } of alarms) {
      const { zh, en, doZh, doEn } = ERRORS[code];
      const label = this.#say({ zh: "告警", en: "ALARM" });
      const lasted = time(Math.max(0, (this.#nowMs - sinceMs) / 1_000));
      this.#facts("alarm", label, [
        ...(link === undefined ? [] : [this.#linkName(link)]),
        this.#say({ zh, en }),
        this.#say({ zh: `已 ${lasted}`, en: `for ${lasted}` }),
        ...Object.entries(facts).map(([name, value]) => `${name}=${value}`),
      ]);
      this.#facts("faint", " ".repeat(cellWidth(label)), [this.#say({ zh: doZh, en: doEn })]);
    }
  }

  #rxLink({
    link,
    driver,
    locked,
    epoch,
    bytesPerSecond,
    accounted,
    loss,
    heartbeat,
    rejected,
    received,
    tags,
  }: RxLink): void {
    // Before the first heartbeat nothing could have been told.
    const state = heartbeat.count === 0 ? undefined : takenTags(tags);
    const refused = Object.values(rejected).reduce((sum, count) => sum + count, 0);
    const offset = heartbeat.clockOffsetMs;
    this.#facts(heartbeat.silent ? "alarm" : "plain", this.#linkName(link), [
      rate(bytesPerSecond),
      this.#say({
        zh: `丢帧 ${accounted.lost} / ${accounted.settled}（近期 ${percent(loss.permille / 1_000)}）`,
        en: `${accounted.lost} of ${accounted.settled} frames lost (lately ${percent(loss.permille / 1_000)})`,
      }),
      heartbeat.silent
        ? this.#say({ zh: "心跳中断", en: "NO HEARTBEAT" })
        : this.#say({
            zh: `心跳 ${time(heartbeat.secondsAgo)} 前`,
            en: `heartbeat ${time(heartbeat.secondsAgo)} ago`,
          }),
      this.#say({
        zh: `对端时钟差 ${offset === null ? "-" : signed(offset)}`,
        en: `sender's clock ${offset === null ? "-" : signed(offset)}`,
      }),
      this.#gate(driver, locked),
      this.#say({ zh: `纪元 ${epoch}`, en: `epoch ${epoch}` }),
      this.#say({ zh: `缓冲溢出 ${received.overruns}`, en: `${received.overruns} overruns` }),
      this.#say({ zh: `拒绝帧 ${refused}`, en: `${refused} frames rejected` }),
      ...this.#tags(state),
    ]);
    this.#tagFault(state);
  }

  #rxLane(
    { lane, bundles, quarantine, progress, gaps, lag, objects, links, checked }: RxLane,
    ofAll: number,
    tagged: boolean,
  ): void {
    const byTag = tagged ? checkedBytes(checked) : undefined;
    const wrong = wrongTags(checked);
    const missing = gaps.reduce((sum, { count }) => sum + count, 0);
    this.#facts("plain", this.#laneName(lane), [
      ...this.#way(links, ofAll),
      this.#say({
        zh: `已转交前置代理 ${bundles.delivered} 包`,
        en: `${bundles.delivered} bundles delivered`,
      }),
      this.#say({ zh: `等待接收 ${bundles.waiting}`, en: `${bundles.waiting} waiting` }),
      this.#say({ zh: `拒绝 ${bundles.refused}`, en: `${bundles.refused} refused` }),
      this.#say({ zh: `缺包 ${missing}`, en: `${missing} missing` }),
      this.#lag(lag),
      ...(byTag === undefined ? [] : [this.#say(byTag)]),
    ]);
    if (wrong !== undefined) this.#facts("warning", "", [this.#say(wrong)]);
    if (quarantine.bundles > 0) {
      const since = quarantine.sinceMs === null ? null : (this.#nowMs - quarantine.sinceMs) / 1_000;
      const { bundles: kept, bytes } = quarantine;
      const text = {
        zh: `隔离 ${kept} 包 ${size(bytes)}，最早 ${time(since)} 前`,
        en: `${kept} bundles, ${size(bytes)} in quarantine, the oldest for ${time(since)}`,
      };
      this.#facts("warning", "", [this.#say(text)]);
    }
    const label = this.#say({ zh: "接收", en: "object" });
    for (const { bundle, good, size: whole } of progress.slice(0, SHOWN)) {
      this.#progress(label, bundle, good / whole, whole);
    }
    this.#more(objects);
    for (const { stream, missing: numbers, count, state } of gaps.slice(0, SHOWN)) {
      const gap = this.#say({ zh: "缺号", en: "missing" });
      const facts = [stream, `${count}`, this.#say(GAP_STATES[state]), numbers];
      this.#facts("warning", `  ${gap}`, facts);
    }
    this.#more(gaps.length);
  }

  #progress(label: string, bundle: string, share: number, whole: number): void {
    const name = `${bundle.slice(0, 8)}..${bundle.slice(-4)}`;
    const text = `  ${label} ${name} ${bar(share, BAR_CELLS)} ${percent(share).padStart(6)}  ${size(whole)}`;
    this.#put("plain", text);
  }

  #more(count: number): void {
    if (count <= SHOWN) return;
    const more = count - SHOWN;
    this.#put("faint", `  ${this.#say({ zh: `…另有 ${more}`, en: `… ${more} more` })}`);
  }

  #lag({ newestMs, worstMs }: Lag): string {
    const [newest, worst] = [newestMs, worstMs].map((ms) => time(ms === null ? null : ms / 1_000));
    return this.#say({
      zh: `时延 ${newest}（一分钟内最长 ${worst}）`,
      en: `lag ${newest} (longest of a minute ${worst})`,
    });
  }

  #gate(driver: string, locked: boolean): string {
    const kept = locked
      ? { zh: "单向锁定", en: "locked" }
      : { zh: "未由内核锁定", en: "not locked" };
    return `${driver} ${this.#say(kept)}`;
  }

  #tags(state: TagsState | undefined): string[] {
    return state === undefined || state.fault ? [] : [this.#say(state.words)];
  }

  /** On a line of its own: chunks are hashed meanwhile, and a link that is faster than that loses frames. */
  #tagFault(state: TagsState | undefined): void {
    if (state?.fault === true) this.#facts("warning", "", [this.#say(state.words)]);
  }

  #linkName(link: number): string {
    return this.#say({ zh: `链路 ${link}`, en: `link ${link}` });
  }

  /** Links of a lane that does not go by all of them. */
  #way(links: readonly number[] | undefined, ofAll: number): string[] {
    if (links === undefined || links.length >= ofAll) return [];
    const numbers = links.join(", ");
    return [this.#say({ zh: `经链路 ${numbers}`, en: `by link ${numbers}` })];
  }

  #laneName(lane: string): string {
    return this.#say({ zh: `通道 ${lane}`, en: `lane ${lane}` });
  }

  #say({ zh, en }: Words): string {
    return this.#locale === "zh" ? zh : en;
  }

  #facts(tone: Tone, label: string, facts: readonly string[]): void {
    for (const text of flow(label, facts, this.#columns)) this.#put(tone, text);
  }

  #put(tone: Tone, text: string): void {
    this.#lines.push({ tone, text: cut(harmlessLine(text), this.#columns) });
  }
}

/** "+0.12 s", "-2 h 0 min". */
function signed(ms: number): string {
  return `${ms < 0 ? "-" : "+"}${time(Math.abs(ms) / 1_000)}`;
}
