/** Guarantee: what a terminal says of tags of the gate: whether chunks are checked by them, and why they are not where they were asked for. */
import type { Words } from "@lightferry/proto/cli";
import { errorRow, isErrorCode } from "@lightferry/proto/errors";
import type { RxLane, RxLink, TxLink } from "../src/picture.ts";
import { size } from "./status-parts.ts";

/** How it stands; `fault` where somebody should look. */
export interface TagsState {
  readonly fault: boolean;
  readonly words: Words;
}

const fine = (zh: string, en: string): TagsState => ({ fault: false, words: { zh, en } });
const fault = (zh: string, en: string): TagsState => ({ fault: true, words: { zh, en } });

const TAKEN: Readonly<Record<"none" | "waiting" | "on", TagsState>> = {
  on: fine("标签校验", "tags"),
  waiting: fine("标签校验 待取密钥", "tags: key not opened yet"),
  none: fault("标签校验已启用，发送端未给密钥", "tags are on here, but the sender tells no key"),
};

/** Undefined where tags were not asked for. */
export function sentTags(tags: TxLink["tags"] = "off"): TagsState | undefined {
  if (tags === "off") return undefined;
  if (tags === "on") return TAKEN.on;
  const { zh, en } = isErrorCode(tags) ? errorRow(tags) : { zh: tags, en: tags };
  return fault(`标签校验已启用，未能发出：${zh}`, `tags are on, but none are sent: ${en}`);
}

/** Undefined where tags were not asked for. */
export const takenTags = (tags: RxLink["tags"] = "off"): TagsState | undefined =>
  tags === "off" ? undefined : TAKEN[tags];

/** That tags are believed and show nothing is worth a look, too. Undefined while nothing was judged. */
export function checkedBytes(checked: RxLane["checked"]): Words | undefined {
  if (checked === undefined || checked.byTag + checked.byDigest === 0) return undefined;
  const [byTag, byDigest] = [size(checked.byTag), size(checked.byDigest)];
  return {
    zh: `标签校验 ${byTag}，杂凑校验 ${byDigest}`,
    en: `${byTag} checked by tags, ${byDigest} by digests`,
  };
}

/** Undefined where every tag was right. */
export function wrongTags(checked: RxLane["checked"]): Words | undefined {
  const count = checked?.wrongTags ?? 0;
  if (count === 0) return undefined;
  return {
    zh: `标签不符 ${count} 块，已按杂凑判定`,
    en: `${count} chunks with a wrong tag, judged by their digest`,
  };
}
