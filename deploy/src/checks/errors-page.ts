/**
 * Guarantee: `proto/ERRORS.md` says exactly what the error table says;
 * `--check` exits 1 on any difference.
 *
 * Usage: node deploy/src/checks/errors-page.ts [--check]
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Actor, ERRORS } from "@lightferry/proto/errors";
import { REPOSITORY } from "../repository.ts";

const ACTORS: Readonly<Record<Actor, string>> = {
  caller: "接入单位 caller",
  "system-admin": "系统管理员 system administrator",
  "security-admin": "安全管理员 security administrator",
  auditor: "安全审计员 auditor",
  "data-owner": "数据责任人 data owner",
  "far-side": "对端 far side",
};

function page(): string {
  const rows = Object.entries(ERRORS)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(
      ([code, row]) =>
        `| \`${code}\` | ${row.http} | ${row.zh}<br>${row.en} | ${ACTORS[row.actor]} | ${row.doZh}<br>${row.doEn} |`,
    );
  return `# 错误码 · Error codes

Generated from \`proto/src/errors/\` by \`npm run gen\`; do not edit. Every refusal carries one of these codes: in
\`problem+json\` as \`code\`, in the audit log, beside a watched folder's file, and in the output of the command line.

| code | HTTP | 含义 meaning | 谁处理 who acts | 怎么办 what to do |
|---|---|---|---|---|
${rows.join("\n")}
`;
}

const path = join(REPOSITORY, "proto/ERRORS.md");
const text = page();
if (process.argv.includes("--check")) {
  if (!existsSync(path) || readFileSync(path, "utf8") !== text) {
    console.error("proto/ERRORS.md is not what the error table says: run npm run gen");
    process.exitCode = 1;
  }
} else {
  writeFileSync(path, text);
}
