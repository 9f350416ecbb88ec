/** Guarantee tested: files reach real SFTP and FTP servers whole, and nobody else's server gets anything. */
import { execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from "node:fs";
import { connect, createServer } from "node:net";
import { userInfo } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { createLocalCa } from "@lightferry/proto/rpc";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { TargetSettings } from "../src/directory/settings.ts";
import { openTarget } from "../src/directory/tx/open-target.ts";
import type { Target } from "../src/directory/tx/target.ts";
import { Appliance } from "./appliance.ts";
import { directorySender, directoryStation, folders, SMALL_PROFILE } from "./directory-world.ts";
import { digestOf, HOST, type Place, place } from "./fixture.ts";
import { idOf, queue } from "./media-world.ts";

const SSHD = "/usr/sbin/sshd";
const SFTP_SERVER = "/usr/lib/openssh/sftp-server";
const VSFTPD = "/usr/sbin/vsftpd";
const isRoot = process.getuid?.() === 0;
const user = userInfo().username;

let at: Place;
const closing: (() => unknown)[] = [];
beforeEach(() => {
  at = place();
});
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
  at.remove();
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, HOST);
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, "close");
  return port;
}

/** A server of the system in the foreground, ended after the test. */
async function serve(
  program: string,
  words: readonly string[],
  port: number,
  host = HOST,
): Promise<void> {
  const child = spawn(program, words, { stdio: ["ignore", "pipe", "pipe"] });
  const said: string[] = [];
  child.stderr.on("data", (text: Buffer) => said.push(text.toString()));
  child.stdout.on("data", (text: Buffer) => said.push(text.toString()));
  const exit = once(child, "exit");
  closing.push(async () => {
    child.kill("SIGTERM");
    await exit;
  });
  for (let tries = 0; tries < 200; tries += 1) {
    if (child.exitCode !== null) throw new Error(`${program}: ${said.join("")}`);
    const socket = connect(port, host);
    const answered = await Promise.race([
      once(socket, "connect").then(() => true),
      once(socket, "error").then(() => false),
    ]).catch(() => false);
    socket.destroy();
    if (answered) return;
    await delay(25);
  }
  throw new Error(`${program} does not listen: ${said.join("")}`);
}

interface SftpServer {
  readonly settings: Extract<TargetSettings, { kind: "sftp" }>;
}

async function sftpServer(staging?: string): Promise<SftpServer> {
  const dir = join(at.root, "sshd");
  mkdirSync(dir, { mode: 0o700 });
  const key = (name: string): string => {
    const path = join(dir, name);
    execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", path]);
    return path;
  };
  const [host, mine] = [key("host"), key("mine")];
  writeFileSync(join(dir, "allowed"), readFileSync(`${mine}.pub`));
  const port = await freePort();
  const settings = [
    ...[`ListenAddress ${HOST}`, `Port ${port}`, `HostKey ${host}`, "StrictModes no"],
    ...["UsePAM no", "PasswordAuthentication no", `AuthorizedKeysFile ${join(dir, "allowed")}`],
    ...[`Subsystem sftp ${SFTP_SERVER}`, "PermitRootLogin yes", `PidFile ${join(dir, "pid")}`],
  ];
  writeFileSync(join(dir, "config"), `${settings.join("\n")}\n`);
  // Where sshd puts the part of itself that has no rights.
  if (isRoot) mkdirSync("/run/sshd", { recursive: true });
  await serve(SSHD, ["-D", "-e", "-f", join(dir, "config")], port);
  const [, encoded = ""] = readFileSync(`${host}.pub`, "utf8").split(" ");
  const digest = createHash("sha256").update(Buffer.from(encoded, "base64")).digest("base64");
  const { drop: folder } = folders(at);
  const hostKeySha256 = digest.replace(/=+$/, "");
  return {
    settings: {
      ...{ kind: "sftp", host: HOST, port, user, folder, staging, hostKeySha256 },
      ...{ keyPath: mine, passwordPath: undefined },
    },
  };
}

type FtpSettings = Extract<TargetSettings, { kind: "ftp" }>;

/** @param further settings of vsftpd; @param host where it listens */
async function ftpServer(further: readonly string[] = [], host = HOST): Promise<FtpSettings> {
  const dir = join(at.root, "vsftpd");
  mkdirSync(dir);
  const { drop } = folders(at);
  // It gives up its rights, and refuses a root that it could write to.
  chmodSync(at.root, 0o755);
  chmodSync(drop, 0o777);
  const port = await freePort();
  const settings = [
    ...["listen=YES", `listen_address=${host}`, `listen_port=${port}`, "background=NO"],
    ...[
      "anonymous_enable=YES",
      "no_anon_password=YES",
      "anon_upload_enable=YES",
      "write_enable=YES",
    ],
    ...["anon_mkdir_write_enable=YES", "anon_other_write_enable=YES", "anon_umask=000"],
    ...["seccomp_sandbox=NO", "anon_world_readable_only=NO"],
    ...[`anon_root=${at.root}`, `pasv_address=${host}`, `secure_chroot_dir=${dir}`],
    ...further,
  ];
  const path = join(dir, "config");
  writeFileSync(path, `${settings.join("\n")}\n`);
  await serve(VSFTPD, [path], port, host);
  return {
    ...{ kind: "ftp", host, port, user: "anonymous", passwordPath: undefined },
    ...{ folder: "/drop", staging: undefined, tls: "none", caPath: undefined },
  };
}

const options = { mode: "demo", warn: () => undefined } as const;

/** Bundles cross by this target; the test's appliance takes them from where the server puts them. */
async function crosses(target: Target, profile: typeof SMALL_PROFILE): Promise<void> {
  const { drop, pickUp } = folders(at);
  const between = new Appliance(drop, pickUp, { stillMs: 400 }).start();
  closing.push(() => between.stop());
  const bundles = await queue(at, 300_000, 1_000, 90_000);
  const tx = await directorySender(at, profile, { target });
  closing.push(() => tx.close());
  const rx = await directoryStation(at);
  closing.push(() => rx.close());
  await at.inbox.until(bundles.length);
  expect(at.inbox.delivered.map(idOf).sort()).toEqual(bundles.map(idOf).sort());
  for (const bundle of bundles) {
    expect(digestOf(at.inbox.bytesOf(bundle))).toBe(digestOf(at.sealed(bundle)));
  }
  expect(between.faults).toEqual([]);
}

const file = (text: string) => ({
  size: text.length,
  pieces: async function* () {
    yield Buffer.from(text);
  },
});

/** What every target must do, whatever it is. */
async function behaves(target: Target, seen: string): Promise<void> {
  const at = { folder: undefined, name: "0000000000a1" };
  expect(await target.waiting()).toEqual({ files: 0, bytes: 0 });
  expect(await target.put(at, file("first"))).toBe("written");
  expect(await target.put(at, file("second"))).toBe("exists");
  expect(readFileSync(join(seen, at.name), "utf8")).toBe("first");
  expect(await target.put({ folder: "f1", name: "b" }, file("inside"))).toBe("written");
  expect(await target.put({ folder: "f1", name: "c" }, file("inside too"))).toBe("written");
  expect(await target.waiting()).toEqual({ files: 3, bytes: 5 + 6 + 10 });
}

/** @returns "put", or the code with which the target refuses a file */
async function putting(settings: Parameters<typeof openTarget>[0]): Promise<string> {
  const target = await openTarget(settings, SMALL_PROFILE, options);
  try {
    await target.put({ folder: undefined, name: "x" }, file("x"));
    return "put";
  } catch (error) {
    return (error as { code: string }).code;
  } finally {
    await target.close();
  }
}

describe.skipIf(!existsSync(SSHD) || !existsSync(SFTP_SERVER))(
  "SFTP (needs openssh-server)",
  () => {
    test("puts files whole, under their names at last, and tells what waits", async () => {
      const { settings } = await sftpServer(folders(at).staging);
      const target = await openTarget(settings, SMALL_PROFILE, options);
      closing.push(() => target.close());
      await behaves(target, settings.folder);
      expect(readdirSync(folders(at).staging)).toEqual([]);
    });

    test("carries a lane", async () => {
      const { settings } = await sftpServer();
      const profile = { ...SMALL_PROFILE, renames: false };
      await crosses(await openTarget(settings, profile, options), profile);
    });

    test("another host key, another key, no server: said by its code, nothing is put", async () => {
      const { settings } = await sftpServer();
      const attempt = (change: Partial<typeof settings>) => putting({ ...settings, ...change });
      expect(await attempt({ hostKeySha256: "A".repeat(43) })).toBe("directory.host-key-mismatch");
      const other = join(at.root, "other");
      execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", other]);
      expect(await attempt({ keyPath: other })).toBe("directory.login-refused");
      expect(await attempt({ port: await freePort() })).toBe("directory.target-unavailable");
      expect(readdirSync(settings.folder)).toEqual([]);
      chmodSync(other, 0o644);
      await expect(
        openTarget({ ...settings, keyPath: other }, SMALL_PROFILE, options),
      ).rejects.toMatchObject({
        code: "sm.key-exposed",
      });
      expect(await attempt({})).toBe("put");
    });
  },
);

describe.skipIf(!existsSync(VSFTPD) || !isRoot)("FTP (needs vsftpd and root)", () => {
  test("puts files whole and tells what waits", async () => {
    const settings = await ftpServer();
    const target = await openTarget(settings, SMALL_PROFILE, options);
    closing.push(() => target.close());
    await behaves(target, folders(at).drop);
  });

  test("carries a lane", async () => {
    const settings = await ftpServer();
    const profile = { ...SMALL_PROFILE, renames: false };
    await crosses(await openTarget(settings, profile, options), profile);
  });

  test("a login that is refused, and no server, are said by their codes", async () => {
    const settings = await ftpServer();
    const attempt = async (change: Partial<typeof settings>) => {
      const target = await openTarget({ ...settings, ...change }, SMALL_PROFILE, options);
      await expect(target.waiting()).rejects.toMatchObject({
        code: expect.stringMatching(/^directory\./),
      });
      return await target.waiting().catch((error: { code: string }) => error.code);
    };
    expect(await attempt({ user: "nobody-here" })).toBe("directory.login-refused");
    expect(await attempt({ port: await freePort() })).toBe("directory.target-unavailable");
  });

  describe("with TLS", () => {
    /** A server with a certificate for 127.0.0.1, and who made it. */
    async function tlsServer(further: readonly string[] = [], host = HOST) {
      const made = await createLocalCa(join(at.root, "ca"), "extranet", ["ferry-tx"]);
      const { ca: caPath, cert, key } = made["ferry-tx"];
      const tls = ["ssl_enable=YES", `rsa_cert_file=${cert}`, `rsa_private_key_file=${key}`];
      const only = ["allow_anon_ssl=YES", "force_anon_logins_ssl=YES", "force_anon_data_ssl=YES"];
      const settings = await ftpServer([...tls, ...only, ...further], host);
      return { ...settings, tls: "explicit" as const, caPath };
    }

    test("puts files whole to a server that takes nothing without it, and tells what waits", async () => {
      const settings = await tlsServer();
      expect(await putting({ ...settings, tls: "none" })).toMatch(/^directory\./);
      expect(readdirSync(folders(at).drop)).toEqual([]);
      const target = await openTarget(settings, SMALL_PROFILE, options);
      closing.push(() => target.close());
      await behaves(target, folders(at).drop);
    });

    test("from the first byte as well", async () => {
      const settings = await tlsServer(["implicit_ssl=YES"]);
      expect(await putting({ ...settings, tls: "implicit" })).toBe("put");
    });

    test("another's certificate, another name, none at all: refused, and nothing is put", async () => {
      const settings = await tlsServer();
      const { ca: other } = (await createLocalCa(join(at.root, "other"), "extranet", ["ferry-tx"]))[
        "ferry-tx"
      ];
      expect(await putting({ ...settings, caPath: other })).toBe("directory.tls-refused");
      // Nobody whom the system trusts made it.
      expect(await putting({ ...settings, caPath: undefined })).toBe("directory.tls-refused");
      expect(await putting(settings)).toBe("put");
    });

    test("a certificate for another name is refused", async () => {
      expect(await putting(await tlsServer([], "127.0.0.2"))).toBe("directory.tls-refused");
      expect(readdirSync(folders(at).drop)).toEqual([]);
    });
  });
});

test("a server without TLS is told neither name nor password", async () => {
  const heard: string[] = [];
  const server = createServer((socket) => {
    socket.write("220 here\r\n");
    socket.on("data", (text: Buffer) => {
      heard.push(...text.toString().trim().split("\r\n"));
      socket.write("530 Please login with USER and PASS.\r\n");
    });
    socket.on("error", () => undefined);
  }).listen(0, HOST);
  closing.push(() => server.close());
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  const address = { kind: "ftp", host: HOST, port, user: "me", passwordPath: undefined } as const;
  const rest = { folder: "/drop", staging: undefined, tls: "explicit", caPath: undefined } as const;
  const target = await openTarget({ ...address, ...rest }, SMALL_PROFILE, options);
  await expect(target.waiting()).rejects.toMatchObject({ code: "directory.tls-refused" });
  await target.close();
  expect(heard).toEqual(["AUTH TLS"]);
});
