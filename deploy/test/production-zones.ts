/** Both zones made for production by commands and files alone, as deploy/README.md says; who starts them is the test's business. */
import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { RegistryDocument } from "@lightferry/proto/registry";
import { expect } from "vitest";
import { cli } from "../drills/cli.ts";
import { submitRequest } from "../drills/integrator.ts";
import { ApiClient } from "../src/demo/api-client.ts";
import { CALLERS, nodeIdOf, ZONES, type ZoneName, zonePaths, zonePorts } from "../src/layout.ts";
import { REPOSITORY } from "../src/repository.ts";
import { demoRegistry } from "../src/setup/demo-registry.ts";
import { until } from "./until.ts";

export const LIMIT_MS = 180_000;

interface Exchange {
  readonly state: string;
}

export class ProductionZones {
  readonly folder: string;
  readonly home: string;
  readonly portBase: number;

  constructor(folder: string, portBase: number) {
    this.folder = folder;
    this.home = join(folder, "home");
    this.portBase = portBase;
    for (const name of ["root", "authority", ...ZONES]) {
      writeFileSync(this.at(`${name}.pass`), `correct horse battery ${name}\n`, { mode: 0o600 });
    }
  }

  at(name: string): string {
    return join(this.folder, name);
  }

  /** Words of a command; `@name` is a file in the test's folder. */
  async run<T>(line: string): Promise<T> {
    const words = line
      .split(" ")
      .map((word) => (word.startsWith("@") ? this.at(word.slice(1)) : word));
    const { code, out, err } = await cli(this.home, [...words, "--json"]);
    expect(code, `${line}\n${out}${err}`).toBe(0);
    return JSON.parse(out) as T;
  }

  /** @param setup further words for `lightferry setup` of a zone. */
  async certify(setup: (zone: ZoneName) => string = () => ""): Promise<void> {
    const root = "--ca @ca/root --passphrase-file @root.pass";
    await this.run(`keys init --role root ${root} --organisation 单位 --name 根CA --out @root.pem`);
    // The people of both zones at the same time; the root's, one request after the other.
    let turn: Promise<unknown> = Promise.resolve();
    const byRoot = (zone: ZoneName): Promise<unknown> => {
      turn = turn.then(() =>
        this.run(`keys issue ${root} --request @${zone}-ca.csr --out @${zone}-ca.pem --yes`),
      );
      return turn;
    };
    await Promise.all(
      ZONES.map(async (zone) => {
        const ca = `--ca @ca/${zone} --passphrase-file @${zone}.pass`;
        await this.run(
          `keys init --role issuer --zone ${zone} ${ca} --organisation 单位 --out @${zone}-ca.csr`,
        );
        await byRoot(zone);
        await this.run(`keys import @${zone}-ca.pem ${ca} --yes`);
        const words = `--port-base ${this.portBase} --unlock-dir @unlock/${zone} ${setup(zone)}`;
        await this.run(`setup --zone ${zone} ${words}`.trim());
        await this.run(
          `keys init --role node --zone ${zone} --organisation 单位 --pin @root.pem --out @${zone}.csr --yes`,
        );
        await this.run(`keys issue ${ca} --request @${zone}.csr --out @${zone}.pem --yes`);
      }),
    );
  }

  /** A registry that a person would write; the demonstration's serves as its model. */
  #writeRegistry(): void {
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
    writeFileSync(this.at("registry.json"), JSON.stringify(document));
  }

  async signWhatMayCross(): Promise<void> {
    const key = "--key @authority/authority.key.json --passphrase-file @authority.pass";
    await this.run("policy init-authority --dir @authority --passphrase-file @authority.pass");
    this.#writeRegistry();
    const pack = readFileSync(join(REPOSITORY, "policy/packs/demo.yaml"), "utf8");
    writeFileSync(this.at("pack.yaml"), pack.replace(/^demo: true$/m, "demo: false"));
    await Promise.all([
      this.run(`policy sign-registry --registry @registry.json ${key} --out @registry.sig`),
      this.run(`policy sign-pack --pack @pack.yaml ${key} --out @pack.sig`),
    ]);
    copyFileSync(this.at("authority/anchor.json"), this.at("anchor.json"));
    for (const zone of ZONES) {
      for (const name of [
        "registry.json",
        "registry.sig",
        "pack.yaml",
        "pack.sig",
        "anchor.json",
      ]) {
        copyFileSync(this.at(name), join(zonePaths(this.home, zone).registry, name));
      }
    }
  }

  /** Takes in the certificates of both zones, as soon as policy answers. */
  async importCertificates(): Promise<void> {
    await Promise.all(
      ZONES.map(async (zone) => {
        // policy answers before any certificate is there; that is how they come in.
        await until(
          `policy of ${zone}`,
          async () => {
            const { code } = await cli(this.home, ["keys", "list", "--zone", zone, "--json"]);
            return code === 0;
          },
          LIMIT_MS,
        );
        for (const from of ZONES) {
          await this.run(`keys import @${from}-ca.pem @${from}.pem --zone ${zone}`);
        }
      }),
    );
  }

  /** Submits one request in the extranet and waits until the business zone has delivered it. */
  async oneCrosses(): Promise<void> {
    const { token } = await this.run<{ token: string }>(
      `token issue ${CALLERS.extranet} --zone extranet`,
    );
    const { api } = zonePorts("extranet", this.portBase);
    const ca = readFileSync(join(zonePaths(this.home, "extranet").tls, "ca.pem"));
    const client = new ApiClient(`https://127.0.0.1:${api}`, ca, token);
    const parcel = { parcel: "510104001001GB00001" };
    const deadline = Date.now() + LIMIT_MS;
    const answer = await submitRequest(
      ...([client, "land-registration", "/records", "one", parcel, deadline] as const),
    );
    expect(answer.status).toBe(202);
    await until(
      "delivery",
      async () => {
        const { exchanges } = await this.run<{ exchanges: Exchange[] }>(
          "exchange list --zone business",
        );
        return exchanges.some(({ state }) => state === "delivered");
      },
      LIMIT_MS,
    );
  }
}
