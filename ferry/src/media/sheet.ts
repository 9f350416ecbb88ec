/**
 * Guarantee: the hand-over sheet is one page of plain HTML: no script, nothing
 * loaded from elsewhere, every text escaped; what it says is what the signed
 * manifest says.
 */

import { qrSvg } from "@lightferry/proto/pki";
import { hex } from "./manifest.ts";

/** What of a manifest is printed. */
export interface SheetFacts {
  readonly mediumId: Uint8Array;
  readonly lane: string;
  readonly number: number;
  readonly previous: number;
  readonly sender: string;
  readonly receiver: string;
  readonly receiverZone: string;
  readonly createdMs: number;
  readonly custodians: readonly string[];
  readonly count: number;
}

const STYLE = `@page{size:A4;margin:18mm}body{font-family:"Noto Serif CJK SC",SimSun,serif;font-size:11pt;color:#000;background:#fff;max-width:174mm;margin:0 auto}
h1{font-size:18pt;text-align:center;margin:0 0 6mm}small{font-size:.75em;font-weight:normal;color:#333}
table{border-collapse:collapse;width:100%}th,td{border:.3mm solid #000;padding:2mm;text-align:left;vertical-align:top}
th{width:44mm;font-weight:normal}code{font-family:monospace;font-size:9.5pt;word-break:break-all}
svg{width:42mm;height:42mm;float:right;margin:0 0 4mm 6mm}.sign td{height:14mm}`;

/** What a QR reader gets: the id and the digest, to compare with what `media import --check-only` says. */
export function qrText(mediumId: Uint8Array, digest: Uint8Array): string {
  return `LFM1:${hex(mediumId)}:${hex(digest)}`;
}

/** @param bytes of all bundles @param digest SM3 of the manifest file */
export function handOverSheet(facts: SheetFacts, bytes: number, digest: Uint8Array): string {
  const { mediumId, custodians } = facts;
  const rows: readonly [string, string, string][] = [
    ["介质编号", "Medium id", code(hex(mediumId))],
    ["清单摘要（SM3）", "Manifest digest (SM3)", code(hex(digest))],
    ["通道", "Lane", escaped(facts.lane)],
    ["介质序号", "Medium number", String(facts.number)],
    ["上一张介质的序号", "Number of the one before", String(facts.previous)],
    ["发送节点", "Sender", escaped(facts.sender)],
    ["接收节点", "Receiver", escaped(`${facts.receiver} / ${facts.receiverZone}`)],
    ["制作时间", "Made at", escaped(new Date(facts.createdMs).toISOString())],
    ["数据包数", "Bundles", String(facts.count)],
    ["字节数", "Bytes", String(bytes)],
  ];
  const people = custodians.length > 0 ? custodians : [""];
  return `<!doctype html>
<html lang="zh-CN"><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'"><title>介质交接单 ${hex(mediumId)}</title><style>${STYLE}</style></head><body>
<h1>介质交接单 <small>Hand-over sheet of a medium</small></h1>
${qrSvg(qrText(mediumId, digest))}<p>导入前请核对介质编号与清单摘要；不符即停止使用该介质。<br><small>Compare id and digest before the import; where they differ, do not use the medium.</small></p>
<table>
${rows.map(([zh, en, value]) => `<tr><th>${zh} <small>${en}</small></th><td>${value}</td></tr>`).join("\n")}
</table>
<h2>签收 <small>Signatures</small></h2>
<table class="sign"><tr><td>角色 <small>Role</small></td><td>姓名 <small>Name</small></td><td>签字 <small>Signature</small></td><td>日期时间 <small>Date and time</small></td></tr>
${people.map((name) => signLine("介质保管员", "Custodian", name)).join("\n")}
${signLine("移交人", "Handed over by", "")}
${signLine("接收人", "Received by", "")}
</table>
</body></html>
`;
}

function signLine(zh: string, en: string, name: string): string {
  return `<tr><td>${zh} <small>${en}</small></td><td>${escaped(name)}</td><td></td><td></td></tr>`;
}

function code(text: string): string {
  return `<code>${escaped(text)}</code>`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? "");
}
