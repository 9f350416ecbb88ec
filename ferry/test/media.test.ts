/** Guarantee tested: what an export acknowledges lies on the medium, and an import delivers exactly that, once. */
import { readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { GatewayError } from "@lightferry/proto/errors";
import { qrSvg } from "@lightferry/proto/pki";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { remark } from "../src/media/export.ts";
import { MANIFEST_NAME, MARK_NAME, SHEET_NAME } from "../src/media/layout.ts";
import { digestOf, FROM, LANE, type Place, place, TO } from "./fixture.ts";
import { blank, exportTo, folder, Image, idOf, importFrom, queue, signer } from "./media-world.ts";

let at: Place;
beforeEach(() => {
  at = place();
});
afterEach(() => at.remove());

describe("there and back", () => {
  test("bundles cross whole; both sides say what crossed, and when it came before", async () => {
    const bundles = await queue(at, 100, 300_000, 5_000);
    const dir = blank(at);
    const sent = await exportTo(at, dir);
    expect(sent).toMatchObject({
      medium: { number: 1, bundles: 3 },
      ...{ refused: [], left: [], unacknowledged: 0, sheet: true },
    });
    expect(remark(sent)).toBeUndefined();
    expect(readdirSync(dir).sort()).toEqual(
      [...bundles.map(({ file }) => file), MANIFEST_NAME, SHEET_NAME].sort(),
    );
    expect(at.outbox.acks).toHaveLength(3);
    for (const ack of at.outbox.acks) expect(ack).toMatchObject({ passesDone: 1, finished: true });
    expect(at.txEvents.of("bundle.emitted")).toHaveLength(3);
    const medium = sent.medium?.id ?? "";
    expect(at.txEvents.of("media.exported")).toMatchObject([
      {
        ...{ outcome: "ok", lane: LANE, actor: "tester" },
        attributes: {
          medium,
          number: "1",
          bundles: "3",
          receiver: TO,
          custodians: "张三、<b>李四",
        },
      },
    ]);

    const checked = await importFrom(at, dir, { checkOnly: true });
    expect(checked).toMatchObject({ checkOnly: true, medium: sent.medium, putAway: [] });
    expect(at.inbox.delivered).toEqual([]);
    expect(at.rxEvents.all).toEqual([]);

    const taken = await importFrom(at, dir);
    expect(taken.fates).toEqual({ accepted: 3, duplicate: 0, quarantined: 0, refused: 0 });
    for (const bundle of bundles) {
      expect(digestOf(at.inbox.bytesOf(bundle))).toBe(digestOf(at.sealed(bundle)));
    }
    expect(at.rxEvents.of("media.imported")).toMatchObject([
      { actor: "tester", attributes: { medium, sender: FROM, delivered: "3", bundles: "3" } },
    ]);
    expect(at.arrivals()).toEqual([]);

    await expect(importFrom(at, dir)).rejects.toMatchObject({ code: "media.seen-before" });
    expect(at.inbox.delivered).toHaveLength(3);
    expect(at.rxEvents.of("media.refused")).toMatchObject([{ code: "media.seen-before" }]);
  });

  test("an empty outbox uses no medium and no number", async () => {
    const dir = blank(at);
    expect(await exportTo(at, dir)).toMatchObject({ refused: [], left: [] });
    expect(readdirSync(dir)).toEqual([]);
    await queue(at, 10);
    expect((await exportTo(at, dir)).medium?.number).toBe(1);
  });

  test("media are numbered; a missing one is said, one that comes late must be meant", async () => {
    const media: string[] = [];
    for (let number = 1; number <= 3; number += 1) {
      await queue(at, 50);
      const dir = blank(at);
      media.push(dir);
      expect((await exportTo(at, dir)).medium?.number).toBe(number);
    }
    const [first = "", second = "", third = ""] = media;
    expect((await importFrom(at, first)).gap).toBeUndefined();
    expect((await importFrom(at, third)).gap).toBe("2");
    expect(at.rxEvents.of("gate.gap")).toMatchObject([
      { outcome: "error", lane: LANE, attributes: { sender: FROM, numbers: "2" } },
    ]);
    await expect(importFrom(at, second)).rejects.toMatchObject({ code: "media.older" });
    expect(at.inbox.delivered).toHaveLength(2);
    expect((await importFrom(at, second, { acceptOlder: true })).fates.accepted).toBe(1);
  });
});

describe("export", () => {
  test("refuses a folder with anything of others in it, before a lease", async () => {
    await queue(at, 50);
    for (const name of [MANIFEST_NAME, "家庭照片.jpg", "0123456789abcdef0123456789abcdef.lfb"]) {
      const dir = blank(at);
      writeFileSync(join(dir, name), "x");
      await expect(exportTo(at, dir)).rejects.toMatchObject({
        code: "media.not-empty",
        detail: name,
      });
      expect(readdirSync(dir)).toEqual([name]);
    }
    await expect(exportTo(at, join(at.root, "pulled"))).rejects.toMatchObject({
      code: "media.unusable",
      detail: "ENOENT",
    });
    expect(at.outbox.acks).toEqual([]);
    const dir = blank(at);
    folder(dir, "System Volume Information");
    expect((await exportTo(at, dir)).medium?.bundles).toBe(1);
  });

  test("clears only what an export of the same node left unfinished", async () => {
    await queue(at, 50);
    const left = (node: string) => {
      const dir = blank(at);
      writeFileSync(join(dir, MARK_NAME), JSON.stringify({ node, lane: LANE, medium: "00" }));
      writeFileSync(join(dir, "0123456789abcdef0123456789abcdef.lfb"), "half");
      return dir;
    };
    await expect(exportTo(at, left("another"))).rejects.toMatchObject({ code: "media.not-empty" });
    const linked = left(FROM);
    symlinkSync("/etc/hostname", join(linked, "ffffffffffffffffffffffffffffffff.lfb"));
    await expect(exportTo(at, linked)).rejects.toMatchObject({ code: "media.not-empty" });
    const dir = left(FROM);
    expect((await exportTo(at, dir)).medium?.bundles).toBe(1);
    expect((await importFrom(at, dir)).fates.accepted).toBe(1);
  });

  test("what has no room stays in the outbox; the rest is carried", async () => {
    const [small, large] = await queue(at, 1_000, 200_000);
    const dir = blank(at);
    const sent = await exportTo(at, dir, { maxBytes: 100_000 });
    const id = idOf(large ?? {});
    expect(sent).toMatchObject({
      medium: { bundles: 1 },
      left: [{ bundle: id, size: large?.size }],
    });
    expect(at.outbox.acks.map(idOf)).toEqual([idOf(small ?? {})]);
    at.outbox.leaseAgain();
    const next = blank(at);
    expect((await exportTo(at, next)).medium).toMatchObject({ number: 2, bundles: 1 });
  });

  test("a bundle that does not verify is refused to the outbox and not carried", async () => {
    const [bad, good] = await queue(at, 1_000, 1_000);
    const path = join(at.outboxDir, bad?.file ?? "");
    const bytes = readFileSync(path);
    bytes.writeUInt8(bytes.readUInt8(100) ^ 1, 100);
    writeFileSync(path, bytes);
    const dir = blank(at);
    const sent = await exportTo(at, dir);
    expect(sent.refused).toHaveLength(1);
    expect(sent.medium?.bundles).toBe(1);
    expect(at.outbox.acks[0]?.refuseCode).toBe(sent.refused[0]?.code);
    expect(at.txEvents.of("bundle.refused").map(idOf)).toEqual([idOf(bad ?? {})]);
    await importFrom(at, dir);
    expect(at.inbox.delivered.map(idOf)).toEqual([idOf(good ?? {})]);
  });

  test("without a key in force nothing is leased; lost leases are told and come again", async () => {
    await queue(at, 50, 60);
    const none = () => {
      throw new GatewayError("certificate.unknown");
    };
    const dir = blank(at);
    const keyless = { ...signer, active: none };
    await expect(exportTo(at, dir, { signer: keyless })).rejects.toMatchObject({
      code: "certificate.unknown",
    });
    expect(readdirSync(dir)).toEqual([]);
    const ack = async () => {
      throw new GatewayError("outbox.lease-lost");
    };
    const sent = await exportTo(at, dir, { outbox: { lease: at.outbox.lease, ack } });
    expect(sent.unacknowledged).toBe(2);
    expect(remark(sent)?.code).toBe("media.unacknowledged");
    at.outbox.leaseAgain();
    const again = blank(at);
    await exportTo(at, again);
    expect((await importFrom(at, dir)).fates.accepted).toBe(2);
    expect((await importFrom(at, again)).fates).toMatchObject({ accepted: 0, duplicate: 2 });
  });

  test("a lease that runs out while others are copied is taken up anew, its bundle only once", async () => {
    await queue(at, 50, 60);
    let asked = 0;
    const lease: typeof at.outbox.lease = async (request) => {
      asked += 1;
      if (asked === 2) at.outbox.leaseAgain();
      return await at.outbox.lease(request);
    };
    const dir = blank(at);
    const sent = await exportTo(at, dir, { outbox: { lease, ack: at.outbox.ack } });
    expect(sent).toMatchObject({ medium: { bundles: 2 }, unacknowledged: 0 });
    expect(asked).toBe(3);
    expect(at.outbox.acks.map(({ leaseId }) => leaseId)).toEqual(["lease-3", "lease-4"]);
  });

  test("an outbox that leases the same for ever ends the export, not the patience", async () => {
    await queue(at, 50);
    const lease: typeof at.outbox.lease = async (request) => {
      at.outbox.leaseAgain();
      return await at.outbox.lease(request);
    };
    const sent = await exportTo(at, blank(at), { outbox: { lease, ack: at.outbox.ack } });
    expect(sent).toMatchObject({ medium: { bundles: 1 }, unacknowledged: 0 });
  });

  test("the sheet has the id, the digest and a code of both; nothing in it runs or loads", async () => {
    await queue(at, 50);
    const dir = blank(at);
    const { medium } = await exportTo(at, dir);
    const html = new Image(dir).files.get(SHEET_NAME)?.toString("utf8") ?? "";
    expect(html).toContain(medium?.id);
    expect(html).toContain(medium?.manifestDigest);
    expect(html).toContain(qrSvg(`LFM1:${medium?.id}:${medium?.manifestDigest}`));
    expect(html).toContain("&lt;b&gt;李四");
    expect(html).not.toMatch(
      /<script|<b>|<img|<link|<iframe|url\(|@import|href=|src=|https?:(?!\/\/www\.w3\.org)/i,
    );
    expect(html.match(/<svg/g)).toHaveLength(1);
  });
});
