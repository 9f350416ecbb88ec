/**
 * Both zones brought up for production as deploy/README.md says, by commands
 * and files alone: root, issuing CAs, node keys, authority, registry, pack. The
 * services that must wait for certificates do, and one request crosses.
 */
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { RegistryDocument } from "@lightferry/proto/registry";
import { afterAll, beforeAll, expect, it } from "vitest";
import { cli } from "../drills/cli.ts";
import { submitRequest } from "../drills/integrator.ts";
import { freePortBase } from "../drills/zones.ts";
import { ApiClient } from "../src/demo/api-client.ts";
import { CALLERS, nodeIdOf, ZONES, zonePaths, zonePorts } from "../src/layout.ts";
import { REPOSITORY } from "../src/repository.ts";
import { demoRegistry } from "../src/setup/demo-registry.ts";
import { ZoneProcess } from "../src/zone/zone-process.ts";

const LIMIT_MS = 180_000;
const POLL_MS = 200;

let folder: string;
let home: string;
const running: ZoneProcess[] = [];

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "lightferry-production-setup-"));
  home = join(folder, "home");
  for (const name of ["root", "authority", ...ZONES]) {
    writeFileSync(join(folder, `${name}.pass`), `correct horse battery ${name}\n`, { mode: 0o600 });
  }
});

afterAll(async () => {
  await Promise.all(running.map((zone) => zone.stop()));
  rmSync(folder, { recursive: true, force: true });
});

const at = (name: string): string => join(folder, name);

/** Words of a command; `@name` is a file in the test's folder. */
async function run<T>(line: string): Promise<T> {
  const words = line.split(" ").map((word) => (word.startsWith("@") ? at(word.slice(1)) : word));
  const { code, out, err } = await cli(home, [...words, "--json"]);
  expect(code, `${line}\n${out}${err}`).toBe(0);
  return JSON.parse(out) as T;
}

/** A registry that a person would write; the demonstration's serves as its model. */
function writeRegistry(): void {
  const model = demoRegistry(
    ZONES.map((zone) => ({
      ...{ zone, node: nodeIdOf(zone), demo: false, requests: [] },
      callerCertificateSha256: "0".repeat(64),
    })),
    undefined,
  );
  const document: RegistryDocument = {
    ...{ ...model, number: 1, demo: false },
    callers: model.callers.map((caller) => ({ ...caller, certificateSha256: [] })),
  };
  writeFileSync(at("registry.json"), JSON.stringify(document));
}

async function certifyZones(portBase: number): Promise<void> {
  const root = "--ca @ca/root --passphrase-file @root.pass";
  await run(`keys init --role root ${root} --organisation 单位 --name 根CA --out @root.pem`);
  for (const zone of ZONES) {
    const ca = `--ca @ca/${zone} --passphrase-file @${zone}.pass`;
    await run(
      `keys init --role issuer --zone ${zone} ${ca} --organisation 单位 --out @${zone}-ca.csr`,
    );
    await run(`keys issue ${root} --request @${zone}-ca.csr --out @${zone}-ca.pem --yes`);
    await run(`keys import @${zone}-ca.pem ${ca} --yes`);
    await run(`setup --zone ${zone} --port-base ${portBase} --unlock-dir @unlock/${zone}`);
    await run(
      `keys init --role node --zone ${zone} --organisation 单位 --pin @root.pem --out @${zone}.csr --yes`,
    );
    await run(`keys issue ${ca} --request @${zone}.csr --out @${zone}.pem --yes`);
  }
}

async function signWhatMayCross(): Promise<void> {
  const key = "--key @authority/authority.key.json --passphrase-file @authority.pass";
  await run("policy init-authority --dir @authority --passphrase-file @authority.pass");
  writeRegistry();
  const pack = readFileSync(join(REPOSITORY, "policy/packs/demo.yaml"), "utf8");
  writeFileSync(at("pack.yaml"), pack.replace(/^demo: true$/m, "demo: false"));
  await run(`policy sign-registry --registry @registry.json ${key} --out @registry.sig`);
  await run(`policy sign-pack --pack @pack.yaml ${key} --out @pack.sig`);
  copyFileSync(at("authority/anchor.json"), at("anchor.json"));
  for (const zone of ZONES) {
    for (const name of ["registry.json", "registry.sig", "pack.yaml", "pack.sig", "anchor.json"]) {
      copyFileSync(at(name), join(zonePaths(home, zone).registry, name));
    }
  }
}

async function until<T>(what: string, ask: () => Promise<T | undefined>): Promise<T> {
  const deadline = Date.now() + LIMIT_MS;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (Date.now() > deadline) expect.unreachable(what);
    await delay(POLL_MS);
  }
}

interface Exchange {
  readonly state: string;
}

it("comes up by commands alone, and a request crosses", { timeout: 3 * LIMIT_MS }, async () => {
  const portBase = await freePortBase();
  await certifyZones(portBase);
  await signWhatMayCross();
  for (const zone of ZONES) running.push(new ZoneProcess(home, zone, () => undefined));
  for (const zone of ZONES) {
    // policy answers before any certificate is there; that is how they come in.
    await until(`policy of ${zone}`, async () => {
      const { code } = await cli(home, ["keys", "list", "--zone", zone, "--json"]);
      return code === 0 ? true : undefined;
    });
    for (const from of ZONES) {
      await run(`keys import @${from}-ca.pem @${from}.pem --zone ${zone}`);
    }
  }
  await Promise.all(running.map((zone) => zone.ready));

  const { token } = await run<{ token: string }>(`token issue ${CALLERS.extranet} --zone extranet`);
  const { api } = zonePorts("extranet", portBase);
  const ca = readFileSync(join(zonePaths(home, "extranet").tls, "ca.pem"));
  const client = new ApiClient(`https://127.0.0.1:${api}`, ca, token);
  const parcel = { parcel: "510104001001GB00001" };
  const deadline = Date.now() + LIMIT_MS;
  const answer = await submitRequest(
    client,
    "land-registration",
    "/records",
    "one",
    parcel,
    deadline,
  );
  expect(answer.status).toBe(202);
  await until("delivery", async () => {
    const { exchanges } = await run<{ exchanges: Exchange[] }>("exchange list --zone business");
    return exchanges.some(({ state }) => state === "delivered") ? true : undefined;
  });
  for (const zone of ZONES) await run(`audit verify --zone ${zone}`);
  const again = await cli(home, ["setup", "--zone", "extranet", "--json"]);
  expect(again.code).toBe(2);
});
