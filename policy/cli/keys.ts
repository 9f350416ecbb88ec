/** Guarantee: `lightferry keys` makes, certifies, replaces, revokes, keeps and destroys keys; what a zone trusts is decided by its policy service. What it did stands on record beside the keys. */
import type { CliNoun } from "@lightferry/proto/cli";
import { backupVerb } from "../src/keys/backup-verb.ts";
import { destroyVerb } from "../src/keys/destroy-verb.ts";
import { exportVerb } from "../src/keys/export-verb.ts";
import { importVerb } from "../src/keys/import-verb.ts";
import { initVerb } from "../src/keys/init-verb.ts";
import { issueVerb } from "../src/keys/issue-verb.ts";
import { listVerb } from "../src/keys/list-verb.ts";
import { logVerb } from "../src/keys/log-verb.ts";
import { requestVerb, rotateVerb } from "../src/keys/request-verb.ts";
import { restoreVerb } from "../src/keys/restore-verb.ts";
import { revokeVerb } from "../src/keys/revoke-verb.ts";

export const noun: CliNoun = {
  name: "keys",
  summary: { zh: "密钥与证书", en: "keys and certificates" },
  verbs: [
    initVerb,
    requestVerb,
    issueVerb,
    importVerb,
    listVerb,
    rotateVerb,
    revokeVerb,
    backupVerb,
    restoreVerb,
    exportVerb,
    destroyVerb,
    logVerb,
  ],
};
