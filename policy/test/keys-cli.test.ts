/**
 * The life of keys by command: root, issuing CAs of two zones, node keys, requests, issue, import into
 * real trust services, rotation, revocation, denial, backup and restore, destruction.
 */
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { KeyRing, loadKeyFile, ringKeyIds } from "@lightferry/proto/keystore";
import { parseRevocationList, readPkiItems, verifyRevocationList } from "@lightferry/proto/pki";
import { expect, onTestFinished, test, vi } from "vitest";
import { OVERLAP_AFTER_END_MS } from "../src/keys/state.ts";
import {
  at,
  CA,
  DAY,
  home,
  type Key,
  keysOf,
  keysWorld,
  ORGANISATION,
  pemOf,
  provider,
  ROOT,
  refused,
  run,
  say,
  startTrust,
  words,
  ZONES,
  zones,
} from "./keys-world.ts";

keysWorld();

test("a root and an issuing CA for each zone, one beside the root and one by request", async () => {
  const root = await run<{ digest: string }>(
    `init --role root ${ROOT} --organisation ${ORGANISATION} --out @root.pem`,
  );
  expect(pemOf("root.pem").map(({ digest, demo }) => [digest, demo])).toEqual([
    [root.digest, false],
  ]);
  await run(
    `init --role issuer --zone extranet ${CA("extranet")} --organisation ${ORGANISATION} --root @ca/root --root-unlock-file @root.unlock`,
  );
  await run(
    `init --role issuer --zone business ${CA("business")} --organisation ${ORGANISATION} --out @business-ca.csr`,
  );
  await refused(`issue ${ROOT} --request @business-ca.csr --out @business-ca.pem`, "--yes");
  await run(`issue ${ROOT} --request @business-ca.csr --out @business-ca.pem --yes`);
  await run(`import @business-ca.pem ${CA("business")} --yes`);
  for (const zone of ZONES) {
    const { keys, lists } = await run<{ keys: Key[]; lists: { number: number }[] }>(
      `list --ca @ca/${zone}`,
    );
    expect(keys).toMatchObject([{ zone, use: "issuer", state: "active" }]);
    expect(lists).toMatchObject([{ number: 1, entries: [] }]);
  }
  await refused(`init --role root ${ROOT} --organisation ${ORGANISATION}`, "key.ca-exists");
  const weak = at("weak.pass");
  writeFileSync(weak, "short", { mode: 0o600 });
  await refused(
    `init --role root --ca @ca/other --passphrase-file ${weak} --organisation x`,
    "key.passphrase-weak",
  );
  expect(existsSync(at("ca", "other"))).toBe(false);
});

test("node keys in five rings, certified and imported into the zone's own trust service", async () => {
  for (const zone of ZONES) {
    const { warnings } = await run<{ warnings: { code: string }[] }>(
      `init --role node --zone ${zone} --pin @root.pem --organisation ${ORGANISATION} --out @${zone}.csr --yes`,
    );
    expect(warnings.map(({ code }) => code)).toEqual(Array(5).fill("key.unlock-beside-data"));
    await startTrust(zone);
    expect(await keysOf(zone, "sign")).toMatchObject([{ state: "requested", inRing: true }]);
    const shown = await say(
      words(`issue ${CA(zone)} --request @${zone}.csr --out @${zone}.pem --yes`),
    );
    expect(shown.out).toContain(`CN=node-${zone}-encrypt`);
    expect(shown.out).toMatch(/申请摘要（SM3）[0-9a-f]{64}/);
    const { results } = await run<{ results: { status: string }[] }>(
      `import @${zone}.pem --zone ${zone}`,
    );
    // Five of the node, the CA, the root (pinned already) and the newest list.
    expect(results.map(({ status }) => status).sort()).toEqual(["known", ...Array(7).fill("new")]);
    for (const use of ["sign", "encrypt", "policy", "audit", "ferry"]) {
      const [key, ...more] = await keysOf(zone, use);
      expect(more).toEqual([]);
      expect(key).toMatchObject({
        state: "active",
        inRing: true,
        daysLeft: use === "encrypt" ? 44 : 364,
      });
    }
  }
  await refused(`request --zone extranet --out @none.csr`, "keys rotate makes the next");
  await refused(
    `issue ${CA("extranet")} --request @extranet.csr --out @twice.pem --yes`,
    "key.ca-issuance-refused",
  );
  await refused(
    `issue ${CA("business")} --request @extranet.csr --out @wrong.pem --yes`,
    "certificate.wrong-zone",
  );
  expect(existsSync(at("twice.pem"))).toBe(false);
});

test("one zone's certificates travel to the other by medium; a foreign root's are refused", async () => {
  for (const [from, to] of [
    ["extranet", "business"],
    ["business", "extranet"],
  ] as const) {
    await run(`export --zone ${from} --out @from-${from}.pem`);
    await run(`import @from-${from}.pem --zone ${to} --source medium`);
    expect(await keysOf(to, "encrypt", `node-${from}`)).toMatchObject([{ state: "active" }]);
  }
  await run(
    `init --role root --ca @ca/foreign --passphrase-file @root.pass --organisation x --out @foreign.pem`,
  );
  const { code, out } = await say(words("import @foreign.pem --zone extranet --json"));
  expect(code).toBe(3);
  expect(JSON.parse(out).results).toMatchObject([{ status: "refused" }]);
  const table = await say(words("import @foreign.pem --zone extranet"));
  expect(table.out).toContain("拒绝");
  await refused(`import @extranet.csr --zone extranet`, "cli.usage");
});

test("rotation: announced, in use from its beginning, the old one in its overlap, then destroyed", async () => {
  const [old] = await keysOf("extranet", "encrypt");
  await run(`rotate --zone extranet --use encrypt --out @next.csr`);
  await run(`issue ${CA("extranet")} --request @next.csr --out @next.pem --yes`);
  const [next] = pemOf("next.pem");
  if (old === undefined || next === undefined) expect.fail("both keys");
  expect(next.organisation).toBe(ORGANISATION);
  expect(Math.abs(next.notBeforeMs - Date.now() - DAY)).toBeLessThan(60_000);
  for (const zone of ZONES) await run(`import @next.pem --zone ${zone}`);
  const states = async (zone: string) =>
    Object.fromEntries(
      (await keysOf(zone, "encrypt", "node-extranet")).map((key) => [key.keyId, key.state]),
    );
  expect(await states("extranet")).toEqual({ [old.keyId]: "active", [next.keyId]: "next" });
  await refused(`destroy ${old.keyId} --zone extranet --use encrypt --yes`, "key.still-needed");
  // Other files share the process.
  onTestFinished(() => void vi.useRealTimers());
  vi.useFakeTimers({ toFake: ["Date"], now: next.notBeforeMs + 60_000 });
  expect(await states("extranet")).toEqual({ [old.keyId]: "overlap", [next.keyId]: "active" });
  expect(await states("business")).toEqual({ [old.keyId]: "overlap", [next.keyId]: "active" });
  vi.setSystemTime(Date.now() + 45 * DAY + OVERLAP_AFTER_END_MS);
  expect((await states("extranet"))[old.keyId]).toBe("ended");
  await run(`destroy ${old.keyId} --zone extranet --use encrypt --yes`);
  expect(ringKeyIds(at("extranet", "keys", "encrypt"))).toEqual([next.keyId]);
  expect((await states("extranet"))[old.keyId]).toBe("destroyed");
  vi.useRealTimers();
  await refused(`destroy ${old.keyId} --zone extranet --use encrypt --yes`, "key.unknown");
});

test("denial acts at once in one zone; revocation at the CA makes numbered lists for medium and codes", async () => {
  const [key] = await keysOf("extranet", "sign");
  if (key === undefined) expect.fail("the signing key");
  const state = async (zone: string) =>
    (await keysOf(zone, "sign", "node-extranet")).map((one) => one.state);
  await refused(`revoke --zone business --deny ${key.keyId} --yes`, "--reason");
  await run(`revoke --zone business --deny ${key.keyId} --reason 设备失窃 --yes`);
  expect(await state("business")).toEqual(["denied"]);
  expect(await state("extranet")).toEqual(["active"]);
  await run(`revoke --zone business --deny ${key.keyId} --lift --yes`);
  expect(await state("business")).toEqual(["active"]);

  const list = `revoke ${CA("extranet")} --key-id ${key.keyId} --reason keyCompromise`;
  await refused(`${list} --out @list.pem`, "--yes");
  const said = await run<{ number: number; codes: string[] }>(
    `${list} --out @list.pem --qr @codes --yes`,
  );
  expect(said.number).toBe(2);
  await refused(`${list} --out @again.pem --yes`, "key.ca-already-revoked");
  const svgs = said.codes.filter((file) => file.endsWith(".svg"));
  expect(svgs.length).toBeGreaterThan(0);
  for (const file of svgs) expect(readFileSync(file, "utf8")).toMatch(/^<svg .*<\/svg>\n$/);
  const { results } = await run<{ results: object[] }>("import @codes/list-2.txt --zone business");
  expect(results).toMatchObject([{ kind: "revocation-list", status: "new", number: "2" }]);
  await run("import @list.pem --zone extranet");
  expect(await state("business")).toEqual(["revoked"]);
  expect(await state("extranet")).toEqual(["revoked"]);
  const renewed = await run<{ number: number }>(
    `revoke ${CA("extranet")} --renew --out @renewed.pem`,
  );
  expect(renewed.number).toBe(3);
  await run("import @renewed.pem --zone business");
  const stale = await say(words("import @list.pem --zone business --json"));
  expect(JSON.parse(stale.out).results).toMatchObject([{ status: "stale" }]);
  const half = readFileSync(at("codes", "list-2.txt"), "utf8").split("\n").slice(1).join("\n");
  writeFileSync(at("half.txt"), half === "" ? "LF1:1/2:00:0" : half);
  await refused("import @half.txt --zone business", "trust.qr-invalid");
});

test("a root comes back from two of three shares, and what it signs verifies", async () => {
  const backup = `backup ${ROOT} --shares 2/3 --shares-dir @shares --out @root.backup`;
  await run(backup);
  await refused(backup, "root.backup exists");
  expect(readdirSync(at("shares")).sort()).toEqual(
    [1, 2, 3].flatMap((n) => [`share-${n}-of-3.svg`, `share-${n}-of-3.txt`]),
  );
  const restore = `restore --ca @ca/root --passphrase-file @new.pass --backup @root.backup`;
  const both = "--share @shares/share-1-of-3.txt --share @shares/share-3-of-3.txt";
  await refused(`${restore} ${both}`, "key.backup-conflict");
  rmSync(at("ca", "root"), { recursive: true });
  await refused(`${restore} --share @shares/share-2-of-3.txt`, "key.shares-too-few");
  await refused(`${restore} --share @shares/share-2-of-3.txt --share @root.pem`, "root.pem");
  expect(existsSync(at("ca", "root"))).toBe(false);
  await run(`${restore} ${both}`);
  const { key } = loadKeyFile(
    at("ca", "root", "ca.key.json"),
    { passphrase: readFileSync(at("new.pass")) },
    "ca-sign",
  );
  const [root] = pemOf("root.pem");
  if (root === undefined) expect.fail("the root");
  const message = Buffer.from("signed after the restore");
  expect(provider.sm2Verify(root.publicKey, message, provider.sm2Sign(key, message))).toBe(true);
  key.destroy();
  await run(`revoke --ca @ca/root --passphrase-file @new.pass --renew --out @root-list.pem`);
  const [item] = readPkiItems(readFileSync(at("root-list.pem")));
  const list = parseRevocationList(item?.der ?? new Uint8Array());
  expect(list.number).toBeGreaterThan(1000);
  expect(verifyRevocationList(provider, list, root)).toBe(true);
  await run("import @root-list.pem --zone extranet");
});

test("a node's keys come back from their backup into their rings, and sign for their certificates", async () => {
  const dirs = (use: string) => at("business", "keys", use);
  const before = ["sign", "encrypt", "policy", "audit", "ferry"].map((use) =>
    ringKeyIds(dirs(use)),
  );
  const secret = "--backup-passphrase-file @backup.pass";
  await run(`backup --zone business ${secret} --out @business.backup`);
  await refused(
    `restore --zone business ${secret} --backup @business.backup`,
    "key.backup-conflict",
  );
  await refused(
    `restore --zone extranet ${secret} --backup @business.backup`,
    "key.backup-invalid",
  );
  rmSync(at("business", "keys"), { recursive: true });
  await refused(
    "restore --zone business --backup-passphrase-file @new.pass --backup @business.backup",
    "key.backup-invalid",
  );
  // No ring and no unlock file: the attempt alone is on record.
  expect(readdirSync(at("business", "keys"))).toEqual(["key-actions"]);
  await run(`restore --zone business ${secret} --backup @business.backup`);
  expect(
    ["sign", "encrypt", "policy", "audit", "ferry"].map((use) => ringKeyIds(dirs(use))),
  ).toEqual(before);
  const ring = KeyRing.open({
    ...{ dir: dirs("sign"), use: "node-sign", mode: "production" },
    unlock: { file: at("business", "keys", "sign.unlock") },
  });
  const store = zones.get("business")?.keeper.current();
  const [keyId = ""] = ring.keyIds();
  const certificate = store?.certificate(keyId);
  const key = ring.privateKey(keyId);
  if (certificate === undefined || key === undefined) expect.fail("certified");
  const message = Buffer.from("signed after the restore");
  expect(provider.sm2Verify(certificate.publicKey, message, provider.sm2Sign(key, message))).toBe(
    true,
  );
  ring.close();
});

test("a compromised key is destroyed at once", async () => {
  const [key] = await keysOf("business", "ferry");
  if (key === undefined) expect.fail("the ferry's key");
  await run(`destroy ${key.keyId} --zone business --use ferry --compromised --yes`);
  expect(ringKeyIds(at("business", "keys", "ferry"))).toEqual([]);
});

test("no passphrase, share or private key stands in what was printed or left in public files", async () => {
  const zh = await say(words("list --zone extranet"));
  expect(zh).toMatchObject({ code: 0 });
  expect(zh.out).toContain("使用中");
  const en = await say(words("list --zone extranet"), "en_US.UTF-8");
  expect(en.out).toContain("in use");
  const secrets = ["root.pass", "new.pass", "backup.pass"].map((file) =>
    readFileSync(at(file), "utf8").trim(),
  );
  const share = readFileSync(at("shares", "share-1-of-3.txt"), "utf8").split("\n")[2] ?? "";
  expect(share).toMatch(/^LFSHARE1:/);
  const files = readdirSync(home, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !/\.pass$|^share-/.test(entry.name))
    .map((entry) => readFileSync(join(entry.parentPath, entry.name)));
  expect(files.length).toBeGreaterThan(40);
  for (const secret of [...secrets, share]) {
    expect(files.filter((bytes) => bytes.includes(secret))).toEqual([]);
  }
});
