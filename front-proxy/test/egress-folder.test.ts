/** Watched folders: dropped by rename, submitted once, the fate written beside. */
import { execFileSync } from "node:child_process";
import {
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  symlink,
  utimes,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { GatewayError } from "@lightferry/proto/errors";
import { lightferry } from "@lightferry/proto/gen";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { writeRefusedFate } from "../src/egress/folder/fate.ts";
import { createEgressWorld, type EgressWorld } from "./support/egress-world.ts";

const { Decision } = lightferry.policy.v1;
let world: EgressWorld;
let outgoing: string;
let folder: string;
const watch = () => ({ outgoingDir: outgoing, caller: "city", grade: "", purpose: "" });

beforeAll(async () => {
  outgoing = await mkdtemp(join(tmpdir(), "lf-outgoing-"));
  folder = join(outgoing, "inbound", "maps");
  await mkdir(folder, { recursive: true });
  world = await createEgressWorld();
  await world.start({ watch: watch() });
});
afterAll(async () => {
  await world.close();
  await rm(outgoing, { recursive: true, force: true });
});
beforeEach(() => {
  world.peers.rule = () => ({});
  world.peers.policyDown = false;
});

/** As a business system does it: written under a hidden name, then renamed. */
async function drop(name: string, content: string, note?: object, dir = folder): Promise<void> {
  if (note !== undefined) await place(dir, `${name}.json`, JSON.stringify(note));
  await place(dir, name, content);
}

async function place(dir: string, name: string, content: string): Promise<void> {
  const hidden = join(dir, `.${name}.writing`);
  await writeFile(hidden, content);
  const past = new Date(Date.now() - 60_000);
  await utimes(hidden, past, past);
  await rename(hidden, join(dir, name));
}

// biome-ignore lint/suspicious/noExplicitAny: a fate has the shape of any end.
async function fateOf(name: string, state: string, dir = folder): Promise<any> {
  await expect
    .poll(async () => {
      const text = await readFile(join(dir, `${name}.fate.json`), "utf8").catch(() => "{}");
      return JSON.parse(text).state;
    })
    .toBe(state);
  return JSON.parse(await readFile(join(dir, `${name}.fate.json`), "utf8"));
}

it("has a place for every file service of an open lane, and for no other", async () => {
  await expect.poll(() => readdir(join(outgoing, "inbound"))).toEqual(["maps", "notes"]);
  expect(await readdir(outgoing)).toEqual(["inbound"]);
});

it("submits a file with the grade of its note and writes its fate", async () => {
  const grades: (string | null | undefined)[] = [];
  world.peers.rule = (submission) => {
    grades.push(submission.declaredGrade);
    return {};
  };
  await drop("图斑.csv", "a,b\n1,2\n", { grade: "G2", purpose: "survey" });
  const fate = await fateOf("图斑.csv", "permitted");
  expect(fate).toMatchObject({
    file: "图斑.csv",
    lane: "inbound",
    service: "maps",
    caller: "city",
  });
  expect(grades).toEqual(["G2"]);
  expect((await readdir(folder)).filter((name) => name.includes("图斑"))).toEqual([
    "图斑.csv.fate.json",
  ]);
});

it("follows no link and waits for no pipe that takes a file's place", async () => {
  const secret = join(outgoing, "..", `${outgoing.split("/").at(-1)}.secret`);
  await writeFile(secret, JSON.stringify({ grade: "G1" }));
  // A note that is a pipe would never be read to its end, one that is a link is not the caller's.
  execFileSync("mkfifo", [join(folder, "piped.csv.json")]);
  await place(folder, "piped.csv", "a\n");
  expect((await fateOf("piped.csv", "refused")).refusal.code).toBe("folder.not-a-file");
  await symlink(secret, join(folder, "linked.csv.json"));
  await place(folder, "linked.csv", "a\n");
  expect((await fateOf("linked.csv", "refused")).refusal.code).toBe("folder.not-a-file");
  // The fate is written beside the file, not through a link that stands in for its draft.
  const claim = { claim: "c1", folder: "inbound/maps", name: "draft.csv" };
  await symlink(secret, join(folder, ".lightferry-c1.fate.json"));
  await writeRefusedFate(outgoing, claim, new GatewayError("folder.not-a-file"));
  await fateOf("draft.csv", "refused");
  expect(await readFile(secret, "utf8")).toBe(JSON.stringify({ grade: "G1" }));
  await rm(secret);
});

it("leaves partial, hidden and noted files alone until they are whole", async () => {
  await writeFile(join(folder, "a.bin.part"), "half");
  await writeFile(join(folder, ".hidden"), "hidden");
  await place(folder, "late.csv.json", JSON.stringify({ grade: "G1" }));
  await drop("whole.csv", "x", { grade: "G1" });
  await fateOf("whole.csv", "permitted");
  expect(await readdir(folder)).toEqual(
    expect.arrayContaining(["a.bin.part", ".hidden", "late.csv.json"]),
  );
});

it("tells a refusal by policy, and gives back what the registry refuses", async () => {
  world.peers.rule = () => ({
    decision: Decision.DECISION_DENY,
    code: "policy.grade-missing",
    ruleId: "grade.required",
  });
  await drop("no-grade.csv", "x");
  const refused = await fateOf("no-grade.csv", "refused");
  expect(refused.refusal).toMatchObject({ code: "policy.grade-missing", rule: "grade.required" });

  const unknown = join(outgoing, "inbound", "nowhere");
  await mkdir(unknown);
  await drop("lost.csv", "keep me", { grade: "G1" }, unknown);
  const fate = await fateOf("lost.csv", "refused", unknown);
  expect(fate.refusal.code).toBe("submit.service-unknown");
  expect(await readFile(join(unknown, "lost.csv.refused"), "utf8")).toBe("keep me");
});

it("refuses links and broken notes with their codes", async () => {
  await symlink("/etc/hostname", join(folder, "link"));
  expect((await fateOf("link", "refused")).refusal.code).toBe("folder.not-a-file");
  await drop("odd.csv", "x", { grade: "G1", "11010519491231002X": "red" });
  const odd = await fateOf("odd.csv", "refused");
  expect(odd.refusal.code).toBe("folder.sidecar-invalid");
  // Names in it may be content; they are told to nobody.
  expect(JSON.stringify(odd)).not.toContain("11010519491231002X");
  await drop("even.csv", "x", { grade: "G1", purpose: "a\u0007b" });
  expect((await fateOf("even.csv", "refused")).refusal.detail).toBe("purpose");
});

it("submits once over a restart, and brings the fate up to date", async () => {
  world.peers.policyDown = true;
  await drop("slow.csv", "content", { grade: "G1" });
  const before = await fateOf("slow.csv", "received");
  await world.restart({ watch: watch() });
  world.peers.policyDown = false;
  const after = await fateOf("slow.csv", "permitted");
  expect(after.exchangeId).toBe(before.exchangeId);
});

it("takes up a claim that a crash left before its upload", async () => {
  await world.running.stop();
  const claim = "0198c1f0-0000-7000-8000-000000000001";
  await world.pool.query(
    "INSERT INTO folder_claim (claim, folder, name, claimed_ms) VALUES ($1, 'inbound/maps', 'crash.csv', 1)",
    [claim],
  );
  await writeFile(join(folder, `.lightferry-${claim}`), "content");
  await writeFile(join(folder, `.lightferry-${claim}.json`), JSON.stringify({ grade: "G1" }));
  await world.start({ watch: watch() });
  await fateOf("crash.csv", "permitted");
  const { rows } = await world.pool.query(
    "SELECT count(*)::int AS n FROM exchange WHERE grade = 'G1'",
  );
  expect(rows[0].n).toBeGreaterThan(0);
  expect((await readdir(folder)).filter((name) => name.startsWith(".lightferry-"))).toEqual([]);
});

it("files that wait for a person do not hold up the next one", async () => {
  world.peers.rule = () => ({ decision: Decision.DECISION_HOLD, code: "policy.content-held" });
  await drop("waits.csv", "a", { grade: "G2" });
  const { exchangeId } = await fateOf("waits.csv", "held");
  // More than a round looks at, all older than what comes next.
  await world.pool.query(
    `INSERT INTO folder_claim (claim, folder, name, exchange_id, claimed_ms, fate)
     SELECT '00000000-' || n, 'inbound/maps', 'waits-' || n, $1, 0, 'held' FROM generate_series(1, 600) n`,
    [exchangeId],
  );
  world.peers.rule = () => ({});
  await drop("next.csv", "b", { grade: "G2" });
  await fateOf("next.csv", "permitted");
});
