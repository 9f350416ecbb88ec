/** Guarantee tested: `lightferry media` with real settings, peers over mutual TLS, key rings, locks and exit codes. */
import { execFile, execFileSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
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

/** A small file system of its own, in a namespace of its own; not every system allows that. */
const NAMESPACE = ["--user", "--map-root-user", "--mount"];
const possible = (() => {
  try {
    execFileSync("unshare", [...NAMESPACE, "true"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
})();
const CHILD = fileURLToPath(new URL("media-child.ts", import.meta.url));

/** The command with a new file system of these options at `dir`. @returns its exit code, and what it left there */
async function onSmall(options: string, dir: string, words: readonly string[]) {
  const script = `mount -t tmpfs -o ${options} lightferry "$0" && { "$@"; echo "exit $?"; ls "$0"; }`;
  const program = [process.execPath, CHILD, "0", ...words];
  const text = await new Promise<string>((resolve, reject) => {
    execFile(
      "unshare",
      [...NAMESPACE, "sh", "-c", script, dir, ...program],
      (error, stdout, told) => (error === null ? resolve(`${stdout}${told}`) : reject(error)),
    );
  });
  return { text, code: Number(/exit (\d+)/.exec(text)?.[1]) };
}

test.skipIf(!possible)(
  "real media without room, full half-way, and just large enough",
  async () => {
    const before = at.outbox.acks.length;
    await queue(at, 1_000, 1_000, 1_000);
    const dir = blank(at);
    const words = [
      "export",
      "--lane",
      LANE,
      "--any-lane",
      "--to",
      dir,
      "--config",
      peers.txConfig(9),
    ];
    const tiny = await onSmall("size=8m", dir, words);
    expect(tiny).toMatchObject({ code: 4, text: expect.stringContaining("media.no-room") });
    // Three files: the mark and two bundles; the third finds no room, and the manifest neither.
    const short = await onSmall("size=12m,nr_inodes=4", dir, words);
    expect(short).toMatchObject({
      code: 4,
      text: expect.stringContaining("media.no-room: ENOSPC"),
    });
    expect(short.text).not.toContain("manifest.lfm\n");
    expect(at.outbox.acks).toHaveLength(before);
    at.outbox.leaseAgain();
    const enough = await onSmall("size=12m", dir, words);
    expect(enough).toMatchObject({ code: 0, text: expect.stringContaining("manifest.lfm\n") });
    expect(at.outbox.acks).toHaveLength(before + 3);
  },
);

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
