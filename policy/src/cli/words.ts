/** Guarantee: registry and pack words as officers read them; a word that is not known stays as it is. */
import type { Words } from "@lightferry/proto/cli";

const WORDS: Readonly<Record<string, Words>> = {
  open: { zh: "开放", en: "open" },
  media: { zh: "仅介质", en: "by medium only" },
  closed: { zh: "关闭", en: "closed" },
  request: { zh: "请求", en: "request" },
  file: { zh: "文件", en: "file" },
  receipt: { zh: "回执", en: "receipt" },
  note: { zh: "只记录", en: "note" },
  mask: { zh: "脱敏", en: "mask" },
  hold: { zh: "待人工审查", en: "hold" },
  refuse: { zh: "拒绝", en: "refuse" },
  "seal-away": { zh: "拒绝并封存", en: "seal away" },
  "secrecy-mark-head": { zh: "密级标志", en: "secrecy mark" },
  "secrecy-mark-name": { zh: "文件名中的密级字样", en: "secrecy word in the file name" },
  "secrecy-mark-text": { zh: "正文中的密级字样", en: "secrecy word in the text" },
  "resident-id": { zh: "身份证号", en: "resident id" },
  "resident-id-15": { zh: "15 位身份证号", en: "15-digit resident id" },
  "mobile-number": { zh: "手机号", en: "mobile number" },
  undecodable: { zh: "无法检查的内容", en: "content that cannot be inspected" },
};

export function wordsOf(name: string): Words {
  return WORDS[name] ?? { zh: name, en: name };
}
