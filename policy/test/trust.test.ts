/** The trust store of a zone: what enters, what is refused, what is told, and that it stays. */
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import type { lightferry } from "@lightferry/proto/gen";
import { KeyRing } from "@lightferry/proto/keystore";
import {
  createRequest,
  issueCertificate,
  issueRevocationList,
  parseCertificate,
} from "@lightferry/proto/pki";
import { activeKey } from "@lightferry/proto/service";
import { testPki } from "@lightferry/proto/testing";
import { MAX_TRUST_BYTES, MAX_ZONE_TRUST_BYTES, type TrustStore } from "@lightferry/proto/trust";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { judgeAll } from "../src/trust/judge-all.ts";
import { TrustKeeper } from "../src/trust/keeper.ts";
import { provider } from "./plan.ts";
import { FAR_NODE, NODE, ORIGIN, type TrustWorld, trustWorld } from "./trust-world.ts";

let world: TrustWorld;
beforeEach(async () => {
  world = await trustWorld();
});
afterEach(() => world.close());

type Result = lightferry.policy.v1.ImportResult.$Properties;
const short = (results: readonly Result[]) =>
  results.map(({ kind, status, code }) =>
    [kind, status, code].filter((part) => part !== "").join(" "),
  );
const import_ = async (...items: Uint8Array[]) => short(await world.keeper.import(items, ORIGIN));
const certificateOf = (keyId: string) =>
  world.pki.store.certificate(keyId)?.der ?? new Uint8Array();

describe("import", () => {
  test("a new certificate enters, once; its event says which, and who brought it", async () => {
    const keyId = world.pki.rotate(FAR_NODE, "encrypt", { notBeforeMs: Date.now() });
    const der = certificateOf(keyId);
    world.told();
    const before = world.keeper.version;
    expect(await import_(der, der)).toEqual(["certificate new", "certificate known"]);
    expect(world.keeper.version).toBeGreaterThan(before);
    expect(world.keeper.current().certificate(keyId)?.keyId).toBe(keyId);
    expect(world.events).toMatchObject([
      {
        type: "trust.imported",
        outcome: "ok",
        actor: "operator",
        digest: provider.sm3(der),
        attributes: {
          kind: "certificate",
          source: "medium",
          subject: `lightferry://business/${FAR_NODE}/encrypt`,
          number: parseCertificate(der).serial,
        },
      },
    ]);
    const settled = world.keeper.version;
    expect(await import_(der)).toEqual(["certificate known"]);
    expect(world.keeper.version).toBe(settled);
    expect(world.events).toHaveLength(1);
  });

  test("a list is told with its number and how much it revokes; an older one is stale", async () => {
    const keyId = world.pki.keyId(FAR_NODE, "sign");
    const second = world.pki.revoke(keyId, "keyCompromise");
    const third = world.pki.publish("business");
    world.told();
    expect(await import_(third)).toEqual(["revocation-list new"]);
    expect(await import_(second)).toEqual(["revocation-list stale trust.stale"]);
    const issuer = world.pki.issuer("business").certificate.subject;
    expect(world.told()).toEqual([
      {
        type: "trust.imported",
        outcome: "ok",
        code: "",
        attributes: {
          kind: "revocation-list",
          source: "medium",
          subject: issuer,
          number: "3",
          count: "1",
        },
      },
      {
        type: "trust.refused",
        outcome: "refused",
        code: "trust.stale",
        attributes: { kind: "revocation-list", source: "medium", subject: issuer, number: "2" },
      },
    ]);
    expect(() => world.keeper.current().keyDirectory().signKey(FAR_NODE, keyId)).toThrow(
      expect.objectContaining({ code: "certificate.revoked" }),
    );
    // The list that was replaced is gone from the folder, the one in force is there.
    const lists = readdirSync(world.folder).filter((name) => name.startsWith("revocation-list-"));
    expect(lists).toHaveLength(world.keeper.current().revocationLists.length);
  });

  test("two lists of one number: the first stays, the second is refused by its own name", async () => {
    const plan = { number: 7, thisUpdateMs: Date.now(), nextUpdateMs: Date.now() + 1e9 };
    const { serial } = world.pki.store.certificate(world.pki.keyId(FAR_NODE, "sign")) ?? {};
    const issue = (entries: { serial: string; revokedMs: number; reason: "superseded" }[]) =>
      issueRevocationList(provider, world.pki.issuer("business"), { ...plan, entries });
    const first = issue([]);
    const second = issue([{ serial: serial ?? "", revokedMs: Date.now(), reason: "superseded" }]);
    expect(await import_(first, second)).toEqual([
      "revocation-list new",
      "revocation-list refused trust.list-conflict",
    ]);
    expect(await import_(second, first)).toEqual([
      "revocation-list refused trust.list-conflict",
      "revocation-list known",
    ]);
  });

  test("both zones whole, in any order, into a store that has only the pinned root", async () => {
    const items = world.pki.items.slice(1);
    const sorted = (list: readonly { readonly digest: string }[]) =>
      list.map(({ digest }) => digest).sort();
    await fc.assert(
      fc.asyncProperty(
        fc.shuffledSubarray(items, { minLength: items.length }),
        async (shuffled) => {
          const folder = mkdtempSync(join(world.stateDir, "empty-"));
          const journal = { record: async () => undefined };
          const keeper = await TrustKeeper.open({
            ...{ provider, folder, root: world.pki.root, mode: "demo", journal, now: Date.now },
          });
          const results = await keeper.import(shuffled, ORIGIN);
          expect(new Set(results.map(({ status }) => status))).toEqual(new Set(["new"]));
          const store = keeper.current();
          expect(sorted(store.certificates)).toEqual(sorted(world.pki.store.certificates));
          expect(sorted(store.revocationLists)).toEqual(sorted(world.pki.store.revocationLists));
        },
      ),
      { numRuns: 5 },
    );
  });

  test("a CA that floods the store fills its own share alone: the list that revokes it still enters", async () => {
    const flooder = world.pki.issuer("business");
    const key = provider.generateSm2();
    const identity = { zone: "business", node: FAR_NODE, use: "sign" } as const;
    const subject = { identity, organisation: "test", demo: true };
    const request = createRequest(provider, key, subject);
    const span = { notBeforeMs: 0, notAfterMs: Date.UTC(2040, 0, 1) };
    const issue = () => issueCertificate(provider, flooder, request, span);
    const present = world.keeper
      .current()
      .certificates.filter(({ role, zone }) => role === "node" && zone === "business");
    const used = present.reduce((sum, { der }) => sum + der.length, 0);
    // Serials and signatures may be a byte shorter, so three certificates and a half.
    await world.reopen(used + Math.round(issue().length * 3.5));
    const told = await import_(...Array.from({ length: 6 }, issue));
    expect(told.slice(0, 3)).toEqual(Array(3).fill("certificate new"));
    expect(told.slice(3)).toEqual(Array(3).fill("certificate refused trust.store-full"));
    expect(MAX_ZONE_TRUST_BYTES * 2).toBeLessThan(MAX_TRUST_BYTES);
    const own = world.pki.rotate(NODE, "sign", { notBeforeMs: Date.now() });
    const caList = world.pki.publish("business");
    const rootList = world.pki.revoke(flooder.certificate.keyId, "cACompromise");
    expect(await import_(issue(), certificateOf(own), caList, rootList)).toEqual([
      "certificate refused trust.store-full",
      "certificate new",
      "revocation-list new",
      "revocation-list new",
    ]);
    const sealing = world.pki.keyId(FAR_NODE, "sign");
    const certificate = world.keeper.current().certificate(sealing);
    expect(certificate && world.keeper.current().faultOf(certificate, Date.now())).toBe(
      "certificate.revoked",
    );
    key.destroy();
  });

  test("what is no certificate is read once, however many rounds the certificates of a call take", () => {
    const real = world.keeper.current();
    const judged = new Map<Uint8Array, number>();
    const counting = {
      certificates: [],
      revocationLists: [],
      judge: (item: Uint8Array, nowMs: number) => {
        judged.set(item, (judged.get(item) ?? 0) + 1);
        return real.judge(item, nowMs);
      },
    } as unknown as TrustStore;
    world.pki.rotate(FAR_NODE, "sign", { notBeforeMs: Date.now() });
    const once = [world.pki.list("business"), world.pki.list(), Buffer.from("junk")];
    const all = [...new Set([...world.pki.items, ...once])];
    const { results } = judgeAll(counting, all, Date.now(), () => counting);
    expect(results).toHaveLength(all.length);
    expect(results.some(({ kind, status }) => kind === "certificate" && status === "new")).toBe(
      true,
    );
    for (const item of once) expect(judged.get(item)).toBe(1);
  });

  test("nothing of another root enters, and no junk", async () => {
    const stranger = await testPki({ zones: { extranet: NODE } });
    const version = world.keeper.version;
    const foreign = await import_(...stranger.items);
    expect(new Set(foreign)).toEqual(
      new Set([
        "certificate refused certificate.untrusted",
        "revocation-list refused certificate.untrusted",
      ]),
    );
    const cut = stranger.items[1]?.subarray(0, 90) ?? new Uint8Array();
    expect(await import_(Buffer.from("junk"), new Uint8Array(), cut)).toEqual([
      "unknown refused certificate.malformed",
      "unknown refused certificate.malformed",
      expect.stringMatching(/refused certificate\.malformed$/),
    ]);
    expect(world.keeper.version).toBe(version);
    await stranger.cleanup();
  });

  test("a disk that takes nothing: refused, told, and nothing has changed", async () => {
    const keyId = world.pki.rotate(FAR_NODE, "sign", { notBeforeMs: Date.now() });
    const der = certificateOf(keyId);
    const before = world.keeper.version;
    world.told();
    // Root writes into closed folders too, so a folder lies where the file is to be written.
    const name = `certificate-${Buffer.from(provider.sm3(der)).toString("hex")}.der.next`;
    const blocked = join(world.folder, name);
    mkdirSync(blocked);
    await expect(import_(certificateOf(keyId))).rejects.toMatchObject({
      code: "trust.store-invalid",
    });
    rmdirSync(blocked);
    expect(world.told().map(({ type, code }) => [type, code])).toEqual([
      ["trust.imported", ""],
      ["trust.refused", "trust.store-invalid"],
    ]);
    expect(world.keeper.version).toBe(before);
    expect(world.keeper.current().certificate(keyId)).toBeUndefined();
    expect(await import_(certificateOf(keyId))).toEqual(["certificate new"]);
  });
});

describe("denial", () => {
  const denial = (keyId: string, reason = "失窃") => ({
    ...{ keyId, reason, actor: "operator", deniedMs: 5 },
  });

  test("counts at once, for every use, until it is lifted; the first decision stands", async () => {
    const keyId = world.pki.keyId(FAR_NODE, "ferry");
    const ferryKey = () => world.keeper.current().keyDirectory().ferryKey(FAR_NODE, keyId);
    world.told();
    expect(ferryKey()).toBeDefined();
    const version = await world.keeper.deny(denial(keyId), false);
    expect(ferryKey).toThrow(expect.objectContaining({ code: "certificate.denied" }));
    expect(await world.keeper.deny(denial(keyId, "again"), false)).toBe(version);
    expect(world.keeper.set.denials).toEqual([denial(keyId)]);
    await world.reopen();
    expect(ferryKey).toThrow(expect.objectContaining({ code: "certificate.denied" }));
    await world.keeper.deny(denial(keyId, "已找回"), true);
    expect(ferryKey()).toBeDefined();
    expect(world.told().map(({ type, attributes }) => [type, attributes.reason ?? ""])).toEqual([
      ["trust.key-denied", "失窃"],
      ["trust.loaded", ""],
      ["trust.key-denial-lifted", "已找回"],
    ]);
  });
});

describe("across restarts", () => {
  test("everything is there again, under a higher version", async () => {
    const list = world.pki.revoke(world.pki.keyId(FAR_NODE, "sign"), "superseded");
    await import_(list);
    const { certificates, revocationLists } = world.keeper.set;
    const version = world.keeper.version;
    await world.reopen();
    expect(world.keeper.version).toBeGreaterThan(version);
    const sorted = (items: Uint8Array[] | null | undefined) =>
      (items ?? []).map((item) => Buffer.from(item).toString("hex")).sort();
    expect(sorted(world.keeper.set.certificates)).toEqual(sorted(certificates));
    expect(sorted(world.keeper.set.revocationLists)).toEqual(sorted(revocationLists));
  });

  test("the version rises even when folder and clock were put back", async () => {
    const path = join(world.folder, "state.json");
    const old = readFileSync(path);
    world.nowMs += 1_000;
    await world.keeper.deny({ keyId: "0".repeat(32), deniedMs: 1, reason: "", actor: "o" }, false);
    const reached = world.keeper.version;
    writeFileSync(path, old);
    world.nowMs += 1_000;
    await world.reopen();
    expect(world.keeper.version).toBeGreaterThan(reached);
    world.nowMs -= 1_000_000;
    const present = world.keeper.version;
    await world.reopen();
    expect(world.keeper.version).toBe(present + 1);
  });

  test("an item that no longer verifies has no effect and is said; a damaged one stops the start", async () => {
    const stranger = await testPki({ zones: { extranet: NODE } });
    const [, foreign = new Uint8Array()] = stranger.items;
    const digest = Buffer.from(provider.sm3(foreign)).toString("hex");
    const path = join(world.folder, `certificate-${digest}.der`);
    writeFileSync(path, foreign);
    const before = world.keeper.current().certificates.length;
    world.told();
    await world.reopen();
    expect(world.keeper.current().certificates).toHaveLength(before);
    expect(world.told()).toMatchObject([
      {
        type: "trust.loaded",
        outcome: "error",
        code: "certificate.untrusted",
        attributes: { rejected: "1", lists: "3", denials: "0" },
      },
    ]);
    writeFileSync(path, foreign.subarray(1));
    await expect(world.reopen()).rejects.toMatchObject({ code: "trust.store-invalid" });
    await stranger.cleanup();
  });
});

test("verdicts are signed by the key in force: a rotation switches at its time, a revocation at once", async () => {
  const { pki } = world;
  const ring = KeyRing.open({
    dir: pki.ringDir(NODE, "policy"),
    unlock: { file: pki.unlockPath(NODE, "policy") },
    use: "policy-sign",
    mode: "demo",
  });
  const signer = (atMs: number) =>
    activeKey({ node: NODE, zone: "extranet" }, "policy", ring, world.keeper.current(), atMs);
  const old = pki.keyId(NODE, "policy");
  const at = Date.UTC(2026, 0, 1);
  const fresh = pki.rotate(NODE, "policy", { notBeforeMs: at });
  await import_(certificateOf(fresh));
  // The certificate alone is not enough: the key must be in the ring.
  expect(signer(at).keyId).toBe(old);
  ring.refresh();
  expect([signer(at - 1).keyId, signer(at).keyId]).toEqual([old, fresh]);
  await import_(pki.revoke(fresh, "superseded", at + 5_000));
  expect([signer(at + 4_999).keyId, signer(at + 5_000).keyId]).toEqual([fresh, old]);
  await import_(pki.revoke(old, "keyCompromise"));
  expect(() => signer(at + 5_000)).toThrow(
    expect.objectContaining({ code: "certificate.unknown" }),
  );
  ring.close();
});
