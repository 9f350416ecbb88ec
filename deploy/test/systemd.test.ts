/** What `lightferry setup --systemd` writes: units that systemd takes, that agree with the zone's settings, and that leave a service nothing beside its own. */
import { spawnSync } from "node:child_process";
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runCaptured } from "@lightferry/proto/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { noun } from "../cli/setup.ts";
import { ZONE_SERVICES, ZONES, type ZoneName, zonePaths } from "../src/layout.ts";
import { REPOSITORY } from "../src/repository.ts";
import { readUnit } from "./systemd-unit.ts";

/** systemd-analyze security: 0 is shut, 100 is open. What Node needs (V8, sockets) keeps it above 10. */
const MOST_EXPOSED = 30;
const analyze = spawnSync("systemd-analyze", ["--version"]).status === 0;
if (!analyze) console.warn("skipped: no systemd-analyze here (Debian: apt install systemd)");

let folder = "";
let home = "";
const unitsDir = (zone: ZoneName): string => join(folder, `units-${zone}`);
const textOf = (zone: ZoneName, name: string): string =>
  readFileSync(join(unitsDir(zone), name), "utf8");
const unitsOf = (zone: ZoneName): string[] =>
  readdirSync(unitsDir(zone)).filter((name) => name.endsWith(".service"));
const serviceOf = (zone: ZoneName, unit: string): string =>
  unit.slice(`lightferry-${zone}-`.length, -".service".length);

const setup = (...words: string[]) => runCaptured(noun, [...words, "--home", home]);

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "lf-systemd-"));
  home = join(folder, "home");
  for (const zone of ZONES) {
    const where = ["--unlock-dir", join(folder, "unlock", zone), "--systemd", unitsDir(zone)];
    expect(await setup("--zone", zone, ...where)).toMatchObject({ code: 0 });
  }
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe.each(ZONES)("%s", (zone) => {
  it("has a unit for its database and each of its services but the demonstration's receiver", () => {
    const services = ZONE_SERVICES[zone].filter((name) => name !== "receiver");
    expect(
      unitsOf(zone)
        .map((unit) => serviceOf(zone, unit))
        .sort(),
    ).toEqual([...services, "postgres"].sort());
    const target = readUnit(textOf(zone, `lightferry-${zone}.target`)).get("Wants")?.[0] ?? "";
    expect(target.split(" ").sort()).toEqual(unitsOf(zone).sort());
  });

  it("starts programs that are there, each with its own settings and its credential's name in them", () => {
    for (const unit of unitsOf(zone)) {
      const settings = readUnit(textOf(zone, unit));
      const [node = "", , entry = "", , argument = ""] =
        settings.get("ExecStart")?.[0]?.split(" ") ?? [];
      expect(statSync(node).mode & 0o111, node).not.toBe(0);
      expect(existsSync(entry), entry).toBe(true);
      const service = serviceOf(zone, unit);
      const [credential] = settings.get("LoadCredentialEncrypted") ?? [];
      if (service === "postgres") {
        expect(argument).toBe(home);
        continue;
      }
      const config = JSON.parse(readFileSync(argument, "utf8")) as Record<string, unknown>;
      expect(config).toMatchObject({ zone, service, mode: "production" });
      expect(config).not.toHaveProperty("unlockPath");
      expect(credential?.split(":")).toEqual(
        config.unlockCredential === undefined
          ? undefined
          : [
              config.unlockCredential,
              `/etc/credstore.encrypted/lightferry-${zone}-${config.unlockCredential}`,
            ],
      );
    }
    const seal = unitsOf(zone).find((unit) => unit.endsWith("-seal.service"));
    // Both zones sign: the sending one its bundles, the receiving one its receipts.
    expect(seal).toBeDefined();
  });

  it("lets a service write the folders that its settings name for it, and no other's state, keys or settings", () => {
    const paths = zonePaths(home, zone);
    const written: Readonly<Record<string, readonly string[]>> = {
      policy: ["stateDir", "trustDir", "sealedAwayDir"],
      audit: ["stateDir"],
      "front-proxy": [
        "stateDir",
        "spoolDir",
        "outboxDir",
        "arrivalsDir",
        "inboxDir",
        "encryptKeysDir",
      ],
      seal: ["stateDir", "outboxDir"],
      "ferry-tx": ["stateDir"],
      "ferry-rx": ["stateDir", "arrivalsDir"],
    };
    for (const unit of unitsOf(zone)) {
      const service = serviceOf(zone, unit);
      const allowed = readUnit(textOf(zone, unit)).get("ReadWritePaths")?.[0]?.split(" ") ?? [];
      if (service === "postgres") {
        expect(allowed).toEqual([paths.postgres]);
        continue;
      }
      const config = JSON.parse(
        readFileSync(join(paths.config, `${service}.json`), "utf8"),
      ) as Record<string, string>;
      for (const name of written[service] ?? expect.fail(service)) {
        expect(allowed, `${service} ${name}`).toContain(config[name]);
      }
      for (const path of allowed) {
        expect(path.startsWith(`${paths.root}/`), path).toBe(true);
        if (path.startsWith(paths.state)) expect(path).toBe(join(paths.state, service));
        for (const shut of [paths.config, paths.tls, paths.registry, paths.postgres]) {
          expect(path.startsWith(shut), path).toBe(false);
        }
      }
    }
  });

  it("gives each a user of its own, which sysusers.d makes, and tmpfiles.d every path it must own", () => {
    const made = [...textOf(zone, `lightferry-${zone}.sysusers.conf`).matchAll(/^[ug] (\S+)/gm)];
    const names = made.map(([, name]) => name);
    const units = unitsOf(zone).map((unit) => readUnit(textOf(zone, unit)));
    const users = units.map((unit) => unit.get("User")?.[0] ?? "");
    expect(new Set(users).size).toBe(users.length);
    const groups = units.map((unit) => unit.get("Group")?.[0] ?? "");
    for (const name of [...users, ...groups]) expect(names).toContain(name);
    for (const name of names) expect(name?.length).toBeLessThan(32);
    const lines = textOf(zone, `lightferry-${zone}.tmpfiles.conf`).split("\n").slice(0, -1);
    for (const line of lines) {
      const [type, path = "", mode, user = "", group = ""] = line.split(" ");
      expect(type).toMatch(/^[zZd]$/);
      expect(path.startsWith(folder)).toBe(true);
      // In the outbox, which two write, nobody replaces the other's file.
      expect(mode).toMatch(path.endsWith("/outbox") ? /^1770$/ : /^~?0[0-7]{3}$/);
      expect(user === "root" || names.includes(user), line).toBe(true);
      expect(group === "root" || names.includes(group), line).toBe(true);
    }
    const owner = (path: string) =>
      lines.findLast((line) => line.split(" ")[1] === path)?.split(" ")[3];
    const paths = zonePaths(home, zone);
    for (const unit of units) {
      const user = unit.get("User")?.[0];
      const own = (unit.get("ReadWritePaths")?.[0]?.split(" ") ?? []).filter(
        (path) => path.startsWith(paths.state) || path === paths.postgres,
      );
      expect(own).toHaveLength(1);
      expect(own.map(owner)).toEqual([user]);
    }
  });

  it("is shut: no right, no core file, no way to write the system", () => {
    for (const unit of unitsOf(zone)) {
      const settings = readUnit(textOf(zone, unit));
      const one = (key: string) => settings.get(key)?.[0];
      expect(one("NoNewPrivileges")).toBe("yes");
      expect(one("CapabilityBoundingSet")).toBe("");
      expect(one("ProtectSystem")).toBe("strict");
      expect(one("LimitCORE")).toBe("0");
      expect(one("RestrictAddressFamilies")).toMatch(/^AF_UNIX AF_INET/);
      expect(settings.get("SystemCallFilter")?.[0]).toBe("@system-service");
      expect(settings.has("MemoryDenyWriteExecute")).toBe(false);
    }
  });

  it.skipIf(!analyze)("is taken by systemd-analyze without a word, and counts as shut", () => {
    const files = readdirSync(unitsDir(zone))
      .filter((name) => /\.(service|target)$/.test(name))
      .map((name) => join(unitsDir(zone), name));
    const verified = spawnSync("systemd-analyze", ["verify", "--man=no", ...files], {
      encoding: "utf8",
    });
    // What it says of the machine's own units is not about these.
    const about = verified.stderr.split("\n").filter((line) => line.includes("lightferry"));
    expect([verified.status, about]).toEqual([0, []]);
    for (const file of files.filter((name) => name.endsWith(".service"))) {
      const judged = spawnSync(
        "systemd-analyze",
        ["security", "--offline=yes", `--threshold=${MOST_EXPOSED}`, "--no-pager", file],
        { encoding: "utf8" },
      );
      expect([judged.status, judged.stdout.split("\n").at(-2)]).toEqual([0, expect.anything()]);
    }
    // It does find faults: a key that is not one.
    const broken = join(folder, `lightferry-${zone}-broken.service`);
    writeFileSync(broken, "[Service]\nExecStart=/nowhere/node\nProtectSystm=strict\n");
    const refused = spawnSync("systemd-analyze", ["verify", "--man=no", broken], {
      encoding: "utf8",
    });
    expect(`${refused.status} ${refused.stderr}`).toMatch(
      /lightferry.*(ProtectSystm|not executable)/s,
    );
  });
});

it("the spool's key lies twice, owner only; nothing is written over; odd paths are refused at once", async () => {
  const at = (name: string) => join(folder, "unlock", "extranet", name);
  expect(readFileSync(at("spool.seal.vault")).equals(readFileSync(at("spool.vault")))).toBe(true);
  expect(statSync(at("spool.seal.vault")).mode & 0o777).toBe(0o600);
  expect(await setup("--zone", "extranet", "--systemd", join(folder, "again"))).toMatchObject({
    code: 2,
  });
  const other = join(folder, "with space");
  const odd = ["--zone", "extranet", "--home", other, "--systemd", join(folder, "odd")];
  expect((await runCaptured(noun, odd)).code).toBe(2);
  expect(existsSync(other)).toBe(false);
  expect(
    readUnit(textOf("extranet", "lightferry-extranet-policy.service")).get("WorkingDirectory"),
  ).toEqual([REPOSITORY]);
});
