/** Files are kept for the repair horizon: production does not start without, a demonstration says so. */

import type { Registry } from "@lightferry/proto/registry";
import { createLogger } from "@lightferry/proto/service";
import { expect, it } from "vitest";
import type { FrontProxyConfig } from "../src/config.ts";
import { parseFrontProxyConfig } from "../src/config-parse.ts";
import type { FrontProxyContext } from "../src/context.ts";
import { checkRetention, retentionMs } from "../src/egress/retention.ts";

const DAY = 86_400;

const registry = (...lanes: { id: string; from: string; expirySeconds: number }[]) =>
  ({
    document: { lanes },
    lane: (id: string) => lanes.find((lane) => lane.id === id),
  }) as unknown as Registry;
const out = (expirySeconds: number) => ({ id: "inbound", from: "extranet", expirySeconds });
const back = { id: "outbound", from: "business", expirySeconds: 1 };

function setUp(mode: "demo" | "production", limits: object, known: Registry) {
  const warnings: unknown[] = [];
  const log = createLogger({ name: "test" });
  log.level = "silent";
  log.warn = ((fields: unknown) => warnings.push(fields)) as typeof log.warn;
  const config = { zone: "extranet", mode, limits } as FrontProxyConfig;
  const context = { config, shell: { log }, registry: () => known };
  return { warnings, context: context as unknown as FrontProxyContext };
}

it.each([
  ["the lane's expiry is seven days", {}, 7 * DAY, true],
  ["the lane's expiry is shorter", {}, 7 * DAY - 1, false],
  ["the setting is shorter", { outboxRetentionSeconds: 3 * DAY }, 30 * DAY, false],
  ["the setting is longer", { outboxRetentionSeconds: 8 * DAY }, DAY, true],
  ["the horizon is shorter", { repairHorizonSeconds: DAY }, DAY, true],
  ["the horizon is longer", { repairHorizonSeconds: 31 * DAY }, 30 * DAY, false],
])("%s", (_, limits, expirySeconds, enough) => {
  const known = registry(out(expirySeconds), back);
  const production = setUp("production", limits, known);
  const demo = setUp("demo", limits, known);
  checkRetention(demo.context);
  expect(demo.warnings).toHaveLength(enough ? 0 : 1);
  if (enough) checkRetention(production.context);
  else expect(() => checkRetention(production.context)).toThrow(/config\.invalid.*inbound/);
});

it("a registry renewed after the start does not shorten it in production", () => {
  const known = registry(out(DAY));
  const settings = (mode: "demo" | "production") => setUp(mode, {}, known).context.config;
  expect(retentionMs(settings("production"), known, "inbound")).toBe(7 * DAY * 1_000);
  expect(retentionMs(settings("production"), known, "forgotten")).toBe(7 * DAY * 1_000);
  expect(retentionMs(settings("demo"), known, "inbound")).toBe(DAY * 1_000);
});

it("the horizon is read from the configuration", () => {
  const tls = { ca: "ca", cert: "cert", key: "key" };
  const raw = {
    ...{ zone: "extranet", node: "n", service: "front-proxy", mode: "demo", stateDir: "/s", tls },
    ...{ peers: { policy: "h:1", audit: "h:2" }, anchorPath: "/a", trustRootPath: "/r" },
    ...{ unlockPath: "/u", vaultPath: "/v", spoolDir: "/spool", outboxDir: "/outbox" },
    ...{ listen: { host: "h", port: 1 }, api: { host: "h", port: 2, tls } },
    ...{ databaseUrl: "postgres://x", arrivalsDir: "/arrivals", inboxDir: "/inbox" },
    encryptKeysDir: "/k",
  };
  const limits = (of: object) => parseFrontProxyConfig({ ...raw, limits: of }).limits;
  expect(limits({}).repairHorizonSeconds).toBeUndefined();
  expect(limits({ repairHorizonSeconds: 60 }).repairHorizonSeconds).toBe(60);
  expect(() => limits({ repairHorizonSeconds: -1 })).toThrow("limits.repairHorizonSeconds");
});
