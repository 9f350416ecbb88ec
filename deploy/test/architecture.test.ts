import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { describe, expect, it } from "vitest";
import { REPOSITORY } from "../src/repository.ts";

/** What each part of proto may import of proto (proto/README.md has the same table). */
const PROTO_ORDER: Readonly<Record<string, readonly string[]>> = {
  gen: [],
  errors: [],
  canonical: ["errors", "gen"],
  ids: ["errors"],
  merkle: ["errors"],
  sm: ["errors"],
  keystore: ["errors", "sm"],
  registry: ["errors", "gen", "sm"],
  pki: ["errors", "sm", "keystore"],
  trust: ["errors", "gen", "sm", "registry", "pki"],
  verdict: ["errors", "gen", "canonical", "ids", "merkle", "sm", "registry"],
  bundle: ["errors", "gen", "canonical", "ids", "merkle", "sm", "registry", "verdict"],
  proof: ["errors", "gen", "canonical", "merkle", "sm", "verdict", "bundle"],
  cms: ["errors", "sm", "bundle"],
  "link-key": ["errors", "sm"],
  receipt: ["errors", "gen", "canonical", "ids", "sm"],
  rpc: ["errors", "gen", "canonical", "pki"],
  event: ["errors", "gen", "canonical", "ids", "rpc"],
  service: [
    ...["errors", "gen", "canonical", "ids", "sm", "rpc", "event", "registry"],
    ...["keystore", "pki", "trust"],
  ],
  cli: ["errors", "gen", "ids", "rpc", "service"],
  testing: [
    ...["errors", "gen", "rpc", "service", "sm", "registry", "keystore", "verdict", "ids"],
    ...["pki", "trust", "canonical", "bundle", "cli"],
  ],
};

const SERVICES = ["front-proxy", "ferry", "policy", "audit"];
const FOLDERS = [...SERVICES, "proto", "deploy"];

const files = execFileSync(
  "git",
  ["ls-files", "--cached", "--others", "--exclude-standard", "*.ts"],
  {
    cwd: REPOSITORY,
    encoding: "utf8",
  },
)
  .split("\n")
  .filter(
    (file) =>
      file !== "" &&
      !file.includes("/gen/") &&
      !file.endsWith(".d.ts") &&
      existsSync(join(REPOSITORY, file)),
  );
const sources = files.filter((file) => /^[a-z-]+\/(src|cli|drills|bench)\//.test(file));
const textOf = (file: string) => readFileSync(join(REPOSITORY, file), "utf8");
const importsOf = (file: string) =>
  [...textOf(file).matchAll(/(?:from|import)\s*\(?"([^"]+)"/g)].map((match) => match[1] ?? "");

describe("the house", () => {
  it("keeps the order inside proto", () => {
    const faults: string[] = [];
    for (const file of sources.filter((name) => name.startsWith("proto/src/"))) {
      const part = file.split("/")[2]?.replace(/\.ts$/, "") ?? "";
      for (const target of importsOf(file).filter((name) => name.startsWith("."))) {
        const to =
          normalize(join(dirname(file), target))
            .split("/")[2]
            ?.replace(/\.(ts|js)$/, "") ?? "";
        if (to !== part && PROTO_ORDER[part]?.includes(to) !== true) faults.push(`${file} → ${to}`);
      }
    }
    expect(faults).toEqual([]);
  });

  it("lets no service import another, and deploy none", () => {
    const faults = sources.flatMap((file) => {
      const own = file.split("/")[0] ?? "";
      return importsOf(file)
        .filter((target) => {
          const away = target.startsWith(".")
            ? normalize(join(dirname(file), target)).split("/")[0]
            : target.match(/^@lightferry\/([a-z-]+)/)?.[1];
          return away !== undefined && away !== own && away !== "proto" && FOLDERS.includes(away);
        })
        .map((target) => `${file} → ${target}`);
    });
    expect(faults).toEqual([]);
  });

  it("imports test support from tests alone", () => {
    const faults = sources.filter(
      (file) =>
        !file.startsWith("proto/src/testing/") &&
        importsOf(file).includes("@lightferry/proto/testing"),
    );
    expect(faults).toEqual([]);
  });

  it("throws no plain Error in a service or in proto", () => {
    const faults = sources.filter(
      (file) => /^[a-z-]+\/(src|cli)\//.test(file) && /throw new Error\(/.test(textOf(file)),
    );
    expect(faults).toEqual([]);
  });

  it("opens every module with what it guarantees", () => {
    const faults = sources.filter(
      (file) => !/^(#!.*\n)?\/\*\*[\s\S]*?Guarantee:/.test(textOf(file)),
    );
    expect(faults).toEqual([]);
  });

  it("has no junk drawer and no file past one job", () => {
    const drawers = files.filter((file) =>
      /\/(common|utils?|helpers?|lib|misc)(\/|\.ts$)/.test(file),
    );
    const long = files.filter(
      // A table of error codes is data: it is as long as there are codes.
      (file) => !file.startsWith("proto/src/errors/") && textOf(file).split("\n").length > 400,
    );
    expect([...drawers, ...long]).toEqual([]);
  });

  it("has a README in every folder of the house", () => {
    expect(FOLDERS.filter((folder) => !existsSync(join(REPOSITORY, folder, "README.md")))).toEqual(
      [],
    );
  });
});
