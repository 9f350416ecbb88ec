/** Guarantee tested: `lightferry media` with real settings, peers over mutual TLS, key rings, locks and exit codes. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { runNoun } from "@lightferry/proto/cli";
import { takeStateLock } from "@lightferry/proto/service";
import { afterAll, beforeAll, expect, test } from "vitest";
import { noun } from "../cli/media.ts";
import { LANE, type Place, pki, place } from "./fixture.ts";
import { blank, queue } from "./media-world.ts";
import { type Peers, startPeers } from "./peers.ts";

let at: Place;
let peers: Peers;
beforeAll(async () => {
  at = place();
  peers = await startPeers(at, {});
});
afterAll(async () => {
  await peers.close();
  at.remove();
});

async function lightferry(...words: string[]) {
  const said: string[] = [];
  const told = (text: string) => void said.push(text);
  const surroundings = { environment: { LIGHTFERRY_LANG: "en" }, stdout: told, stderr: told };
  const code = await runNoun(noun, words, surroundings);
  return { code, text: said.join("") };
}

test("export, check, import; what is refused is refused with its code and the right exit", async () => {
  await queue(at, 100, 2_000);
  const dir = blank(at);
  const out = ["export", "--lane", LANE, "--to", dir, "--config", peers.txConfig(9)];
  const closed = await lightferry(...out);
  expect(closed).toMatchObject({ code: 3, text: expect.stringContaining("media.not-media-lane") });
  expect(await lightferry(...out.slice(0, 3))).toMatchObject({ code: 2 });
  expect(await lightferry(...out, "--custodian", " ")).toMatchObject({ code: 2 });

  const sent = await lightferry(...out, "--any-lane", "--custodian", "张三", "--json");
  expect(sent.code).toBe(0);
  const { medium, sheet } = JSON.parse(sent.text);
  expect({ medium, sheet }).toMatchObject({ medium: { bundles: 2, number: 1 }, sheet: true });
  expect(at.outbox.acks).toHaveLength(2);

  const inward = ["import", "--from", dir, "--config", peers.rxConfig(0)];
  const lock = takeStateLock(at.rxState);
  expect(await lightferry(...inward)).toMatchObject({
    code: 3,
    text: expect.stringContaining("service.already-running"),
  });
  const before = readdirSync(at.rxState);
  const checked = await lightferry(...inward, "--check-only");
  expect(checked).toMatchObject({ code: 0, text: expect.stringContaining(medium.manifestDigest) });
  expect(readdirSync(at.rxState)).toEqual(before);
  lock.release();

  const taken = await lightferry(...inward);
  expect(taken).toMatchObject({ code: 0, text: expect.stringContaining("2 delivered") });
  expect(at.inbox.delivered).toHaveLength(2);
  expect(readdirSync(join(at.rxState, "journal")).length).toBeGreaterThan(0);
  const again = await lightferry(...inward, "--json");
  expect(again.code).toBe(3);
  expect(JSON.parse(again.text)).toMatchObject({ error: { code: "media.seen-before" } });
});

test("a medium signed by a key that was revoked since is refused; nothing to carry is no fault", async () => {
  const empty = ["export", "--lane", LANE, "--any-lane", "--config", peers.txConfig(9), "--to"];
  expect(await lightferry(...empty, blank(at))).toMatchObject({
    code: 0,
    text: expect.stringContaining("nothing was written"),
  });
  await queue(at, 60);
  const dir = blank(at);
  expect((await lightferry(...empty, dir)).code).toBe(0);
  pki.revoke(pki.keyId("node-extranet", "ferry"), "keyCompromise");
  peers.publish();
  const refused = await lightferry("import", "--from", dir, "--config", peers.rxConfig(0));
  expect(refused).toMatchObject({ code: 3, text: expect.stringContaining("certificate.revoked") });
  expect(at.inbox.delivered).toHaveLength(2);
});
