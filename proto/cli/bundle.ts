/** Guarantee: `lightferry bundle …`, one file per verb. None of them needs a running service. */
import type { CliNoun } from "../src/cli/index.ts";
import { exportBundle } from "./export.ts";
import { inspect } from "./inspect.ts";
import { prove } from "./prove.ts";
import { verify } from "./verify.ts";

export const noun: CliNoun = {
  name: "bundle",
  summary: {
    zh: "数据包：查看、离线核验、出具证明、导出",
    en: "bundles: inspect, verify offline, prove, export",
  },
  verbs: [inspect, verify, prove, exportBundle],
};
