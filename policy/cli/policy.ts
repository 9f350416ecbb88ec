/** Guarantee: `lightferry policy` shows what is in force, explains what a pack would do with a file, checks and signs packs; signs registries, makes the authority's key; it decides nothing. */
import type { CliNoun } from "@lightferry/proto/cli";
import { initAuthorityVerb, signRegistryVerb } from "../src/cli/authority-verbs.ts";
import { explainVerb } from "../src/cli/explain-verb.ts";
import { checkVerb, signPackVerb } from "../src/cli/pack-verbs.ts";
import { showVerb } from "../src/cli/show-verb.ts";

export const noun: CliNoun = {
  name: "policy",
  summary: {
    zh: "查看注册表与策略、试算策略包、签署注册表与策略包",
    en: "show registry and policy, try a policy pack, sign packs and registries",
  },
  verbs: [showVerb, explainVerb, checkVerb, signPackVerb, initAuthorityVerb, signRegistryVerb],
};
