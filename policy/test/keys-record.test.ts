/** Guarantee checked: every command that works with a key leaves who, what, which key and how often it was used; `keys log` shows it after checking it. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import type { CliNoun } from "@lightferry/proto/cli";
import { createUnlockFile } from "@lightferry/proto/keystore";
import { parseCertificate, readPkiItems } from "@lightferry/proto/pki";
import { runCaptured } from "@lightferry/proto/testing";
import { afterAll, beforeAll, expect, test } from "vitest";
import { noun as keys } from "../cli/keys.ts";
import { noun as policy } from "../cli/policy.ts";

interface Row {
  readonly verb: string;
  readonly operator: string;
  readonly user: string;
  readonly about: Readonly<Record<string, string>>;
  readonly result: string;
  readonly code: string;
  readonly keys: readonly string[];
  readonly serials: readonly string[];
  readonly uses: readonly { keyId: string; operation: string; count: number }[];
}

interface Log {
  readonly lines: number;
  readonly head: string;
  readonly actions: readonly Row[];
  readonly uses: Row["uses"];
}

let home = "";
const at = (...names: string[]): string => join(home, ...names);
const CA = "--ca @ca/extranet --unlock-file @ca.unlock";

/** Words that begin with @ are files under the home. */
const say = (line: string, noun: CliNoun = keys) =>
  runCaptured(noun, [
    ...line.split(" ").map((word) => word.replace(/^@/, `${home}/`)),
    ...["--home", home],
  ]);

async function run(line: string, noun: CliNoun = keys): Promise<string> {
  const { code, text } = await say(line, noun);
  expect(code, `${line}\n${text}`).toBe(0);
  return text;
}

const log = async (which: string): Promise<Log> => JSON.parse(await run(`log ${which} --json`));
const lastOf = ({ actions }: Log): Row => actions.at(-1) ?? expect.fail("nothing on record");
const signs = ({ uses }: Row) => uses.map(({ operation, count }) => `${operation} ${count}`);

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), "lf-keys-record-"));
  createUnlockFile(at("ca.unlock")).fill(0);
  createUnlockFile(at("wrong.unlock")).fill(0);
  writeFileSync(at("backup.pass"), "节点备份口令 0123456789", { mode: 0o600 });
  mkdirSync(at("extranet", "config"), { recursive: true });
  const tls = { ca: "unused", cert: "unused", key: "unused" };
  writeFileSync(
    at("extranet", "config", "cli.json"),
    JSON.stringify({
      ...{ zone: "extranet", node: "node-extranet", databaseUrls: {}, tls, peers: {} },
      anchorPath: at("anchor.json"),
    }),
  );
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

test("an off-line CA: made, certifying, revoking, backed up, restored, each with its key, serials and counted signatures", async () => {
  const made = "--organisation org --unlock-file @ca.unlock --operator 张三";
  await run(`init --role root --ca @root-disk/root ${made} --out @root.pem`);
  await run(
    `init --role issuer --zone extranet --ca @ca/extranet ${made} --root @root-disk/root --root-unlock-file @ca.unlock`,
  );
  const root = await log("--ca @root-disk/root");
  expect(root.actions).toMatchObject([
    { verb: "keys init", operator: "张三", user: userInfo().username, result: "ok" },
    { verb: "keys issue", about: { ca: at("root-disk", "root"), for: at("ca", "extranet") } },
  ]);
  // Its own certificate and first list; then the issuer's certificate.
  expect(root.actions.map(signs)).toEqual([["sign 2"], expect.arrayContaining(["sign 1"])]);
  const issuer = lastOf(await log("--ca @ca/extranet"));
  expect(issuer).toMatchObject({ verb: "keys init", about: { role: "issuer" }, result: "ok" });
  expect(issuer.keys).toEqual(root.actions[1]?.keys);

  await run(
    `init --role node --zone extranet --pin @root.pem --organisation org --out @node.csr --yes`,
  );
  await run(`issue ${CA} --request @node.csr --out @node.pem --yes`);
  const certificates = readPkiItems(readFileSync(at("node.pem")))
    .filter(({ label }) => label === "CERTIFICATE")
    .map(({ der }) => parseCertificate(der))
    .filter(({ identity }) => identity !== undefined);
  const issued = lastOf(await log("--ca @ca/extranet"));
  expect(issued.serials).toEqual(certificates.map(({ serial }) => serial));
  expect(issued.keys).toEqual(certificates.map(({ keyId }) => keyId));
  expect(signs(issued)).toEqual(["sign 5"]);

  const [first] = certificates;
  const why = "--reason keyCompromise --yes";
  await run(`revoke ${CA} --key-id ${first?.keyId} ${why} --out @list.pem`);
  expect(lastOf(await log("--ca @ca/extranet"))).toMatchObject({
    ...{ verb: "keys revoke", keys: [first?.keyId], serials: [first?.serial] },
    about: { reason: "keyCompromise", list: "2" },
  });
  await run(`revoke ${CA} --renew --out @renewed.pem`);
  await run(`backup ${CA} --shares 2/2 --shares-dir @shares --out @ca.backup`);
  expect(lastOf(await log("--ca @ca/extranet"))).toMatchObject({
    ...{ verb: "keys backup", keys: issuer.keys, uses: [], about: { shares: "2/2" } },
  });
  const shares = [1, 2].map((n) => `--share @shares/share-${n}-of-2.txt`).join(" ");
  await run(`restore --ca @ca/again --unlock-file @ca.unlock --backup @ca.backup ${shares}`);
  expect(lastOf(await log("--ca @ca/again"))).toMatchObject({
    ...{ verb: "keys restore", keys: issuer.keys, result: "ok" },
    about: { ca: at("ca", "again") },
  });
});

test("a wrong passphrase is on record too, and that nothing came of it", async () => {
  const { code, text } = await say(
    "revoke --ca @ca/extranet --unlock-file @wrong.unlock --renew --out @never.pem",
  );
  expect([code === 0, text]).toEqual([false, expect.stringContaining("sm.key-locked")]);
  expect(lastOf(await log("--ca @ca/extranet"))).toMatchObject({
    ...{ verb: "keys revoke", result: "error", code: "sm.key-locked", uses: [] },
  });
});

test("a node: keys made, asked for, rotated, backed up, restored and destroyed", async () => {
  const zone = "--zone extranet";
  const init = lastOf(await log(zone));
  expect(init).toMatchObject({
    ...{ verb: "keys init", operator: userInfo().username },
    about: { role: "node", zone: "extranet", node: "node-extranet" },
  });
  expect(init.about["root-digest"]).toMatch(/^[0-9a-f]{64}$/);
  expect(init.keys).toHaveLength(5);
  expect(init.uses).toHaveLength(5);

  await run(`rotate ${zone} --use sign --organisation org --out @next.csr --operator 李四`);
  const rotated = lastOf(await log(zone));
  expect(rotated).toMatchObject({ verb: "keys rotate", operator: "李四", about: { use: "sign" } });
  const [keyId = ""] = rotated.keys;
  expect(rotated.uses).toEqual([{ keyId, operation: "sign", count: 1 }]);
  await run(`request ${zone} --use sign --key-id ${keyId} --organisation org --out @same.csr`);
  const { uses } = await log(zone);
  expect(uses.find((use) => use.keyId === keyId)).toEqual({ keyId, operation: "sign", count: 2 });

  const secret = "--backup-passphrase-file @backup.pass";
  await run(`backup ${zone} ${secret} --out @node.backup`);
  expect(lastOf(await log(zone)).keys).toHaveLength(6);
  await run(`destroy ${keyId} ${zone} --use sign --compromised --yes`);
  expect(lastOf(await log(zone))).toMatchObject({
    ...{ verb: "keys destroy", keys: [keyId], about: { why: "compromised", use: "sign" } },
  });
  rmSync(at("extranet", "keys", "sign"), { recursive: true });
  for (const use of ["encrypt", "policy", "audit", "ferry"]) {
    rmSync(at("extranet", "keys", use), { recursive: true });
  }
  await run(`restore ${zone} ${secret} --backup @node.backup`);
  expect(lastOf(await log(zone))).toMatchObject({ verb: "keys restore", result: "ok" });
  expect(lastOf(await log(zone)).keys).toContain(keyId);
});

test("the authority's key: made, and each signature, beside it", async () => {
  await run("init-authority --dir @authority --unlock @ca.unlock --operator 王五", policy);
  const pack = join(import.meta.dirname, "..", "packs", "demo.yaml");
  const key = "--key @authority/authority.key.json --unlock @ca.unlock";
  await run(`sign-pack --pack ${pack} ${key} --out @pack.sig`, policy);
  const { actions, uses } = await log("--ca @authority/authority.key.json");
  expect(actions).toMatchObject([
    { verb: "policy init-authority", operator: "王五", keys: [uses[0]?.keyId] },
    { verb: "policy sign-pack", keys: [uses[0]?.keyId], result: "ok" },
  ]);
  expect(uses).toMatchObject([{ operation: "sign", count: 1 }]);
});

test("people read it in their language; an altered record shows nothing but that", async () => {
  const shown = await run("log --zone extranet");
  expect(shown).toContain("链完整");
  expect(shown).toContain("李四");
  const file = at("extranet", "keys", "key-actions", "actions.jsonl");
  const text = readFileSync(file, "utf8");
  writeFileSync(file, text.replace("李四", "李三"));
  const { code, text: said } = await say("log --zone extranet");
  expect(code).not.toBe(0);
  expect(said).toContain("key.actions-damaged");
  expect(said).not.toContain("keys rotate");
  // Nothing is done with keys either.
  expect((await say("rotate --zone extranet --use sign --out @no.csr")).text).toContain(
    "key.actions-damaged",
  );
  writeFileSync(file, text);
  await run("log --zone extranet");
  expect((await say("log --ca @nowhere/root")).text).toContain("no record");
});
