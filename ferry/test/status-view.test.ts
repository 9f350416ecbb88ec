/** Guarantee tested: the view says what the pictures say, no line is wider than the terminal, and nothing in them steers it. */
import { cellWidth } from "@lightferry/proto/cli";
import { ERRORS } from "@lightferry/proto/errors";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Seen } from "../cli/status-files.ts";
import { bar, flow, percent, rate, size, time } from "../cli/status-parts.ts";
import { type Line, statusView } from "../cli/status-view.ts";
import type { Picture, RxLink, RxPicture, TxLink } from "../src/picture.ts";
import { rxPicture, txPicture } from "./pictures.ts";

const NOW = 1_800_000_000_000;

const seen = (picture: Picture, running = true): Seen => ({
  ...{ zone: picture.role === "tx" ? "extranet" : "business", service: `ferry-${picture.role}` },
  ...{ running, status: {}, picture },
});
const both = [seen(txPicture(NOW)), seen(rxPicture(NOW))];
const textOf = (lines: readonly Line[]) => lines.map(({ text }) => text).join("\n");

test("both programs, in Chinese: rate, loss, lag, passes, gaps, progress, alarms", () => {
  expect(textOf(statusView(both, "zh", { columns: 119 }, NOW))).toBe(
    `extranet 发送端  运行中
------------------------------------------------------------
链路 0  98.7 MB/s  [################....] 82 %  udp 单向锁定  纪元 3  已发 10 帧 14.6 kB  校验占 11 %  标签校验
通道 inbound  已发出 4 包  完成 3  拒绝 1  首遍未完 1  持有 2  时延 0.25 s（一分钟内最长 1.50 s）
  第 1 遍 0198c0ff..00a1 [##########..........]   51 %  100 MB
  第 2 遍 0198c0ff..00a2 [....................] 0.00 %  5.00 kB

business 接收端  运行中
------------------------------------------------------------
告警  时钟异常：两端时钟相差过大  已 65 s  limit-ms=30000  offset-ms=-7200000
      核对两端的时间源；数据不会因此丢失，到期按发送端时钟判断
链路 0  98.0 MB/s  丢帧 2 / 900（近期 0.22 %）  心跳 0.25 s 前  对端时钟差 -2 h 0 min  udp 单向锁定  纪元 3  缓冲溢出 7
        拒绝帧 6  标签校验
通道 inbound  已转交前置代理 3 包  等待接收 1  拒绝 1  缺包 3  时延 0.80 s（一分钟内最长 2.40 s）
              标签校验 64.0 MB，杂凑校验 2.00 MB
  标签不符 1 块，已按杂凑判定
  隔离 1 包 5.00 MB，最早 60 min 0 s 前
  接收 0198c0ff..00a1 [########............]   40 %  100 MB
  缺号  inbound/node-extranet/normal  2  待后续遍补齐  3-4
  缺号  inbound/node-extranet/bulk  1  未补齐，应签发补发单  9
磁盘  剩余 40.0 GB / 100 GB  已预留 1.00 GB  因空间不足未收 0`,
  );
});

test("what matters is set off, and English says the same", () => {
  const lines = statusView(both, "en", { columns: 119 }, NOW);
  const alarm = lines.find(({ tone }) => tone === "alarm");
  expect(alarm?.text).toContain("ALARM  the clocks of the two ends differ too much  for 65 s");
  expect(textOf(lines)).toContain("2 of 900 frames lost (lately 0.22 %)");
  const dead = statusView([seen(rxPicture(NOW - 90_000), false)], "en", { columns: 119 }, NOW);
  expect(dead[0]).toEqual({
    tone: "alarm",
    text: "business receiver  not running; as it was 90 s ago",
  });
  const [link] = rxPicture(NOW).links;
  const silent = {
    ...rxPicture(NOW),
    links: [{ ...link, heartbeat: { ...link?.heartbeat, silent: true } }],
  } as RxPicture;
  const told = statusView([seen(silent)], "zh", { columns: 119 }, NOW);
  expect(told.filter(({ tone }) => tone === "alarm").map(({ text }) => text)).toContainEqual(
    expect.stringContaining("心跳中断"),
  );
});

test("of tags it says how they stand, where they were asked for, and why there are none", () => {
  const [sending, taking] = [txPicture(NOW), rxPicture(NOW)];
  const shown = (tags: TxLink["tags"], taken: RxLink["tags"], locale: "zh" | "en" = "en") => {
    const tx = { ...sending, links: sending.links.map((link) => ({ ...link, tags })) };
    const lanes = taking.lanes.map(({ checked: _, ...lane }) => lane);
    const links = taking.links.map((link) => ({ ...link, tags: taken }));
    const rx = { ...taking, links, lanes };
    return statusView(
      [tx, rx].map((one) => seen(one as Picture)),
      locale,
      { columns: 300 },
      NOW,
    );
  };
  expect(textOf(shown("off", "off"))).not.toMatch(/\btags?\b/);
  expect(textOf(shown(undefined, undefined))).not.toMatch(/\btags?\b/);
  const early = textOf(shown("on", "waiting"));
  expect(early).toMatch(/11 % parity {2}tags$/m);
  expect(early).toMatch(/6 frames rejected {2}tags: key not opened yet$/m);
  const { zh, en } = ERRORS["certificate.unknown"];
  const faults = (locale: "zh" | "en") =>
    shown("certificate.unknown", "none", locale)
      .filter(({ tone }) => tone === "warning")
      .map(({ text }) => text.trim());
  expect(faults("en")).toEqual(
    expect.arrayContaining([
      `tags are on, but none are sent: ${en}`,
      "tags are on here, but the sender tells no key",
    ]),
  );
  expect(faults("zh")).toContain(`标签校验已启用，未能发出：${zh}`);
  const unheard = taking.links.map((link) => ({
    ...{ ...link, tags: "none" as const },
    heartbeat: { ...link.heartbeat, count: 0 },
  }));
  const before = statusView([seen({ ...taking, links: unheard })], "en", { columns: 300 }, NOW);
  expect(textOf(before)).not.toContain("tells no key");
  // Believed, and nothing known by them: that somebody may want to know.
  const links = taking.links.map((link) => ({ ...link, tags: "on" as const }));
  const lanes = taking.lanes.map((lane) => {
    return { ...lane, checked: { byTag: 0, byDigest: 5_000_000, wrongTags: 0 } };
  });
  const hashed = statusView([seen({ ...taking, links, lanes })], "en", { columns: 300 }, NOW);
  expect(textOf(hashed)).toMatch(/0 B checked by tags, .* by digests/);
});

test("a lane says its links where it does not go by all of them", () => {
  const tx = txPicture(NOW);
  const rx = rxPicture(NOW);
  const two = <L extends object>(links: readonly L[]) =>
    [0, 1].map((link) => ({ ...links[0], link }));
  const way = (links: readonly number[]) => {
    const sending = { ...tx, links: two(tx.links), lanes: [{ ...tx.lanes[0], links }] };
    const taking = { ...rx, links: two(rx.links), lanes: [{ ...rx.lanes[0], links }] };
    const pictures = [sending, taking].map((picture) => seen(picture as unknown as Picture));
    return textOf(statusView(pictures, "zh", { columns: 119 }, NOW));
  };
  expect(way([1])).toContain("通道 inbound  经链路 1  已发出 4 包");
  expect(way([1])).toContain("通道 inbound  经链路 1  已转交前置代理 3 包");
  expect(way([0, 1])).not.toContain("经链路");
});

test("no line is wider than the terminal, whatever its width and language", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 40, max: 200 }),
      fc.constantFrom("zh" as const, "en" as const),
      fc.string({ unit: "grapheme", maxLength: 120 }),
      (columns, locale, lane) => {
        const picture = rxPicture(NOW);
        const lanes = picture.lanes.map((one) => ({ ...one, lane: `通道${lane}` }));
        const odd = [seen(txPicture(NOW)), seen({ ...picture, lanes })];
        for (const { text } of statusView(odd, locale, { columns }, NOW)) {
          expect(cellWidth(text)).toBeLessThanOrEqual(columns);
        }
      },
    ),
  );
});

test("a low terminal says how much it does not show", () => {
  const lines = statusView(both, "zh", { columns: 79, rows: 5 }, NOW);
  const all = statusView(both, "zh", { columns: 79 }, NOW);
  expect(lines).toHaveLength(5);
  expect(lines.at(-1)?.text).toBe(`…另有 ${all.length - 4} 行`);
});

test("of many objects and gaps some are shown and the others counted", () => {
  const picture = rxPicture(NOW);
  const [lane] = picture.lanes;
  const gap = lane?.gaps[0];
  const many = Array.from({ length: 9 }, () => gap);
  const crowd = { ...picture, lanes: [{ ...lane, gaps: many }] } as RxPicture;
  const text = textOf(statusView([seen(crowd)], "en", { columns: 99 }, NOW));
  expect(text.match(/missing {2}inbound/g)).toHaveLength(6);
  expect(text).toContain("… 3 more");
});

test("what a picture holds cannot steer the terminal", () => {
  const picture = rxPicture(NOW);
  const [lane] = picture.lanes;
  const gaps = [{ stream: "a\u001b[2Jb", missing: "1\r\n", count: 1, state: "open" as const }];
  const bad = {
    ...picture,
    lanes: [{ ...lane, lane: "x\u202e\u001b]0;y\u0007", gaps }],
  } as RxPicture;
  const text = textOf(statusView([seen(bad)], "zh", { columns: 99 }, NOW));
  expect(text.replaceAll("\n", "")).not.toMatch(/[\p{Cc}\u202a-\u202e]/u);
});

test("figures have units and three digits", () => {
  expect([0, 999, 1_000, 99_960, 1_456_000, 2e12].map(size)).toEqual([
    ...["0 B", "999 B", "1.00 kB", "100 kB", "1.46 MB", "2.00 TB"],
  ]);
  expect([rate(98_700_000), percent(0.0022), percent(0.82)]).toEqual([
    ...["98.7 MB/s", "0.22 %", "82 %"],
  ]);
  expect([null, 0.25, 12.4, 200, 7_500, 356_400].map(time)).toEqual([
    ...["-", "0.25 s", "12 s", "3 min 20 s", "2 h 5 min", "4 d 3 h"],
  ]);
  expect([bar(-1, 4), bar(0.5, 4), bar(7, 4)]).toEqual(["[....]", "[##..]", "[####]"]);
  expect(flow("通道", ["aaaa", "bbbb", "cccc"], 16)).toEqual(["通道  aaaa  bbbb", "      cccc"]);
});
