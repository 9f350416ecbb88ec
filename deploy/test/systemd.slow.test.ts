/**
 * Both zones run as their systemd units say, but for systemd itself: every
 * service as its own user with the owners and rights that tmpfiles.d gives,
 * started by the unit's own line with its credential, no group and no right
 * beside. A request crosses, so content, bundles and arrivals pass between
 * users; then each service is shown not to read what is another's.
 */
import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { freePortBase } from "../drills/zones.ts";
import { ZONE_SERVICES, ZONES, type ZoneName, zonePaths } from "../src/layout.ts";
import { LIMIT_MS, ProductionZones } from "./production-zones.ts";
import { readUnit } from "./systemd-unit.ts";
import { until } from "./until.ts";

const FIRST_ID = 61_000;
const missing =
  process.getuid?.() !== 0
    ? "not root: users cannot be changed"
    : spawnSync("systemd-tmpfiles", ["--version"]).status === 0
      ? undefined
      : "no systemd-tmpfiles here";
if (missing !== undefined) console.warn(`skipped: ${missing}`);

describe.skipIf(missing !== undefined)("units of both zones", () => {
  let zones: ProductionZones;
  const children: { readonly name: string; readonly child: ChildProcess }[] = [];
  const ready = new Set<string>();
  const said = new Map<string, string>();
  /** Numbers for the names of sysusers.d: this machine's list of users stays as it is. */
  const ids = new Map<string, number>();
  const idOf = (name: string): number => {
    // PostgreSQL's initdb asks for the name of who runs it: two that every Debian has.
    const named = { "lf-extranet-postgres": "games", "lf-business-postgres": "news" }[name];
    const given =
      named === undefined
        ? FIRST_ID + ids.size
        : Number(execFileSync("id", ["-u", named], { encoding: "utf8" }));
    const id = ids.get(name) ?? given;
    ids.set(name, id);
    return id;
  };
  const unitsDir = (zone: ZoneName) => zones.at(`units-${zone}`);

  beforeAll(async () => {
    const folder = mkdtempSync(join(tmpdir(), "lightferry-units-"));
    chmodSync(folder, 0o755);
    // A medium is mounted so that users may pass; what lies on it has its own rights.
    mkdirSync(join(folder, "unlock"), { mode: 0o755 });
    zones = new ProductionZones(folder, await freePortBase());
  });

  afterAll(async () => {
    const alive = children
      .map(({ child }) => child)
      .filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null);
    const gone = alive.map((child) => new Promise((resolve) => child.once("exit", resolve)));
    for (const child of alive) child.kill("SIGTERM");
    await Promise.all(gone);
    rmSync(zones.folder, { recursive: true, force: true });
  });

  function giveRights(zone: ZoneName): void {
    const conf = readFileSync(join(unitsDir(zone), `lightferry-${zone}.tmpfiles.conf`), "utf8");
    const numbered = conf.replace(/\blf-[a-z-]+/g, (name) => String(idOf(name)));
    writeFileSync(zones.at(`${zone}.conf`), numbered);
    execFileSync("systemd-tmpfiles", ["--create", zones.at(`${zone}.conf`)], { stdio: "inherit" });
  }

  /** The units come with a sysctl.d file; this machine keeps its own limit. */
  function fitReceiveBuffer(): void {
    const path = join(zonePaths(zones.home, "business").config, "ferry-rx.json");
    const config = JSON.parse(readFileSync(path, "utf8")) as {
      gate: { receiveBufferBytes: number };
    };
    const limit = Number(readFileSync("/proc/sys/net/core/rmem_max", "utf8"));
    config.gate.receiveBufferBytes = Math.min(config.gate.receiveBufferBytes, limit);
    writeFileSync(path, JSON.stringify(config));
  }

  function start(zone: ZoneName, file: string): void {
    const unit = readUnit(readFileSync(join(unitsDir(zone), file), "utf8"));
    const one = (key: string) => unit.get(key)?.[0] ?? expect.fail(`${file}: ${key}`);
    const [uid, gid] = [idOf(one("User")), idOf(one("Group"))];
    const credentials = zones.at(`credentials-${file}`);
    const [credential] = unit.get("LoadCredentialEncrypted") ?? [];
    if (credential !== undefined) {
      const [name = ""] = credential.split(":");
      mkdirSync(credentials, { mode: 0o700 });
      const path = join(credentials, name);
      copyFileSync(zones.at(`unlock/${zone}/${name}`), path);
      chmodSync(path, 0o400);
      for (const each of [credentials, path]) chownSync(each, uid, gid);
    }
    const child = spawn(
      "setpriv",
      [
        ...[`--reuid=${uid}`, `--regid=${gid}`, "--clear-groups", "--no-new-privs"],
        ...[
          "--bounding-set=-all",
          "--inh-caps=-all",
          "sh",
          "-c",
          `umask ${one("UMask")}; exec "$@"`,
        ],
        ...["-", ...one("ExecStart").split(" ")],
      ],
      {
        cwd: one("WorkingDirectory"),
        env: { PATH: process.env.PATH, CREDENTIALS_DIRECTORY: credentials },
        stdio: ["ignore", "pipe", "pipe"],
      },
    );
    const told = (line: string): void => {
      said.set(file, `${said.get(file) ?? ""}${line}\n`);
      if (line.includes('"event":"ready"')) ready.add(file);
    };
    for (const stream of [child.stdout, child.stderr]) createInterface(stream).on("line", told);
    children.push({ name: file, child });
  }

  it("run as users of their own, and a request crosses", { timeout: 4 * LIMIT_MS }, async () => {
    await zones.certify((zone) => `--systemd @units-${zone}`);
    await zones.signWhatMayCross();
    fitReceiveBuffer();
    for (const zone of ZONES) {
      // The unlock files go onto a medium; services have them as credentials.
      giveRights(zone);
      const files = readdirSync(unitsDir(zone)).filter((name) => name.endsWith(".service"));
      for (const file of files) start(zone, file);
      if (ZONE_SERVICES[zone].includes("receiver")) startReceiver(zone);
    }
    const expected = children.map(({ name }) => name);
    try {
      await zones.importCertificates();
      await until("all services", () => expected.every((name) => ready.has(name)), LIMIT_MS);
    } catch (cause) {
      const silent = expected.filter((name) => !ready.has(name));
      throw new Error(silent.map((name) => `${name}\n${said.get(name)}`).join("\n"), { cause });
    }
    await zones.oneCrosses();
    for (const zone of ZONES) {
      await zones.run(`audit verify --zone ${zone}`);
      // Policy brings what people did with keys there in its own time.
      await until(`the making of keys in the log of ${zone}`, async () => {
        const { events } = await zones.run<{ events: { attributes?: Record<string, string> }[] }>(
          `audit list --zone ${zone} --type key.action-ended`,
        );
        return events.some(({ attributes }) => attributes?.verb === "keys init");
      });
    }
  });

  /** The demonstration's business system is no unit: a request must end somewhere. */
  function startReceiver(zone: ZoneName): void {
    const program = readUnit(
      readFileSync(join(unitsDir(zone), `lightferry-${zone}-policy.service`), "utf8"),
    );
    const node = program.get("ExecStart")?.[0]?.split(" ")[0] ?? "";
    const config = join(zonePaths(zones.home, zone).config, "receiver.json");
    const entry = join(
      program.get("WorkingDirectory")?.[0] ?? "",
      "deploy/src/targets/receiver.ts",
    );
    const child = spawn(node, ["--disable-sigusr1", entry, "--config", config], { stdio: "pipe" });
    createInterface(child.stdout).on("line", (line) => {
      if (line.includes('"event":"ready"')) ready.add("receiver");
    });
    children.push({ name: "receiver", child });
  }

  it("keep their keys, settings and content to themselves", () => {
    const readable = (uid: number, gid: number, paths: readonly string[]): string[] => {
      const each = 'for path; do test -r "$path" && echo "$path"; done; true';
      const { status, stdout } = spawnSync(
        "setpriv",
        [
          ...[`--reuid=${uid}`, `--regid=${gid}`, "--clear-groups"],
          ...["sh", "-c", each, "-", ...paths],
        ],
        { encoding: "utf8" },
      );
      expect(status).toBe(0);
      return stdout.split("\n").filter((line) => line !== "");
    };
    for (const zone of ZONES) {
      const paths = zonePaths(zones.home, zone);
      const services = ZONE_SERVICES[zone].filter((name) => name !== "receiver");
      const holders = {
        policy: "policy",
        audit: "audit",
        "front-proxy": "encrypt",
        seal: "sign",
        "ferry-tx": "ferry",
      };
      for (const service of services) {
        const unit = readUnit(
          readFileSync(join(unitsDir(zone), `lightferry-${zone}-${service}.service`), "utf8"),
        );
        const [uid, gid] = [idOf(unit.get("User")?.[0] ?? ""), idOf(unit.get("Group")?.[0] ?? "")];
        for (const other of services) {
          const use = holders[other as keyof typeof holders];
          const ring = use === undefined ? undefined : join(paths.keys, use);
          const secrets = [
            join(paths.config, `${other}.json`),
            join(paths.tls, `${other}.key.pem`),
            ...(ring !== undefined && existsSync(ring)
              ? readdirSync(ring).map((name) => join(ring, name))
              : []),
          ];
          expect([service, other, readable(uid, gid, secrets)]).toEqual([
            ...[service, other, service === other ? secrets : []],
          ]);
        }
        const nobody = [join(paths.tls, "ca.key.pem"), join(paths.config, "cli.json")];
        const unlocks = readdirSync(zones.at(`unlock/${zone}`)).filter((name) =>
          name.endsWith(".unlock"),
        );
        const closed = [...nobody, ...unlocks.map((name) => zones.at(`unlock/${zone}/${name}`))];
        expect([service, readable(uid, gid, closed)]).toEqual([service, []]);
      }
    }
  });
});
