/** Guarantee: a file system of its own that is really as small as it says, seen by this process and gone when closed. */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Of unshare: whoever mounts is root in a namespace of its own; not every system allows that. */
export const NAMESPACE = ["--user", "--map-root-user", "--mount"];

export const canMount = (() => {
  try {
    execFileSync("unshare", [...NAMESPACE, "true"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
})();

export interface SmallDisk {
  readonly path: string;
  close(): Promise<void>;
}

/** Somebody in the namespace holds the mount; this process goes there by way of that one's root. */
export async function smallDisk(mebibytes: number): Promise<SmallDisk> {
  const folder = mkdtempSync(join(tmpdir(), "lf-disk-"));
  const script = `mount -t tmpfs -o size=${mebibytes}m lightferry "$0" && echo up && exec cat`;
  const holder = spawn("unshare", [...NAMESPACE, "sh", "-c", script, folder], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  await once(holder.stdout, "data");
  return {
    path: `/proc/${holder.pid}/root${folder}`,
    close: async () => {
      const exit = once(holder, "exit");
      holder.stdin.end();
      await exit;
      rmSync(folder, { recursive: true });
    },
  };
}
