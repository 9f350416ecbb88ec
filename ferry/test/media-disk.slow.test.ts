/** Guarantee tested: real file systems without room, full half-way and just large enough, written by the real command. */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { LANE, type Place, place } from "./fixture.ts";
import { blank, queue } from "./media-world.ts";
import { type Peers, startPeers } from "./peers.ts";
import { canMount, NAMESPACE } from "./small-disk.ts";

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

test.skipIf(!canMount)(
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
