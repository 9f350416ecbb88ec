/**
 * Guarantee: submits real input to both zones, follows every exchange to its
 * end on both sides, prints a row for each group as it ends, and says whether
 * everything ended as it must.
 */
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CALLERS, type ZoneName, zonePaths, zonePorts } from "../layout.ts";
import { REPOSITORY } from "../repository.ts";
import type { ZoneOptions } from "../setup/zone-options.ts";
import { ApiClient } from "./api-client.ts";
import { countValidIds } from "./count-ids.ts";
import { type Ended, Operators } from "./follow.ts";
import { SCENARIOS, type Scenario } from "./scenarios.ts";
import { printEnd, type RowView } from "./table.ts";

/** On two busy cores the whole demonstration took 9 s; beyond this something is stuck. */
const DEADLINE_MS = 120_000;

export interface DemoResult {
  readonly ok: boolean;
  /** An exchange that crossed, for the commands to try next; "" when none did. */
  readonly crossed: string;
}

export async function runDemo(home: string, options: ZoneOptions): Promise<DemoResult> {
  const operators = new Operators(home);
  const apis = new Map<ZoneName, ApiClient>();
  try {
    for (const zone of ["extranet", "business"] as const) {
      apis.set(zone, await demoApi(home, zone, options.portBase, operators));
    }
    const deadline = Date.now() + DEADLINE_MS;
    const rows = await Promise.all(
      SCENARIOS.map(async (scenario) => {
        const api = apis.get(scenario.from);
        const row =
          api === undefined
            ? undefined
            : await runScenario(home, scenario, api, operators, deadline);
        if (row !== undefined) printEnd(row);
        return row;
      }),
    );
    return {
      ok: rows.every((row) => row?.ok === true),
      crossed: rows.find((row) => row?.scenario.maskedFile !== undefined)?.exchangeId ?? "",
    };
  } finally {
    operators.close();
    for (const api of apis.values()) api.close();
  }
}

/** The demonstration's token is kept (演示, mode 0600) so that a second start is the same caller. */
async function demoApi(
  home: string,
  zone: ZoneName,
  portBase: number,
  operators: Operators,
): Promise<ApiClient> {
  const paths = zonePaths(home, zone);
  const path = join(paths.keys, "demo-token");
  if (!existsSync(path)) {
    writeFileSync(path, await operators.issueToken(zone, CALLERS[zone]), { mode: 0o600 });
  }
  const ca = readFileSync(join(paths.tls, "ca.pem"));
  return new ApiClient(
    `https://127.0.0.1:${zonePorts(zone, portBase).api}`,
    ca,
    readFileSync(path, "utf8"),
  );
}

async function runScenario(
  home: string,
  scenario: Scenario,
  api: ApiClient,
  operators: Operators,
  deadline: number,
): Promise<RowView> {
  const started = performance.now();
  const answers = await scenario.submit(api);
  const ends = await Promise.all(
    answers.map(async ({ status, body }): Promise<Ended> => {
      const id = body.exchangeId;
      if (typeof id === "string") return operators.follow(scenario.from, id, deadline);
      const code = typeof body.code === "string" ? body.code : `HTTP ${status}`;
      return { sent: { state: "refused", refusal: { code } }, received: undefined };
    }),
  );
  const { expect } = scenario;
  const good = ends.filter(
    ({ sent, received }) =>
      sent.state === expect.sent &&
      received?.state === expect.received &&
      (expect.code === undefined || sent.refusal?.code === expect.code),
  );
  const content = checkContent(home, scenario, answers[0]?.body.exchangeId);
  return {
    scenario,
    ok: good.length === ends.length && ends.length > 0 && content.ok,
    count: ends.length,
    good: good.length,
    worst: ends.find((end) => !good.includes(end)) ?? ends[0],
    content: content.text,
    seconds: (performance.now() - started) / 1000,
    exchangeId: String(answers[0]?.body.exchangeId ?? ""),
  };
}

function checkContent(
  home: string,
  scenario: Scenario,
  exchangeId: unknown,
): { readonly ok: boolean; readonly text: string } {
  const wanted = scenario.identicalFile ?? scenario.maskedFile;
  if (wanted === undefined) return { ok: true, text: "" };
  const folder = join(zonePaths(home, "business").drop, wanted.service);
  const name = existsSync(folder)
    ? readdirSync(folder).find(
        (entry) => !entry.startsWith(".") && entry.includes(String(exchangeId)),
      )
    : undefined;
  if (name === undefined) return { ok: false, text: "未见文件 / no file" };
  const delivered = readFileSync(join(folder, name));
  const original = readFileSync(join(REPOSITORY, "deploy/samples", wanted.sample));
  if (scenario.identicalFile !== undefined) {
    const same = delivered.equals(original);
    const sm3 = createHash("sm3").update(delivered).digest("hex").slice(0, 12);
    return { ok: same, text: same ? `逐字节一致 SM3 ${sm3}…` : "内容不一致 / differs" };
  }
  const before = countValidIds(original.toString("utf8"));
  const after = countValidIds(delivered.toString("utf8"));
  return { ok: before > 0 && after === 0, text: `身份证号 ${before} → ${after}` };
}
