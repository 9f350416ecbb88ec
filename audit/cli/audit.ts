/** Guarantee: `lightferry audit …`, one file per verb. */
import type { CliNoun } from "@lightferry/proto/cli";
import { checkpoint } from "./checkpoint.ts";
import { list } from "./list.ts";
import { trail } from "./trail.ts";
import { verify } from "./verify.ts";

export const noun: CliNoun = {
  name: "audit",
  summary: { zh: "审计日志：查询、轨迹、核验", en: "the audit log: search, trails, verification" },
  verbs: [list, trail, verify, checkpoint],
};
