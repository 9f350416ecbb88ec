/**
 * Guarantee checked: a store holds exactly what leads to its root by allowed
 * steps, the newest list of each CA, and says of the rest why not; imports are
 * judged by the same rules; what a bundle passes on is in the format's limits.
 */
import { CERTIFICATE_MAX, TRUST_ITEM_MAX, TRUST_ITEMS_MAX } from "@lightferry/proto/bundle";
import {
  CERTIFICATE_MAX_BYTES,
  type Issuer,
  TRUST_ITEMS_MAX as PKI_TRUST_ITEMS_MAX,
  parseCertificate,
  TRUST_ITEM_MAX_BYTES,
  toPem,
} from "@lightferry/proto/pki";
import { TrustStore } from "@lightferry/proto/trust";
import fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import { subjectAltName } from "../src/pki/profile.ts";
import { Bounded } from "../src/trust/verified.ts";
import { codeOf } from "./code-of.ts";
import { name, nodeParts, provider, signAnything, tbsOf } from "./pki-forger.ts";
import { DAY, T0, TrustWorld } from "./trust-world.ts";

let world: TrustWorld;
let alpha: ReturnType<TrustWorld["ca"]>;
let beta: ReturnType<TrustWorld["ca"]>;

beforeEach(() => {
  world = new TrustWorld();
  alpha = world.ca("alpha");
  beta = world.ca("beta");
});

/** A node certificate that a CA signed although it may not. */
function forged(by: Issuer, byName: string, identity: string, signer = by.key): Uint8Array {
  const parts = nodeParts(by.key, provider.generateSm2());
  parts.issuer = name(byName);
  parts.extensions.san = subjectAltName(identity);
  return signAnything(signer, tbsOf(parts));
}

const rejections = (store = world.store()) => store.rejected.map(({ code }) => code);

describe("building", () => {
  it("takes what leads to the root, in any order, each once", () => {
    world.node(alpha, "gw-a", "sign");
    world.node(beta, "gw-b", "encrypt");
    world.list(alpha);
    world.list(world.root);
    world.certificates.push(world.root.certificate.der, ...world.certificates);
    const whole = world.store();
    expect(whole.rejected).toEqual([]);
    expect(whole.certificates.map(({ role }) => role)).toEqual([
      ...["root", "issuer", "issuer", "node", "node"],
    ]);
    world.certificates.reverse();
    world.lists.reverse();
    const again = world.store();
    const digests = (store: TrustStore) =>
      [...store.certificates, ...store.revocationLists].map(({ digest }) => digest).sort();
    expect(digests(again)).toEqual(digests(whole));
  });

  it("leaves out, with its reason, what does not", () => {
    const stranger = new TrustWorld();
    const strange = stranger.ca("alpha");
    const strangeNode = stranger.node(strange, "gw-a", "sign").der;
    world.certificates.push(
      Uint8Array.of(0x30, 0),
      stranger.root.certificate.der,
      strange.certificate.der,
      strangeNode,
      forged(alpha, "alpha-ca", "lightferry://beta/gw-b/sign"),
      forged(world.root, "root", "lightferry://alpha/gw-a/sign"),
      forged(alpha, "beta-ca", "lightferry://alpha/gw-a/sign"),
      forged(alpha, "alpha-ca", "lightferry://alpha/gw-a/sign", beta.key),
    );
    expect(rejections()).toEqual([
      "certificate.malformed",
      "certificate.untrusted",
      "certificate.untrusted",
      "certificate.untrusted",
      "certificate.wrong-zone",
      ...["certificate.untrusted", "certificate.untrusted", "certificate.untrusted"],
    ]);
    expect(world.store().certificates).toHaveLength(3);
  });

  it("takes no certificate with a changed signature", () => {
    const der = Uint8Array.from(world.node(alpha, "gw-a", "sign", { keep: false }).der);
    der[der.length - 1] = (der.at(-1) ?? 0) ^ 1;
    world.certificates.push(der);
    expect(rejections()).toEqual(["certificate.untrusted"]);
  });

  it("refuses a root that is none", () => {
    const set = { version: 1 };
    const build = (root: Uint8Array) => () =>
      TrustStore.build(provider, { root, set, mode: "production" });
    expect(codeOf(build(alpha.certificate.der))).toBe("certificate.untrusted");
    expect(codeOf(build(new Uint8Array()))).toBe("certificate.malformed");
    expect(codeOf(build(Buffer.from(toPem("CERTIFICATE", world.root.certificate.der))))).toBe(
      "certificate.malformed",
    );
    const changed = Uint8Array.from(world.root.certificate.der);
    changed[changed.length - 1] = (changed.at(-1) ?? 0) ^ 1;
    expect(codeOf(build(changed))).toBe("certificate.untrusted");
  });

  it("keeps demonstration and production apart", () => {
    const demo = new TrustWorld({ demo: true, mode: "demo" });
    const ca = demo.ca("alpha");
    const node = demo.node(ca, "gw-a", "sign");
    expect(demo.store().rejected).toEqual([]);
    expect(demo.store().certificate(node.keyId)?.demo).toBe(true);
    expect(codeOf(() => demo.store("production"))).toBe("certificate.demo-in-production");
    // Under a real root the mark alone is reason enough.
    world.certificates.push(node.der);
    expect(rejections()).toEqual(["certificate.demo-in-production"]);
    expect(rejections(world.store("demo"))).toEqual(["certificate.untrusted"]);
  });

  it("keeps the list with the highest number of each CA and none of strangers", () => {
    const stranger = new TrustWorld();
    const foreign = stranger.list(stranger.ca("alpha"));
    const low = world.list(alpha, { number: 3 });
    const high = world.list(alpha, { number: 9 });
    const root = world.list(world.root, { number: 1 });
    const twin = world.list(alpha, { number: 9, thisUpdateMs: T0 + 1000, keep: false });
    world.lists.push(foreign, low, Uint8Array.of(1), twin, high);
    const store = world.store();
    expect(store.revocationList("alpha")?.der).toEqual(high);
    expect(store.revocationList()?.der).toEqual(root);
    expect(store.revocationList("beta")).toBeUndefined();
    expect(store.revocationLists).toHaveLength(2);
    expect(rejections(store).sort()).toEqual([
      ...["certificate.malformed", "certificate.untrusted", "trust.list-conflict", "trust.stale"],
    ]);
  });

  it("gives the chain that a bundle carries", () => {
    const { keyId, der } = world.node(alpha, "gw-a", "sign");
    const store = world.store();
    expect(store.chain(keyId)).toEqual([der, alpha.certificate.der]);
    expect(store.chain("00".repeat(16))).toEqual([]);
    expect(store.chain(world.root.certificate.keyId)).toEqual([]);
    expect(store.chain(alpha.certificate.keyId)).toEqual([alpha.certificate.der]);
  });

  it("follows a CA renewed under its old key", () => {
    const old = world.node(alpha, "gw-a", "sign");
    const renewed = world.ca("alpha", { key: alpha.key, notBeforeMs: T0 + DAY });
    const list = world.list(renewed);
    const store = world.store();
    expect(store.rejected).toEqual([]);
    expect(store.faultOf(old, T0 + 2 * DAY)).toBeUndefined();
    expect(store.chain(old.keyId)).toEqual([old.der, renewed.certificate.der]);
    expect(store.revocationList("alpha")?.der).toEqual(list);
  });
});

describe("judging an import", () => {
  const now = T0 + 10 * DAY;
  const judge = (item: Uint8Array, nowMs = now) => world.store().judge(item, nowMs);

  it("of certificates", () => {
    const known = world.node(alpha, "gw-a", "sign");
    const fresh = world.node(alpha, "gw-a", "policy", { keep: false });
    const ended = world.node(alpha, "gw-a", "audit", { keep: false, notAfterMs: T0 + 1000 });
    const crossed = forged(alpha, "alpha-ca", "lightferry://beta/gw-b/sign");
    const kind = "certificate";
    expect(judge(known.der)).toEqual({
      ...{ kind, status: "known" },
      ...{ subject: "lightferry://alpha/gw-a/sign", number: known.serial },
    });
    expect(judge(fresh.der)).toMatchObject({ kind, status: "new", number: fresh.serial });
    expect(judge(ended.der)).toMatchObject({ kind, status: "new" });
    expect(judge(world.root.certificate.der)).toMatchObject({
      ...{ kind, status: "known", subject: "C=CN, O=org, CN=root" },
    });
    expect(judge(alpha.certificate.der).subject).toBe("lightferry://alpha/ca");
    expect(judge(crossed)).toMatchObject({ status: "refused", code: "certificate.wrong-zone" });
    const stranger = new TrustWorld();
    expect(judge(stranger.root.certificate.der)).toMatchObject({
      ...{ status: "refused", code: "certificate.untrusted" },
    });
  });

  it.each([
    ["a higher number", 6, T0, { status: "new", number: "6" }],
    ["a lower number", 4, T0, { status: "stale", code: "trust.stale", number: "4" }],
    [
      "the same number, other content",
      5,
      T0 + 1000,
      { status: "refused", code: "trust.list-conflict" },
    ],
    ["a date five minutes ahead", 6, now + 5 * 60_000, { status: "new" }],
    [
      "a date further ahead",
      6,
      now + 5 * 60_000 + 1000,
      { status: "refused", code: "trust.list-from-future" },
    ],
    ["a number in hexadecimal", 255, T0, { status: "new", number: "ff" }],
  ])("of a list with %s", (_, number, thisUpdateMs, expected) => {
    const present = world.list(alpha, { number: 5 });
    expect(judge(present)).toMatchObject({ kind: "revocation-list", status: "known" });
    const item = world.list(alpha, { number, thisUpdateMs, keep: false });
    expect(judge(item)).toMatchObject({ kind: "revocation-list", ...expected });
  });

  it("of lists nobody here signed, and of anything else", () => {
    const stranger = new TrustWorld();
    const foreign = stranger.list(stranger.ca("alpha"));
    expect(judge(foreign)).toMatchObject({
      ...{ kind: "revocation-list", status: "refused", code: "certificate.untrusted" },
    });
    const unknown = { kind: "unknown", status: "refused", code: "certificate.malformed" };
    expect(judge(new Uint8Array())).toMatchObject(unknown);
    expect(judge(Buffer.from("hello"))).toMatchObject(unknown);
    const cut = foreign.subarray(0, -1);
    expect(judge(cut)).toMatchObject({ status: "refused", code: "certificate.malformed" });
  });

  it("of any changed bytes says refused and throws nothing", () => {
    const { der } = world.node(alpha, "gw-a", "sign");
    const store = world.store();
    fc.assert(
      fc.property(fc.nat(der.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const changed = Uint8Array.from(der);
        changed[at] = (changed[at] ?? 0) ^ flip;
        expect(store.judge(changed, now).status).toBe("refused");
      }),
      { numRuns: 300 },
    );
  });
});

describe("what a bundle passes on", () => {
  it("is of its zone, in force or announced, lists first", () => {
    const now = T0 + 10 * DAY;
    const current = world.node(alpha, "gw-a", "sign");
    const announced = world.node(alpha, "gw-a", "sign", { notBeforeMs: now + DAY });
    const ended = world.node(alpha, "gw-a", "policy", { notAfterMs: now });
    const gone = world.node(alpha, "gw-a", "audit");
    const denied = world.node(alpha, "gw-a", "ferry");
    world.node(beta, "gw-b", "sign");
    world.list(beta);
    const root = world.list(world.root);
    const list = world.revoke(alpha, gone, "superseded", now);
    world.denied.push(denied.keyId);
    const items = world.store().ownTrustItems("alpha", now);
    expect(new Set(items.slice(0, 2))).toEqual(new Set([root, list]));
    expect(items.slice(2)).toEqual([alpha.certificate.der, announced.der, current.der]);
    expect(items).not.toContainEqual(ended.der);
  });

  it("does not announce a key that is revoked until then", () => {
    const next = world.node(alpha, "gw-a", "sign", { notBeforeMs: T0 + 5 * DAY });
    world.revoke(alpha, next, "superseded", T0 + DAY);
    expect(world.store().ownTrustItems("alpha", T0)).not.toContainEqual(next.der);
  });

  it("is within the limits of the format", () => {
    expect([CERTIFICATE_MAX_BYTES, TRUST_ITEM_MAX_BYTES, PKI_TRUST_ITEMS_MAX]).toEqual([
      ...[CERTIFICATE_MAX, TRUST_ITEM_MAX, TRUST_ITEMS_MAX],
    ]);
    const key = provider.generateSm2();
    for (let i = 0; i < 40; i += 1)
      world.node(alpha, "gw-a", "sign", { key, notBeforeMs: T0 + i * 1000 });
    alpha.entries.push(
      ...Array.from({ length: 2000 }, (_, i) => ({
        serial: (0x4000 + i).toString(16).padStart(32, "4a"),
        revokedMs: T0,
        reason: "superseded" as const,
      })),
    );
    const long = world.list(alpha);
    expect(long.length).toBeGreaterThan(TRUST_ITEM_MAX);
    const items = world.store().ownTrustItems("alpha", T0 + DAY);
    expect(items).toHaveLength(TRUST_ITEMS_MAX);
    expect(Math.max(...items.map(({ length }) => length))).toBeLessThanOrEqual(TRUST_ITEM_MAX);
    // What is left out are the oldest certificates and the list that must go by medium.
    expect(parseCertificate(items[1] ?? new Uint8Array()).notBeforeMs).toBe(T0 + 39_000);
  });
});

describe("what is remembered of checks", () => {
  it("is bounded, the newest stays", () => {
    const memory = new Bounded<number>(3);
    for (let i = 0; i < 10; i += 1) memory.set(`${i}`, i);
    expect(memory.size).toBe(3);
    expect([memory.get("9"), memory.get("6")]).toEqual([9, undefined]);
    memory.get("7");
    memory.set("10", 10);
    expect([memory.get("7"), memory.get("8")]).toEqual([7, undefined]);
  });

  it("does not make a second root trusted", () => {
    // One certificate, verified under its own root first: another store must not inherit that.
    const stranger = new TrustWorld();
    const ca = stranger.ca("alpha");
    stranger.node(ca, "gw-a", "sign");
    expect(stranger.store().rejected).toEqual([]);
    world.certificates.push(...stranger.certificates);
    expect(rejections()).toEqual(["certificate.untrusted", "certificate.untrusted"]);
  });
});
