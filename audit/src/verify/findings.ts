/** Guarantee: a finding says what does not agree and where; the list is bounded, the counts are not. */

export const FINDING_KINDS = {
  "row.missing": { zh: "缺少行", en: "rows are missing" },
  "row.duplicate": { zh: "同一序号有多行", en: "one index has more than one row" },
  "row.altered": { zh: "事件内容被改动", en: "the bytes of an event were altered" },
  "row.column": { zh: "列与事件内容不符", en: "a column disagrees with the event's bytes" },
  "row.uncovered": { zh: "行不在任何检查点之内", en: "rows lie beyond the newest checkpoint" },
  "checkpoint.root": { zh: "各行与签名的根不符", en: "the rows do not give the signed root" },
  "checkpoint.signature": { zh: "检查点签名无效", en: "a checkpoint is not validly signed" },
  "checkpoint.column": {
    zh: "检查点列与签名文本不符",
    en: "a checkpoint's columns disagree with its note",
  },
  "checkpoint.missing": { zh: "检查点不连续", en: "checkpoints are missing" },
  "checkpoint.rolled-back": {
    zh: "日志与外部留存的检查点不符（回退或改写）",
    en: "the log does not contain a checkpoint kept elsewhere: rolled back or rewritten",
  },
  "tile.altered": { zh: "树块被改动", en: "a tile was altered" },
  "tile.missing": { zh: "缺少树块", en: "a tile is missing" },
  "tile.extra": { zh: "多余的树块", en: "a tile lies beyond the tree" },
  "emitter.hole": { zh: "上报序号有空缺", en: "an emitter's numbers have a hole" },
  "emitter.duplicate": { zh: "上报序号重复", en: "an emitter's number occurs twice" },
  "trail.altered": { zh: "对端轨迹被改动、增删", en: "peer trails were altered, added or removed" },
  "witness.altered": {
    zh: "见证记录被改动、增删",
    en: "witness records were altered, added or removed",
  },
  "witness.key": {
    zh: "对端检查点所用密钥已撤销或停用",
    en: "a witnessed checkpoint is signed by a key that is revoked or denied",
  },
  "witness.inconsistent": {
    zh: "对端日志前后不一致",
    en: "the other zone's log does not continue the one seen before",
  },
} as const;

export type FindingKind = keyof typeof FINDING_KINDS;

export interface Finding {
  readonly kind: FindingKind;
  /** First index (leaf, tree size, tile or number) that the finding is about. */
  readonly index: number;
  /** Last one, where the finding is about a range. */
  readonly last?: number;
  /** Names of columns, emitters, zones; never content. */
  readonly detail: string;
}

/** More would not be read one by one; the counts tell the extent. */
const MAX_LISTED = 1_000;

export class Findings {
  readonly listed: Finding[] = [];
  readonly counts = new Map<FindingKind, number>();

  add(kind: FindingKind, index: number, detail = "", last?: number): void {
    this.counts.set(kind, (this.counts.get(kind) ?? 0) + 1);
    if (this.listed.length >= MAX_LISTED) return;
    this.listed.push({ kind, index, detail, ...(last === undefined ? {} : { last }) });
  }

  get total(): number {
    return [...this.counts.values()].reduce((sum, n) => sum + n, 0);
  }
}
