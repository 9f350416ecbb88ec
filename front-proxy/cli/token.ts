/** Guarantee: `lightferry token`: callers' API tokens; the token itself is printed once, at issue. */
import { type CliContext, type CliNoun, type CliVerb, EXIT } from "@lightferry/proto/cli";
import type { lightferry } from "@lightferry/proto/gen";
import { clock, withAdmin } from "./admin-call.ts";

const DEFAULT_DAYS = 90;
/** A year and a day, as the front-proxy allows. */
const MAX_DAYS = 366;
/** One working day to roll the new token out. */
const DEFAULT_OVERLAP_SECONDS = 86_400;
const MAX_OVERLAP_SECONDS = 604_800;

const DAYS = {
  type: "string",
  value: "DAYS",
  summary: {
    zh: `有效天数，1 至 ${MAX_DAYS}，默认 ${DEFAULT_DAYS}`,
    en: `days it is good for, 1 to ${MAX_DAYS}, ${DEFAULT_DAYS} by default`,
  },
} as const;

const TOKEN_ID = {
  name: "token-id",
  summary: { zh: "令牌编号（token list 可查）", en: "id of the token (see token list)" },
} as const;

interface Issued {
  readonly tokenId: string;
  readonly token: string;
  readonly expiresMs: number;
}

function show(context: CliContext, issued: Issued): void {
  const { tokenId, token, expiresMs } = issued;
  context.emitJson({ tokenId, token, expiresMs });
  context.out(token);
  context.out(
    context.say({
      zh: `编号 ${tokenId}，有效至 ${clock(expiresMs)}。令牌只显示这一次，系统仅保存其摘要。`,
      en: `id ${tokenId}, good until ${clock(expiresMs)}. It is shown only now; only its hash is stored.`,
    }),
  );
}

const issue: CliVerb = {
  name: "issue",
  summary: { zh: "为已登记的接入方签发令牌", en: "issue a token for a registered caller" },
  usage: "<caller> [--days N] [--note TEXT]",
  args: [
    {
      name: "caller",
      summary: {
        zh: "接入方编号（lightferry policy show 可查）",
        en: "id of the caller (see lightferry policy show)",
      },
    },
  ],
  options: {
    days: DAYS,
    note: {
      type: "string",
      value: "TEXT",
      summary: { zh: "备注，例如用途或申请单号", en: "a note, e.g. what it is for" },
    },
  },
  examples: [
    {
      command: "token issue registration-office --zone extranet --days 30 --note 试运行",
      summary: { zh: "签发 30 天有效的令牌", en: "a token for thirty days" },
    },
  ],
  async run(context, input) {
    const [caller = ""] = input.positionals;
    const days = input.integer("days", { min: 1, max: MAX_DAYS }) ?? DEFAULT_DAYS;
    const note = input.text("note") ?? "";
    const issued = await withAdmin(context, (admin) => admin.issueToken({ caller, days, note }));
    show(context, issued);
    return EXIT.done;
  },
};

const rotate: CliVerb = {
  name: "rotate",
  summary: {
    zh: "换发令牌，旧令牌在重叠期内仍有效",
    en: "replace a token; the old one works a while",
  },
  usage: "<token-id> [--overlap SECONDS] [--days N]",
  args: [TOKEN_ID],
  options: {
    days: DAYS,
    overlap: {
      type: "string",
      value: "SECONDS",
      summary: {
        zh: `旧令牌继续有效的秒数，默认 ${DEFAULT_OVERLAP_SECONDS}`,
        en: `seconds the old one still works, ${DEFAULT_OVERLAP_SECONDS} by default`,
      },
    },
  },
  examples: [
    {
      command: "token rotate 3f9c2a7d11e0b654 --zone extranet --overlap 3600",
      summary: { zh: "一小时内新旧令牌均可用", en: "both work for one hour" },
    },
  ],
  async run(context, input) {
    const [tokenId = ""] = input.positionals;
    const days = input.integer("days", { min: 1, max: MAX_DAYS }) ?? DEFAULT_DAYS;
    const overlapSeconds =
      input.integer("overlap", { min: 0, max: MAX_OVERLAP_SECONDS }) ?? DEFAULT_OVERLAP_SECONDS;
    const issued = await withAdmin(context, (admin) =>
      admin.rotateToken({ tokenId, days, overlapSeconds }),
    );
    show(context, issued);
    return EXIT.done;
  },
};

const revoke: CliVerb = {
  name: "revoke",
  summary: { zh: "立即吊销令牌", en: "end a token at once" },
  usage: "<token-id>",
  args: [TOKEN_ID],
  examples: [
    {
      command: "token revoke 3f9c2a7d11e0b654 --zone extranet",
      summary: { zh: "之后的请求一律返回 401", en: "requests with it get 401 from now on" },
    },
  ],
  async run(context, input) {
    const [tokenId = ""] = input.positionals;
    await withAdmin(context, (admin) => admin.revokeToken({ tokenId }));
    context.emitJson({ tokenId, revoked: true });
    context.out(context.say({ zh: `令牌 ${tokenId} 已吊销`, en: `token ${tokenId} is revoked` }));
    return EXIT.done;
  },
};

const list: CliVerb = {
  name: "list",
  summary: { zh: "列出令牌（不含令牌本身）", en: "list tokens (never the tokens themselves)" },
  usage: "",
  args: [],
  examples: [
    {
      command: "token list --zone extranet",
      summary: { zh: "全部令牌及状态", en: "all tokens and their state" },
    },
  ],
  async run(context) {
    const answer = await withAdmin(context, (admin) => admin.listTokens({}));
    const tokens = (answer.tokens ?? []).map(shown);
    context.emitJson({ tokens });
    context.table(tokens, [
      { title: { zh: "编号", en: "ID" }, value: "tokenId" },
      { title: { zh: "接入方", en: "CALLER" }, value: "caller" },
      { title: { zh: "状态", en: "STATE" }, value: (row) => context.say(stateOf(row)) },
      { title: { zh: "签发", en: "ISSUED" }, value: (row) => clock(row.createdMs) },
      { title: { zh: "到期", en: "EXPIRES" }, value: (row) => clock(row.expiresMs) },
      { title: { zh: "最近使用", en: "LAST USED" }, value: (row) => clock(row.lastUsedMs) },
      { title: { zh: "备注", en: "NOTE" }, value: "note" },
    ]);
    return EXIT.done;
  },
};

interface Shown {
  readonly tokenId: string;
  readonly caller: string;
  readonly createdMs: number;
  readonly expiresMs: number;
  /** 0 = not revoked, never used. */
  readonly revokedMs: number;
  readonly lastUsedMs: number;
  readonly note: string;
}

function shown(token: lightferry.admin.v1.TokenInfo.$Properties): Shown {
  return {
    tokenId: token.tokenId ?? "",
    caller: token.caller ?? "",
    createdMs: token.createdMs ?? 0,
    expiresMs: token.expiresMs ?? 0,
    revokedMs: token.revokedMs ?? 0,
    lastUsedMs: token.lastUsedMs ?? 0,
    note: token.note ?? "",
  };
}

function stateOf(token: Shown) {
  const now = Date.now();
  if (token.revokedMs !== 0) return { zh: "已吊销", en: "revoked" };
  if (token.expiresMs <= now) return { zh: "已过期", en: "expired" };
  return { zh: "有效", en: "good" };
}

export const noun: CliNoun = {
  name: "token",
  summary: { zh: "接入方 API 令牌", en: "API tokens of callers" },
  verbs: [issue, rotate, revoke, list],
};
