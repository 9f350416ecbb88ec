/** Guarantee tested: `/metrics` is the exposition format, names what METRICS.md explains and nothing else, and serves one page. */
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { afterEach, expect, test } from "vitest";
import { CONTENT_TYPE, expose } from "../src/metrics/exposition.ts";
import type { Figure } from "../src/metrics/figures.ts";
import { metricsText } from "../src/metrics/index.ts";
import { PROCESS_FIGURES } from "../src/metrics/process-figures.ts";
import { RX_FIGURES } from "../src/metrics/rx-figures.ts";
import { type MetricsServer, startMetrics } from "../src/metrics/server.ts";
import { readMetricsListen } from "../src/metrics/settings.ts";
import { TX_FIGURES } from "../src/metrics/tx-figures.ts";
import { rxPicture, txPicture } from "./pictures.ts";
import { scrape } from "./scrape.ts";

let server: MetricsServer | undefined;
afterEach(async () => {
  await server?.close();
  server = undefined;
});

/** Rows of the tables of METRICS.md below a heading. */
function documented(heading: string): string[] {
  const page = readFileSync(new URL("../METRICS.md", import.meta.url), "utf8");
  const section = page.split(/^## /m).find((text) => text.startsWith(heading)) ?? "";
  return section.split("\n").filter((line) => /^\| `/.test(line));
}

function declared(figures: readonly Figure<never>[]): string[] {
  return figures.map(({ name, type, labels, help }) => {
    const shown = labels.map((label) => `\`${label}\``).join(" ");
    return `| \`${name}\` | ${type} | ${shown} | ${help} |`;
  });
}

test("METRICS.md lists every figure, as it is", () => {
  expect(documented("Sender")).toEqual(declared(TX_FIGURES));
  expect(documented("Receiver")).toEqual(declared(RX_FIGURES));
  expect(documented("Both")).toEqual(declared(PROCESS_FIGURES));
});

test("counters end with _total, others do not, and names have base units", () => {
  for (const { name, type } of [...TX_FIGURES, ...RX_FIGURES, ...PROCESS_FIGURES]) {
    expect(name.endsWith("_total"), name).toBe(type === "counter");
    expect(name).not.toMatch(/_(ms|milliseconds|kb|mib|percent|permille)(_|$)/);
    expect(name).toMatch(/^(lightferry_ferry|process)_[a-z_]+$/);
  }
});

test("the sender's page says what its picture says", () => {
  const page = scrape(metricsText(txPicture()));
  expect(page.value("lightferry_ferry_sent_bytes_total", { link: "0" })).toBe(14_560);
  expect(page.value("lightferry_ferry_bundles_total", { lane: "inbound", state: "emitted" })).toBe(
    4,
  );
  expect(page.value("lightferry_ferry_passes_under_way", { lane: "inbound", pass: "2" })).toBe(1);
  expect(page.value("lightferry_ferry_lag_worst_seconds", { lane: "inbound" })).toBe(1.5);
  expect(page.families.get("lightferry_ferry_sent_frames_total")).toBe("counter");
});

test("the receiver's page says what its picture says, and no bundle or stream by name", () => {
  const text = metricsText(rxPicture());
  const page = scrape(text);
  expect(page.value("lightferry_ferry_lost_frames_total", { link: "0" })).toBe(2);
  expect(page.value("lightferry_ferry_clock_offset_seconds", { link: "0" })).toBe(-7_200);
  const missing = (state: string) =>
    page.value("lightferry_ferry_missing_bundles", { lane: "inbound", state });
  expect([missing("open"), missing("unrepaired"), missing("unrepairable")]).toEqual([2, 1, 0]);
  expect(page.value("lightferry_ferry_rejected_frames_total", { link: "0", reason: "magic" })).toBe(
    1,
  );
  const checked = (by: string) =>
    page.value("lightferry_ferry_checked_bytes_total", { lane: "inbound", by });
  expect([checked("tag"), checked("digest")]).toEqual([64_000_000, 2_000_000]);
  expect(page.value("lightferry_ferry_wrong_tags_total", { lane: "inbound" })).toBe(1);
  const alarm = (code: string) => page.value("lightferry_ferry_alarm", { link: "0", code });
  expect(alarm("ferry.clock-drift")).toBe(1);
  expect(alarm("ferry.loss-high")).toBe(0);
  expect(text).not.toContain("node-extranet");
  expect(text).not.toContain(rxPicture().lanes[0]?.progress[0]?.bundle);
});

test("what is not known yet is absent, and label values are escaped", () => {
  const lanes = rxPicture().lanes.map(({ checked: _, ...lane }) => lane);
  expect(metricsText({ ...rxPicture(), lanes })).not.toMatch(/(checked_bytes|wrong_tags)_total\{/);
  const [link] = rxPicture().links;
  const heartbeat = { count: 0, silent: false, secondsAgo: null, clockOffsetMs: null };
  const before = { ...rxPicture(), links: [{ ...link, heartbeat }] } as never;
  expect(metricsText(before)).not.toContain("heartbeat_age");
  const family = { name: "a", type: "gauge", help: "x\ny" } as const;
  const odd = [{ labels: { lane: 'q"\\\n' }, value: 1 }];
  expect(expose([{ ...family, samples: odd }])).toBe(
    '# HELP a x\\ny\n# TYPE a gauge\na{lane="q\\"\\\\\\n"} 1\n',
  );
});

test("one page and nothing else, made once a second however often it is asked for", async () => {
  let made = 0;
  server = await startMetrics({ host: "127.0.0.1", port: 0 }, () => {
    made += 1;
    return metricsText(txPicture());
  });
  const at = `http://127.0.0.1:${server.port}`;
  const answers = await Promise.all([1, 2, 3].map(() => fetch(`${at}/metrics`)));
  for (const answer of answers) {
    expect(answer.headers.get("content-type")).toBe(CONTENT_TYPE);
    expect(scrape(await answer.text()).families.size).toBeGreaterThan(10);
  }
  expect(made).toBe(1);
  const other = await fetch(`${at}/etc/passwd`);
  expect([other.status, await other.text()]).toEqual([404, "404\n"]);
  const sent = await fetch(`${at}/metrics`, { method: "POST", body: "x".repeat(10_000) });
  expect([sent.status, await sent.text()]).toEqual([400, "400\n"]);
});

test("connections are few: what comes beyond them is closed", async () => {
  server = await startMetrics({ host: "127.0.0.1", port: 0 }, () => "");
  const { port } = server;
  const sockets = Array.from({ length: 20 }, () => connect(port, "127.0.0.1"));
  const refused = new Promise<void>((resolve) => {
    for (const socket of sockets) socket.on("error", () => undefined).once("close", resolve);
  });
  await refused;
  for (const socket of sockets) socket.destroy();
});

test("the address is one of this machine: loopback unless it is named, never every device", () => {
  expect(readMetricsListen({})).toBeUndefined();
  expect(readMetricsListen({ metrics: { port: 7 } })).toEqual({ host: "127.0.0.1", port: 7 });
  expect(readMetricsListen({ metrics: { host: "::1", port: 7 } })?.host).toBe("::1");
  expect(readMetricsListen({ metrics: { host: "10.0.0.8", port: 7 } })?.host).toBe("10.0.0.8");
  for (const host of ["0.0.0.0", "::", "0:0:0:0:0:0:0:0", "::0.0.0.0", "localhost", ""]) {
    expect(() => readMetricsListen({ metrics: { host, port: 7 } }), host).toThrow("metrics.host");
  }
  expect(() => readMetricsListen({ metrics: { port: 7, path: "/" } })).toThrow("metrics.path");
});
