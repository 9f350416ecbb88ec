/** Guarantee: an officer reads words, not field names, and the reason of a refusal first. */
import type { Words } from "@lightferry/proto/cli";
import { GatewayError } from "@lightferry/proto/errors";
import { EVENT_TYPES } from "@lightferry/proto/event";
import { describe, expect, it } from "vitest";
import { remarks } from "../cli/remarks.ts";
import type { EventView } from "../cli/view.ts";
import { typePrefix } from "../cli/words.ts";

const zh = { say: (words: Words) => words.zh };
const en = { say: (words: Words) => words.en };

function view(fields: Partial<EventView>): EventView {
  return {
    ...{ timeMs: 0, zone: "extranet", node: "node-extranet", emitter: "policy" },
    ...{ emitterSequence: 1, type: "policy.decided", outcome: "ok", code: "", exchange: "" },
    ...{ bundle: "", lane: "", actor: "", clientAddress: "", service: "", grade: "", digest: "" },
    ...{ size: 0, rules: [], policyVersion: "", attributes: {} },
    ...fields,
  };
}

describe("remarks", () => {
  it("begin with the reason, then rules and where it came from", () => {
    const refused = view({
      ...{ outcome: "refused", code: "policy.secret-suspected", rules: ["mark-head"] },
      ...{ clientAddress: "10.1.2.3", attributes: { direction: "export", rule: "mark-head" } },
    });
    expect(remarks(zh, refused)).toBe(
      "疑似国家秘密，拒绝并封存（policy.secret-suspected）；规则 mark-head；来自 10.1.2.3；方向 外发",
    );
    expect(remarks(en, refused)).toMatch(/^suspected state secret.*; rules mark-head; from 10/);
  });

  it("tell attributes in words", () => {
    const delivered = view({ attributes: { attempt: "2", detail: "HTTP 201" } });
    expect(remarks(zh, delivered)).toBe("第 2 次投递；详情 HTTP 201");
    expect(remarks(en, delivered)).toBe("attempt 2; detail HTTP 201");
    const masked = view({
      rules: ["resident-id", "grant:office-survey"],
      attributes: { obligations: "mask:resident-id:200 mask:mobile-number:3" },
    });
    expect(remarks(zh, masked)).toBe(
      "规则 resident-id；授权 office-survey；脱敏 身份证号 200 处、手机号 3 处",
    );
  });

  it("call an attribute by what it means in this event", () => {
    const told = (type: string, attributes: Record<string, string>) =>
      remarks(zh, view({ type, attributes }));
    expect(told("exchange.retried", { from: "in-doubt" })).toBe("原状态 结果存疑");
    expect(told("key.use-reserved", { from: "6", to: "21", operation: "sign" })).toBe(
      "自第 6；至 21；用途 签名",
    );
    expect(told("audit.append-refused", { key: "policy/7" })).toBe("上报序号 policy/7");
    expect(told("trust.key-denied", { key: "c15e" })).toBe("密钥编号 c15e");
    expect(told("key.action-begun", { "about.zone": "business", serials: "" })).toBe(
      "网络 business",
    );
    expect(told("gate.alarm", { "offset-ms": "4200" })).toBe("时钟差毫秒 4200");
    expect(told("exchange.receipted", { "at-ms": "1795392348841" })).toMatch(/^对端时间 2026-11-2/);
  });

  it("show what they do not know as it stands", () => {
    const newer = view({ code: "future.code", attributes: { "new-thing": "x" } });
    expect(remarks(zh, newer)).toBe("future.code；new-thing x");
  });
});

describe("--type", () => {
  it("understands the words of the list", () => {
    expect(["已送达", "delivered", "token.", "exchange.re", ""].map(typePrefix)).toEqual([
      ...["exchange.delivered", "exchange.delivered", "token.", "exchange.re", ""],
    ]);
  });

  it("names what there is when no event is of the type: of its kind, or of all kinds", () => {
    const detailOf = (text: string): string => {
      try {
        return `taken as ${typePrefix(text)}`;
      } catch (error) {
        if (error instanceof GatewayError && error.code === "cli.usage") return error.detail;
        throw error;
      }
    };
    expect(detailOf("token.stolen")).toBe(
      "--type token.stolen: token.(issued | rotated | revoked | refused)",
    );
    const all = detailOf("nonsense");
    for (const type of EVENT_TYPES) {
      const [kind, name] = type.split(".");
      expect(all).toMatch(new RegExp(`${kind}\\.\\([^)]*\\b${name}\\b`));
    }
  });
});
