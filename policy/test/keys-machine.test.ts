/** Requests for keys that lie in a cipher machine, and what a CA makes of them. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createUnlockFile } from "@lightferry/proto/keystore";
import { type Certificate, parseCertificate, readPkiItems } from "@lightferry/proto/pki";
import { readKeyActions } from "@lightferry/proto/service";
import { loadProvider } from "@lightferry/proto/sm";
import { runCaptured } from "@lightferry/proto/testing";
import { writeTrustItems } from "@lightferry/proto/trust";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { buildDevice, noCompiler, type TestDevice } from "../../proto/test/sdf-device.ts";
import { noun } from "../cli/keys.ts";

if (noCompiler !== undefined) console.warn(`skipped: ${noCompiler}`);

const ZONE = "extranet";
const CA = `--ca @ca/${ZONE} --unlock-file @ca.unlock`;

describe.skipIf(noCompiler !== undefined)("keys of a cipher machine", () => {
  let home: string;
  let device: TestDevice;
  const at = (...names: string[]): string => join(home, ...names);

  /** Words that begin with @ are files under the home. */
  const say = (line: string) =>
    runCaptured(noun, [
      ...line.split(" ").map((word) => word.replace(/^@/, `${home}/`)),
      ...["--home", home],
    ]);
  async function run(line: string): Promise<string> {
    const { code, text } = await say(line);
    expect([code, text], line).toEqual([0, expect.any(String)]);
    return text;
  }
  const certificatesOf = (file: string): Certificate[] =>
    readPkiItems(readFileSync(at(file)))
      .filter(({ label }) => label === "CERTIFICATE")
      .map(({ der }) => parseCertificate(der));
  async function take(file: string): Promise<void> {
    const items = certificatesOf(file).map(({ der }) => ({ kind: "certificate" as const, der }));
    await writeTrustItems(loadProvider(), at(ZONE, "trust"), items);
  }
  /** Settings of a service as far as they matter here. */
  function settings(name: string, keys: object): void {
    const config = { mode: "production", stateDir: home, hsm: { library: device.library, keys } };
    writeFileSync(at(name), JSON.stringify(config));
  }
  const key = (index: number, password?: string) => ({
    ...{ index, passwordFile: device.passwordFile(index, password) },
  });

  beforeAll(async () => {
    device = buildDevice();
    home = mkdtempSync(join(tmpdir(), "lf-keys-machine-"));
    createUnlockFile(at("ca.unlock")).fill(0);
    mkdirSync(at(ZONE, "config"), { recursive: true });
    const cli = {
      zone: ZONE,
      node: `node-${ZONE}`,
      databaseUrls: {},
      anchorPath: at("anchor.json"),
    };
    const tls = { ca: "unused", cert: "unused", key: "unused" };
    writeFileSync(at(ZONE, "config", "cli.json"), JSON.stringify({ ...cli, tls, peers: {} }));
    const common = "--unlock-file @ca.unlock --organisation org";
    await run(`init --role root --ca @ca/root ${common} --out @root.pem`);
    await run(
      `init --role issuer --zone ${ZONE} --ca @ca/${ZONE} ${common} --root @ca/root --root-unlock-file @ca.unlock`,
    );
    await run(
      `init --role node --zone ${ZONE} --pin @root.pem --organisation org --out @node.csr --yes`,
    );
    settings("seal.json", { sign: [key(1)] });
    settings("front-proxy.json", { encrypt: [key(2)] });
  });
  afterAll(() => {
    device.remove();
    rmSync(home, { recursive: true, force: true });
  });

  test("an encryption key is vouched for by the node's certified signing key, and by no other", async () => {
    const ask = `request --zone ${ZONE} --use encrypt --organisation org --hsm @front-proxy.json`;
    const early = await say(`${ask} --out @early.csr`);
    expect([early.code === 0, early.text]).toEqual([
      false,
      expect.stringContaining("no certified signing key"),
    ]);
    await run(`issue ${CA} --request @node.csr --out @node.pem --yes`);
    await take("node.pem");
    await run(`${ask} --out @encrypt.csr`);
    const shown = await run(`issue ${CA} --request @encrypt.csr --out @encrypt.pem --yes`);
    const signing = certificatesOf("node.pem").find(({ identity }) => identity?.use === "sign");
    expect(shown).toContain(`签名密钥 ${signing?.keyId} 担保`);
    expect(certificatesOf("encrypt.pem")[0]).toMatchObject({
      demo: false,
      identity: { zone: ZONE, node: `node-${ZONE}`, use: "encrypt" },
    });
    // Revoked, the signing key vouches for nothing any more.
    settings("next.json", { encrypt: [key(3)] });
    await run(`${ask.replace("front-proxy", "next")} --out @next.csr`);
    await run(
      `revoke ${CA} --serial ${signing?.serial} --reason keyCompromise --out @list.pem --yes`,
    );
    const late = await say(`issue ${CA} --request @next.csr --out @next.pem --yes`);
    expect([late.code === 0, late.text]).toEqual([
      false,
      expect.stringContaining("not signed by its own key"),
    ]);
  });

  test("a signing key signs for itself; a key is asked for once, and by its use", async () => {
    const ask = `request --zone ${ZONE} --organisation org --hsm @seal.json`;
    await run(`${ask} --use sign --out @sign.csr`);
    await run(`issue ${CA} --request @sign.csr --out @sign.pem --yes`);
    await take("sign.pem");
    const again = await say(`${ask} --use sign --out @again.csr`);
    expect(again.code).not.toBe(0);
    // The self-test of the machine and the request: all that its key was used for.
    const asked = readKeyActions(at(ZONE, "keys", "key-actions")).entries.findLast(
      (entry) => entry.event === "ended" && entry.outcome === "ok",
    );
    const [certificate] = certificatesOf("sign.pem");
    const signed = { keyId: certificate?.keyId, operation: "sign", count: 2 };
    expect(asked).toMatchObject({ verb: "keys request", uses: expect.arrayContaining([signed]) });
    const other = await say(`${ask} --use encrypt --out @other.csr`);
    expect(other.text).toContain("key.unknown");
  });

  test("a refused password is said, and not offered to the machine again", async () => {
    settings("wrong.json", { sign: [key(4, "password-9")] });
    const ask = `request --zone ${ZONE} --use sign --organisation org --hsm @wrong.json --out @w.csr`;
    expect((await say(ask)).text).toContain("sm.hsm-password");
    expect((await say(ask)).text).toContain("unchanged since the device refused it");
    expect(device.wrongPasswords()).toBe(1);
  });
});
