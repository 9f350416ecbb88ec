import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type CliNoun, cellWidth, EXIT, runHelp, runNoun } from "../src/cli/index.ts";
import { localeOf } from "../src/cli/locale.ts";
import { renderTable } from "../src/cli/table.ts";
import { padTo } from "../src/cli/width.ts";
import { type ErrorCode, GatewayError } from "../src/errors/index.ts";

const token: CliNoun = {
  name: "token",
  summary: { zh: "接口令牌", en: "API tokens" },
  verbs: [
    {
      name: "issue",
      summary: { zh: "签发令牌", en: "issue a token" },
      usage: "<caller> [--days N]",
      args: [{ name: "caller", summary: { zh: "调用方编号", en: "caller id" } }],
      options: {
        days: {
          type: "string",
          value: "N",
          summary: { zh: "有效天数", en: "days it is good for" },
        },
      },
      examples: [
        {
          command: "token issue bureau-01 --days 30",
          summary: { zh: "给某局签发一个月", en: "a month for one bureau" },
        },
      ],
      run: async (context, input) => {
        const caller = input.positionals[0] ?? "";
        if (caller.includes(".")) throw new GatewayError(caller as ErrorCode, { detail: "试验" });
        const days = input.integer("days", { min: 1, max: 366 }) ?? 90;
        context.out(context.say({ zh: `已签发 ${caller}`, en: `issued ${caller}` }));
        context.emitJson({ caller, days });
        return EXIT.done;
      },
    },
    {
      name: "list",
      summary: { zh: "列出令牌", en: "list tokens" },
      usage: "",
      args: [],
      run: async (context) => {
        const config = context.zoneConfig();
        const rows = [{ zone: config.zone, node: config.node, n: 5 }];
        context.table(rows, [
          { title: { zh: "网络", en: "Zone" }, value: "zone" },
          { title: { zh: "节点", en: "Node" }, value: (row) => row.node },
          { title: { zh: "数量", en: "Count" }, value: "n", align: "right" },
        ]);
        context.emitJson(rows);
        return EXIT.done;
      },
    },
  ],
};

const stop: CliNoun = {
  name: "stop",
  summary: { zh: "停止", en: "stop" },
  verbs: [
    {
      name: "",
      summary: { zh: "停止全部", en: "stop all" },
      usage: "",
      args: [],
      run: async () => EXIT.done,
    },
  ],
};

let home: string;
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), "lf-cli-"));
});
afterAll(() => rm(home, { recursive: true, force: true }));

async function installZone(zone: string): Promise<void> {
  const folder = join(home, zone, "config");
  await mkdir(folder, { recursive: true });
  const config = {
    zone,
    node: `node-${zone}`,
    tls: { ca: "a", cert: "b", key: "c" },
    peers: { audit: "127.0.0.1:7104" },
    anchorPath: "d",
    databaseUrls: { audit: "postgres://x" },
  };
  await writeFile(join(folder, "cli.json"), JSON.stringify(config));
}

async function run(
  noun: CliNoun,
  argv: string[],
  environment: Record<string, string> = { LANG: "zh_CN.UTF-8" },
) {
  let stdout = "";
  let stderr = "";
  const code = await runNoun(noun, argv, {
    environment: { LIGHTFERRY_HOME: home, ...environment },
    stdout: (text) => {
      stdout += text;
    },
    stderr: (text) => {
      stderr += text;
    },
  });
  return { code, stdout, stderr };
}

describe("exit codes", () => {
  it("are 0 done, 2 usage, 3 refused, 4 unavailable", async () => {
    expect((await run(token, ["issue", "bureau-01"])).code).toBe(0);
    for (const argv of [
      ["issue"],
      ["issue", "a", "b"],
      ["issue", "a", "--unknown"],
      ["issue", "a", "--days"],
      ["issue", "a", "--days", "367"],
      ["issue", "a", "--days", "1e2"],
      ["no-such-verb"],
      ["--unknown"],
      ["list", "extra"],
    ]) {
      const { code, stderr } = await run(token, argv);
      expect(code, argv.join(" ")).toBe(2);
      expect(stderr).toContain("cli.usage");
      expect(stderr).toContain("--help");
    }
    expect((await run(token, ["issue", "rpc.peer-not-allowed"])).code).toBe(3);
    expect((await run(token, ["issue", "registry.demo-in-production"])).code).toBe(4);
    expect((await run(token, ["issue", "rpc.unavailable"])).code).toBe(4);
    expect((await run(token, ["issue", "id.invalid"])).code).toBe(2);
    expect((await run(stop, [])).code).toBe(0);
    expect((await run(stop, ["now"])).code).toBe(2);
  });
});

describe("languages", () => {
  it("follow the terminal, Chinese where it says nothing", () => {
    expect(localeOf({})).toBe("zh");
    expect(localeOf({ LANG: "" })).toBe("zh");
    expect(localeOf({ LANG: "zh_CN.UTF-8" })).toBe("zh");
    expect(localeOf({ LANG: "C.UTF-8" })).toBe("zh");
    expect(localeOf({ LANG: "C" })).toBe("en");
    expect(localeOf({ LANG: "en_GB.UTF-8" })).toBe("en");
    expect(localeOf({ LANG: "zh_CN.UTF-8", LC_ALL: "en_US.UTF-8" })).toBe("en");
    expect(localeOf({ LC_ALL: "en_US.UTF-8", LIGHTFERRY_LANG: "zh" })).toBe("zh");
  });

  it("both appear in a refusal, the reader's first", async () => {
    const chinese = await run(token, ["issue", "rpc.unavailable"]);
    expect(chinese.stderr).toMatch(
      /^rpc\.unavailable: 试验\n {2}内部服务不可达。.*\n {2}a service/,
    );
    const english = await run(token, ["issue", "rpc.unavailable"], { LANG: "en_US.UTF-8" });
    expect(english.stderr).toMatch(/^rpc\.unavailable: 试验\n {2}a service.*\n {2}内部服务不可达/);
    expect((await run(token, ["issue", "b"])).stdout).toBe("已签发 b\n");
    expect((await run(token, ["issue", "b"], { LANG: "en" })).stdout).toBe("issued b\n");
  });
});

describe("help", () => {
  it("teaches with examples, for the product, a noun and a verb", async () => {
    const verb = await run(token, ["issue", "--help"]);
    expect(verb.code).toBe(0);
    for (const part of [
      "用法: npx lightferry token issue <caller>",
      "--days N",
      "--json",
      "示例",
      "token issue bureau-01 --days 30",
      "退出码",
    ]) {
      expect(verb.stdout).toContain(part);
    }
    for (const argv of [[], ["--help"], ["help"]]) {
      const noun = await run(token, argv, { LANG: "en" });
      expect(noun.code).toBe(0);
      expect(noun.stdout).toContain("lightferry token list");
      expect(noun.stdout).toContain("a month for one bureau");
    }
    let text = "";
    const surroundings = {
      environment: {},
      stdout: (part: string) => {
        text += part;
      },
      stderr: (part: string) => {
        text += part;
      },
    };
    expect(runHelp([token, stop], "--help", false, surroundings)).toBe(0);
    expect(text).toMatch(/lightferry stop +停止全部/);
    text = "";
    expect(runHelp([token, stop], "tokne", false, surroundings)).toBe(2);
    expect(text).toMatch(/lightferry tokne[\s\S]*lightferry token issue/);
  });
});

describe("json", () => {
  it("is the only thing on stdout, also for errors", async () => {
    const done = await run(token, ["issue", "a", "--json", "--days", "5"]);
    expect(JSON.parse(done.stdout)).toEqual({ caller: "a", days: 5 });
    const help = await run(token, ["issue", "--help", "--json"]);
    expect(JSON.parse(help.stdout)).toEqual({ help: expect.stringContaining("token issue") });
    const failed = await run(token, ["issue", "rpc.unavailable", "--json"]);
    expect(JSON.parse(failed.stdout)).toMatchObject({
      error: { code: "rpc.unavailable", detail: "试验", actor: "system-admin" },
    });
    expect(failed.stderr).toBe("");
    const usage = await run(token, ["issue", "--json"]);
    expect(JSON.parse(usage.stdout)).toMatchObject({ error: { code: "cli.usage" } });
  });
});

describe("zones", () => {
  it("are found: the named one, the only one, or a usage error that lists them", async () => {
    expect((await run(token, ["list"])).stderr).toContain("npm start");
    await installZone("extranet");
    expect((await run(token, ["list"])).stdout).toBe(
      "网络      节点           数量\n────────  ─────────────  ────\nextranet  node-extranet     5\n",
    );
    await installZone("business");
    const unclear = await run(token, ["list"]);
    expect(unclear.code).toBe(2);
    expect(unclear.stderr).toContain("--zone business | extranet");
    const named = await run(token, ["list", "--zone", "business", "--json"]);
    expect(JSON.parse(named.stdout)).toEqual([{ zone: "business", node: "node-business", n: 5 }]);
    expect((await run(token, ["list"], { LIGHTFERRY_ZONE: "business" })).stdout).toContain(
      "node-business",
    );
    const nowhere = await run(token, ["list", "--zone", "nowhere"]);
    expect([nowhere.code, nowhere.stderr]).toEqual([
      2,
      expect.stringContaining("--zone nowhere: business | extranet"),
    ]);
  });
});

describe("tables", () => {
  it("measure Chinese as two cells and cut what is too long", () => {
    expect(cellWidth("登记abc")).toBe(7);
    expect(cellWidth("e\u0301")).toBe(1);
    expect(padTo("自然资源", 5, "left")).toBe("自然…");
    expect(padTo("ab", 4, "right")).toBe("  ab");
    const lines = renderTable(
      [{ a: "自然资源业务网" }, { a: "x\u001b[31mred\nline" }],
      [{ title: { zh: "名称", en: "Name" }, value: "a", max: 10 }],
      "zh",
    );
    expect(lines).toEqual(["名称", "─".repeat(10), "自然资源…", "x [31mred…"]);
    expect(renderTable([], [], "en")).toEqual(["(none)"]);
  });

  it("keep every line within the sum of its columns", () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: "grapheme", maxLength: 30 })), (texts) => {
        const lines = renderTable(
          texts.map((a) => ({ a })),
          [{ title: { zh: "甲", en: "A" }, value: "a", max: 12 }],
          "zh",
        );
        for (const line of lines) {
          expect(cellWidth(line)).toBeLessThanOrEqual(12);
          expect(line).not.toMatch(/\p{Cc}/u);
        }
      }),
      { numRuns: 200 },
    );
  });
});
