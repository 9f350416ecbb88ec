/** `lightferry setup --directory-lane`: the zone's ferry program gets the appliance in place of the gate, its unit the folders, the doctor something to look at. */
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runCaptured } from "@lightferry/proto/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  readDirectoryRxConfig,
  readDirectoryTxConfig,
} from "../../ferry/src/directory/settings.ts";
import { noun } from "../cli/setup.ts";
import { appliance } from "../src/doctor/appliance.ts";
import { type ZoneName, zonePaths } from "../src/layout.ts";
import { dropOf, type FerryDirectory, profileNamed } from "../src/setup/directory-lane.ts";
import { systemdFiles } from "../src/setup/systemd/write.ts";
import { readZoneOptions } from "../src/setup/zone-options.ts";
import { machine, states } from "./doctor-machine.ts";
import { readUnit } from "./systemd-unit.ts";

let home: string;
beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), "lf-directory-"));
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

const at = (name: string) => join(home, name);
const LANE = ["--directory-lane", "inbound"];
const SFTP = [...LANE, "--directory-drop", "sftp://me@host/in"];
const HOST_KEY = `SHA256:${"A".repeat(43)}`;
const setup = (zone: ZoneName, words: readonly string[], into = home) =>
  runCaptured(noun, ["--home", into, "--zone", zone, ...words]);
const configOf = (zone: ZoneName, service: string): unknown =>
  JSON.parse(readFileSync(join(zonePaths(home, zone).config, `${service}.json`), "utf8"));

describe("the lane of an appliance", () => {
  it("is in the settings of both ferry programs, as these read them", async () => {
    const drop = ["--directory-drop", "/srv/appliance/in"];
    expect(await setup("extranet", [...LANE, ...drop])).toMatchObject({ code: 0 });
    const pickUp = ["--directory-pick-up", "/srv/appliance/out"];
    expect(await setup("business", [...LANE, ...pickUp])).toMatchObject({ code: 0 });
    expect(readDirectoryTxConfig(configOf("extranet", "ferry-tx"))).toMatchObject({
      ...{ lane: "inbound", mode: "production" },
      gate: {
        target: { kind: "folder", folder: "/srv/appliance/in", staging: undefined },
        profile: { nameLength: 8, extension: "DAT", renames: false, maxFileBytes: 1 << 20 },
      },
    });
    expect(readDirectoryRxConfig(configOf("business", "ferry-rx"))).toMatchObject({
      ...{ lane: "inbound", expectedSender: "node-extranet", gate: { path: "/srv/appliance/out" } },
    });
    const { ferryDirectory } = readZoneOptions(zonePaths(home, "business").root);
    expect(ferryDirectory).toEqual({ lane: "inbound", path: "/srv/appliance/out" });
  });

  it.each([
    ["no lane", "extranet", ["--directory-drop", "/in"]],
    ["nowhere to drop", "extranet", LANE],
    ["a relative folder", "business", [...LANE, "--directory-pick-up", "out"]],
    [
      "a gate as well",
      "extranet",
      [...LANE, "--directory-drop", "/in", "--gate-host", "192.0.2.1"],
    ],
    ["the other zone's end", "extranet", [...LANE, "--directory-pick-up", "/out"]],
    [
      "the other zone's profile",
      "business",
      [...LANE, "--directory-profile", "8.3", "--directory-pick-up", "/out"],
    ],
    [
      "a profile that nobody knows",
      "extranet",
      [...LANE, "--directory-drop", "/in", "--directory-profile", "7.2"],
    ],
    [
      "staging without renames",
      "extranet",
      [...LANE, "--directory-drop", "/in", "--directory-staging", "/st"],
    ],
    [
      "renames without staging",
      "extranet",
      [...LANE, "--directory-drop", "/in", "--directory-profile", "plain"],
    ],
    [
      "a key for a folder",
      "extranet",
      [...LANE, "--directory-drop", "/in", "--directory-key", "/key"],
    ],
    ["a server whose host key is not told", "extranet", [...SFTP, "--directory-key", "/key"]],
    [
      "a host key in another form",
      "extranet",
      [...SFTP, "--directory-host-key", `MD5:${"a".repeat(32)}`, "--directory-key", "/key"],
    ],
    ["a server without a secret", "extranet", [...SFTP, "--directory-host-key", HOST_KEY]],
    [
      "a server with two secrets",
      "extranet",
      [
        ...SFTP,
        "--directory-host-key",
        HOST_KEY,
        "--directory-key",
        "/k",
        "--directory-password",
        "/p",
      ],
    ],
    [
      "a host key for FTP",
      "extranet",
      [...LANE, "--directory-drop", "ftpes://me@host/in", "--directory-host-key", HOST_KEY],
    ],
    [
      "a CA for SFTP",
      "extranet",
      [...SFTP, "--directory-host-key", HOST_KEY, "--directory-key", "/k", "--directory-ca", "/ca"],
    ],
    [
      "a password in the address",
      "extranet",
      [...LANE, "--directory-drop", "ftp://me:hush@host/in"],
    ],
  ] as const)("is refused with %s, before anything is made", async (_, zone, words) => {
    const fresh = at("fresh");
    const { code, text } = await setup(zone, words, fresh);
    expect(code).toBe(2);
    expect(text).not.toContain("hush");
    expect(existsSync(fresh)).toBe(false);
  });
});

it("takes a profile from a file, and its server's secrets by name", async () => {
  const into = at("server");
  writeFileSync(
    at("profile.json"),
    JSON.stringify({ names: "hex", nameLength: 12, renames: false }),
  );
  const words = [
    ...LANE,
    "--directory-drop",
    "sftp://lf@h.example/in",
    "--directory-host-key",
    HOST_KEY,
  ];
  const files = ["--directory-key", "/etc/lf/id", "--directory-profile", at("profile.json")];
  expect(await setup("extranet", [...words, ...files], into)).toMatchObject({ code: 0 });
  const { config } = zonePaths(into, "extranet");
  const written: unknown = JSON.parse(readFileSync(join(config, "ferry-tx.json"), "utf8"));
  expect(readDirectoryTxConfig(written).gate).toMatchObject({
    target: {
      kind: "sftp",
      host: "h.example",
      keyPath: "/etc/lf/id",
      hostKeySha256: HOST_KEY.slice(7),
    },
    profile: { nameLength: 12, renames: false },
  });
});

it("has a profile from a file judged by the ferry, before anything is made", async () => {
  const few = { names: "digits", nameLength: 5, renames: false };
  writeFileSync(at("profile.json"), JSON.stringify(few));
  const words = [...LANE, "--directory-drop", "/in", "--directory-profile", at("profile.json")];
  const answer = await setup("extranet", words, at("fresh"));
  expect(answer.code).toBe(2);
  expect(answer.text).toContain("profile.json: profile.nameLength: at least");
  expect(existsSync(at("fresh"))).toBe(false);
});

it("reads addresses of servers", () => {
  const server = { host: "h.example", user: "lf", folder: "/a b" };
  expect(dropOf("sftp://lf@h.example/a%20b")).toEqual({ kind: "sftp", port: 22, ...server });
  expect(dropOf("ftp://lf@h.example:2121/a b")).toEqual({
    kind: "ftp",
    tls: "none",
    port: 2121,
    ...server,
  });
  expect(dropOf("ftpes://lf@h.example/a b")).toMatchObject({ tls: "explicit", port: 21 });
  expect(dropOf("ftps://lf@[2001:db8::1]/in")).toMatchObject({
    tls: "implicit",
    port: 990,
    host: "2001:db8::1",
  });
  for (const odd of [
    "in",
    "http://lf@h/in",
    "sftp://h/in",
    "sftp://lf@h",
    "ftp://lf@h/%zz",
    "sftp://lf@h:0/in",
  ]) {
    expect(() => dropOf(odd), odd).toThrow("cli.usage");
  }
});

/** Units of the extranet's ferry-tx and of its seal, and the tmpfiles.d lines. */
function unitsOf(directory: FerryDirectory) {
  const files = systemdFiles({
    ...{ zone: "extranet", home: "/var/lf", paths: zonePaths("/var/lf", "extranet") },
    ...{
      unlockDir: "/unlock",
      node: "/opt/node",
      program: "/opt/lf",
      credentials: "/cred",
      lanes: { ferryDirectory: directory, receiptLane: {} },
    },
  });
  const text = (name: string) =>
    files.find((file) => file.name === `lightferry-extranet${name}`)?.text ?? expect.fail(name);
  const [tx, seal] = [readUnit(text("-ferry-tx.service")), readUnit(text("-seal.service"))];
  return { tx, seal, tmpfiles: text(".tmpfiles.conf") };
}

describe("under systemd", () => {
  it("the unit of the ferry alone may write the folders, once they are mounted", () => {
    const target = { kind: "folder", folder: "/srv/in", staging: "/home/lf/staging" } as const;
    const { tx, seal } = unitsOf({ lane: "inbound", target, profile: profileNamed("plain") ?? {} });
    expect(tx.get("ReadWritePaths")).toEqual([
      "/var/lf/extranet/state/ferry-tx /srv/in /home/lf/staging",
    ]);
    expect(tx.get("RequiresMountsFor")?.[0]).toContain("/srv/in /home/lf/staging");
    expect(tx.get("ProtectHome")).toEqual(["read-only"]);
    expect(JSON.stringify([...seal])).not.toMatch(/srv|staging/);
  });

  it("a server's password is the ferry's file alone, and no folder of the server is one of ours", () => {
    const target = { ...dropOf("ftpes://lf@h.example/in"), passwordPath: "/etc/lf/ftp.pass" };
    const { tx, tmpfiles } = unitsOf({ lane: "inbound", target });
    expect(tx.get("ReadWritePaths")).toEqual(["/var/lf/extranet/state/ferry-tx"]);
    expect(tmpfiles).toContain("z /etc/lf/ftp.pass 0400 lf-extranet-ferry-tx lf-extranet-road\n");
  });

  it("a certificate in a folder of people can be read", () => {
    const target = { ...dropOf("ftpes://lf@h.example/in"), caPath: "/root/appliance-ca.pem" };
    const { tx, seal, tmpfiles } = unitsOf({ lane: "inbound", target });
    expect([tx, seal].map((unit) => unit.get("ProtectHome"))).toEqual([["read-only"], ["yes"]]);
    expect(tmpfiles).not.toContain("appliance-ca");
  });

  it("a folder that no unit can name is refused", () => {
    expect(() => unitsOf({ lane: "inbound", path: "/srv/a b" })).toThrow("cli.usage");
  });
});

it("the doctor looks at folders, rights, and the server's password", () => {
  const look = (directory: FerryDirectory, mode: "demo" | "production" = "production") =>
    states(appliance(machine({ mode }), "extranet", directory));
  const [drop, secret] = [at("drop"), at("ftp.pass")];
  const local: FerryDirectory = { lane: "inbound", target: dropOf(drop) };
  expect(look({})).toEqual({});
  expect(look(local)).toEqual({ [`appliance.folder:${drop}`]: "fail" });
  mkdirSync(drop);
  chmodSync(drop, 0o770);
  expect(look(local)).toEqual({ [`appliance.folder:${drop}`]: "ok" });
  chmodSync(drop, 0o775);
  expect(look(local)).toEqual({ [`appliance.folder:${drop}`]: "fail" });
  expect(look(local, "demo")).toEqual({ [`appliance.folder:${drop}`]: "warn" });

  const remote = (scheme: string): FerryDirectory => ({
    ...{ lane: "inbound", target: { ...dropOf(`${scheme}://lf@h/in`), passwordPath: secret } },
  });
  const told = (server: string, password: string) => ({
    ...{ "appliance.server:extranet": server, [`appliance.secret:${secret}`]: password },
  });
  expect(look(remote("ftp"))).toEqual(told("warn", "fail"));
  writeFileSync(secret, "hush\n", { mode: 0o600 });
  expect(look(remote("ftpes"))).toEqual(told("ok", "ok"));
  chmodSync(secret, 0o640);
  expect(look(remote("sftp"))).toEqual(told("ok", "fail"));
});
