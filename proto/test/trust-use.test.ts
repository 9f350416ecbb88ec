/**
 * Guarantee checked: for every way a key can be out of order, at every side of
 * its time, the directory gives the key or the code that the rules name.
 */
import { REVOCATION_REASONS, type RevocationReason } from "@lightferry/proto/pki";
import { formatKeyId, type SmProvider } from "@lightferry/proto/sm";
import { TrustStore } from "@lightferry/proto/trust";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { integer } from "../src/pki/asn1-write.ts";
import { codeOf } from "./code-of.ts";
import { nodeParts, signAnything, tbsOf } from "./pki-forger.ts";
import { DAY, provider, T0, TrustWorld, YEAR } from "./trust-world.ts";

let world: TrustWorld;
let alpha: ReturnType<TrustWorld["ca"]>;
let beta: ReturnType<TrustWorld["ca"]>;

beforeEach(() => {
  world = new TrustWorld();
  alpha = world.ca("alpha");
  beta = world.ca("beta");
});

/** "ok", "unknown", or the code thrown. */
function outcome(
  keyId: string,
  usedMs: number,
  presented: readonly Uint8Array[] = [],
  node = "gw-a",
): string {
  let found: unknown;
  const directory = world.store().keyDirectory();
  const code = codeOf(() => {
    found = directory.signKey(node, keyId, { presented, usedMs });
  });
  return code ?? (found === undefined ? "unknown" : "ok");
}

describe("validity", () => {
  it.each([
    ["a second before it begins", T0 - 1000, "certificate.not-yet-valid"],
    ["a millisecond before", T0 - 1, "certificate.not-yet-valid"],
    ["when it begins", T0, "ok"],
    ["in between", T0 + 100 * DAY, "ok"],
    ["in its last millisecond", T0 + YEAR - 1, "ok"],
    ["when it ends", T0 + YEAR, "certificate.expired"],
    ["years later", T0 + 4 * YEAR, "certificate.expired"],
    ["at no time at all", Number.NaN, "certificate.not-yet-valid"],
  ])("of a key used %s", (_, usedMs, expected) => {
    const { keyId } = world.node(alpha, "gw-a", "sign");
    expect(outcome(keyId, usedMs)).toBe(expected);
  });

  it("is that of the time of use: an old bundle verifies years later", () => {
    const { keyId } = world.node(alpha, "gw-a", "sign");
    world.list(alpha, { thisUpdateMs: T0 + 10 * YEAR });
    expect(outcome(keyId, T0 + DAY)).toBe("ok");
  });

  it("without a time of use is that of now", () => {
    const ended = world.node(alpha, "gw-a", "sign", { notAfterMs: T0 + DAY });
    const current = world.node(alpha, "gw-a", "sign");
    vi.useFakeTimers({ now: T0 + 2 * DAY, toFake: ["Date"] });
    try {
      const directory = world.store().keyDirectory();
      expect(directory.signKey("gw-a", current.keyId)).toEqual(current.publicKey);
      expect(codeOf(() => directory.signKey("gw-a", ended.keyId))).toBe("certificate.expired");
    } finally {
      vi.useRealTimers();
    }
  });
});

describe("revocation", () => {
  const revokedMs = T0 + 100 * DAY;
  const always: RevocationReason[] = ["keyCompromise", "cACompromise"];
  const cases = (Object.keys(REVOCATION_REASONS) as RevocationReason[]).flatMap((reason) => {
    const before = always.includes(reason) ? "certificate.revoked" : "ok";
    return [
      [reason, "long before", T0 + DAY, before],
      [reason, "a millisecond before", revokedMs - 1, before],
      [reason, "at that moment", revokedMs, "certificate.revoked"],
      [reason, "after it", revokedMs + DAY, "certificate.revoked"],
      [reason, "after it, past its end", T0 + 2 * YEAR, "certificate.revoked"],
    ] as const;
  });
  it.each(cases)("for %s of a key used %s", (reason, _, usedMs, expected) => {
    const certificate = world.node(alpha, "gw-a", "sign");
    world.revoke(alpha, certificate, reason, revokedMs);
    expect(outcome(certificate.keyId, usedMs)).toBe(expected);
  });

  it.each([
    ["keyCompromise", T0 + DAY, "certificate.revoked"],
    ["cACompromise", T0 + DAY, "certificate.revoked"],
    ["cessationOfOperation", T0 + DAY, "ok"],
    ["cessationOfOperation", revokedMs, "certificate.revoked"],
    ["superseded", revokedMs - 1, "ok"],
  ] as const)("of the CA for %s reaches what it issued", (reason, usedMs, expected) => {
    const { keyId } = world.node(alpha, "gw-a", "sign");
    world.revoke(world.root, alpha.certificate, reason, revokedMs);
    expect(outcome(keyId, usedMs)).toBe(expected);
    const other = world.node(beta, "gw-b", "sign");
    expect(outcome(other.keyId, usedMs, [], "gw-b")).toBe("ok");
  });

  it("for compromise is of the key, in whatever certificate", () => {
    const key = provider.generateSm2();
    const first = world.node(alpha, "gw-a", "sign", { key });
    const second = world.node(alpha, "gw-a", "sign", { key, notBeforeMs: T0 + DAY });
    const third = world.node(alpha, "gw-a", "sign", { key, keep: false });
    world.revoke(alpha, first, "keyCompromise", revokedMs);
    expect(outcome(second.keyId, T0 + 2 * DAY)).toBe("certificate.revoked");
    expect(outcome(third.keyId, T0 + 2 * DAY, [third.der, alpha.certificate.der])).toBe(
      "certificate.revoked",
    );
  });

  it("for another reason is of the certificate: a renewal under the same key counts", () => {
    const key = provider.generateSm2();
    const first = world.node(alpha, "gw-a", "sign", { key });
    world.node(alpha, "gw-a", "sign", { key, notBeforeMs: T0 + DAY });
    world.revoke(alpha, first, "superseded", T0 + 2 * DAY);
    expect(outcome(first.keyId, T0 + 3 * DAY)).toBe("ok");
  });

  it("by the list of another CA has no effect", () => {
    const certificate = world.node(alpha, "gw-a", "sign");
    world.revoke(beta, certificate, "keyCompromise", T0);
    world.revoke(world.root, certificate, "keyCompromise", T0);
    expect(outcome(certificate.keyId, T0 + DAY)).toBe("ok");
  });

  it("goes for certificates that only a message shows", () => {
    const hidden = world.node(alpha, "gw-a", "sign", { keep: false });
    world.revoke(alpha, hidden, "superseded", revokedMs);
    const shown = [hidden.der, alpha.certificate.der];
    expect(outcome(hidden.keyId, revokedMs - 1, shown)).toBe("ok");
    expect(outcome(hidden.keyId, revokedMs, shown)).toBe("certificate.revoked");
  });
});

describe("denial", () => {
  it("of a key refuses it whenever it was used, and lifted allows it again", () => {
    const { keyId } = world.node(alpha, "gw-a", "sign");
    world.denied.push(keyId);
    for (const usedMs of [T0 - DAY, T0, T0 + DAY, T0 + 2 * YEAR]) {
      expect(outcome(keyId, usedMs)).toBe("certificate.denied");
    }
    world.denied.pop();
    expect(outcome(keyId, T0 + DAY)).toBe("ok");
  });

  it("of a CA's key refuses what it issued", () => {
    const { keyId } = world.node(alpha, "gw-a", "sign");
    world.denied.push(alpha.certificate.keyId);
    expect(outcome(keyId, T0 + DAY)).toBe("certificate.denied");
  });

  it("is told before a revocation, and of a key without a certificate too", () => {
    const certificate = world.node(alpha, "gw-a", "sign");
    world.revoke(alpha, certificate, "keyCompromise", T0);
    world.denied.push(certificate.keyId, "00".repeat(16));
    expect(outcome(certificate.keyId, T0)).toBe("certificate.denied");
    expect(outcome("00".repeat(16), T0)).toBe("certificate.denied");
  });
});

describe("identity", () => {
  it("counts by node and use", () => {
    const sign = world.node(alpha, "gw-a", "sign");
    const policy = world.node(alpha, "gw-a", "policy");
    const directory = world.store().keyDirectory();
    const usage = { usedMs: T0 };
    expect(directory.policyKey("gw-a", policy.keyId, usage)).toEqual(policy.publicKey);
    for (const lookUp of [
      () => directory.signKey("gw-a", policy.keyId, usage),
      () => directory.policyKey("gw-a", sign.keyId, usage),
      () => directory.auditKey("gw-a", sign.keyId, usage),
      () => directory.ferryKey("gw-a", sign.keyId, usage),
      () => directory.signKey("gw-b", sign.keyId, usage),
      () => directory.signKey("gw-a", alpha.certificate.keyId, usage),
      () => directory.signKey("gw-a", world.root.certificate.keyId, usage),
    ]) {
      expect(codeOf(lookUp)).toBe("certificate.wrong-use");
    }
    expect(directory.signKey("gw-a", "ff".repeat(16), usage)).toBeUndefined();
  });

  it("counts by zone where the registry says it: no CA certifies another zone's node", () => {
    const forged = world.node(beta, "gw-a", "sign");
    const sealed = world.node(beta, "gw-a", "encrypt", { notBeforeMs: T0 + DAY });
    const own = world.node(alpha, "gw-a", "encrypt");
    const zones: Record<string, string> = { "gw-a": "alpha", "gw-b": "beta" };
    const directory = world.store().keyDirectory((node) => zones[node]);
    expect(codeOf(() => directory.signKey("gw-a", forged.keyId, { usedMs: T0 }))).toBe(
      "certificate.wrong-zone",
    );
    expect(directory.encryptKey("gw-a", T0 + 2 * DAY)?.keyId).toBe(own.keyId);
    expect(sealed.keyId).not.toBe(own.keyId);
    const nobody = world.store().keyDirectory(() => undefined);
    expect(nobody.encryptKey("gw-a", T0)).toBeUndefined();
    expect(codeOf(() => nobody.signKey("gw-a", forged.keyId, { usedMs: T0 }))).toBe(
      "certificate.wrong-zone",
    );
  });
});

describe("presented chains", () => {
  it("count when they lead to the root, and not a step further", () => {
    const hidden = world.node(alpha, "gw-a", "sign", { keep: false });
    const stranger = new TrustWorld();
    const strange = stranger.ca("alpha");
    const foreign = stranger.node(strange, "gw-a", "sign");
    const late = world.ca("alpha", { notBeforeMs: T0 + DAY });
    world.certificates.pop();
    const under = world.node(late, "gw-a", "sign", { keep: false, notBeforeMs: T0 + DAY });
    const at = T0 + 2 * DAY;
    const rubbish = Uint8Array.of(1, 2, 3);
    const table: [string, readonly Uint8Array[], string][] = [
      [hidden.keyId, [], "unknown"],
      [hidden.keyId, [hidden.der], "ok"],
      [hidden.keyId, [rubbish, new Uint8Array(5000), alpha.certificate.der, hidden.der], "ok"],
      [hidden.keyId, [alpha.certificate.der], "unknown"],
      [under.keyId, [under.der], "unknown"],
      [under.keyId, [late.certificate.der], "unknown"],
      [under.keyId, [under.der, late.certificate.der], "ok"],
      [foreign.keyId, [foreign.der, strange.certificate.der], "unknown"],
      [
        foreign.keyId,
        [foreign.der, strange.certificate.der, stranger.root.certificate.der],
        "unknown",
      ],
      // A header holds eight; what lies beyond is not looked at.
      [hidden.keyId, [...Array.from({ length: 8 }, () => rubbish), hidden.der], "unknown"],
    ];
    for (const [keyId, presented, expected] of table) {
      expect(outcome(keyId, at, presented)).toBe(expected);
    }
    expect(outcome(hidden.keyId, T0 + YEAR, [hidden.der])).toBe("certificate.expired");
    expect(outcome(hidden.keyId, T0, [hidden.der], "gw-b")).toBe("certificate.wrong-use");
  });

  it("that no CA signed say nothing, whatever is written in them", () => {
    const spoiled = (certificate: { readonly der: Uint8Array }): Uint8Array => {
      const der = Uint8Array.from(certificate.der);
      // The last byte of s: still DER, no longer a signature.
      der[der.length - 1] = (der.at(-1) ?? 0) ^ 1;
      return der;
    };
    const other = world.node(alpha, "gw-a", "policy", { keep: false });
    const elsewhere = world.node(beta, "gw-a", "sign", { keep: false });
    const listed = world.node(alpha, "gw-a", "sign", { keep: false });
    world.revoke(alpha, listed, "keyCompromise", T0);
    const table: [{ readonly keyId: string; readonly der: Uint8Array }, string][] = [
      [other, "certificate.wrong-use"],
      [listed, "certificate.revoked"],
    ];
    for (const [certificate, genuine] of table) {
      expect(outcome(certificate.keyId, T0, [certificate.der])).toBe(genuine);
      expect(outcome(certificate.keyId, T0, [spoiled(certificate)])).toBe("unknown");
    }
    const zoned = world.store().keyDirectory(() => "alpha");
    const told = (der: Uint8Array) =>
      codeOf(() => zoned.signKey("gw-a", elsewhere.keyId, { presented: [der], usedMs: T0 }));
    expect(told(elsewhere.der)).toBe("certificate.wrong-zone");
    expect(told(spoiled(elsewhere))).toBeUndefined();
    // Nor do they choose the code of a key that is known and does not count.
    const key = provider.generateSm2();
    const ended = world.node(alpha, "gw-a", "sign", { key });
    const lie = spoiled(world.node(beta, "gw-b", "policy", { keep: false, key }));
    expect(outcome(ended.keyId, T0 + YEAR, [lie])).toBe("certificate.expired");
  });

  it("cost a bounded number of signature checks, and a forgery is checked once", () => {
    const key = provider.generateSm2();
    const forger = provider.generateSm2();
    const parts = nodeParts(alpha.key, key);
    const presented = Array.from({ length: 8 }, (_, i) =>
      signAnything(
        forger,
        tbsOf({ ...parts, serial: integer(Buffer.from(`4${i}`.repeat(16), "hex")) }),
      ),
    );
    let checks = 0;
    const counting: SmProvider = {
      ...provider,
      sm2Verify: (...given) => {
        checks += 1;
        return provider.sm2Verify(...given);
      },
    };
    const directory = TrustStore.build(counting, {
      root: world.root.certificate.der,
      set: { certificates: world.certificates },
      mode: "production",
    }).keyDirectory();
    checks = 0;
    const usage = { presented, usedMs: T0 };
    const ask = () => directory.signKey("gw-a", formatKeyId(key.publicKey), usage);
    expect(ask()).toBeUndefined();
    expect(checks).toBe(8);
    expect(ask()).toBeUndefined();
    expect(checks).toBe(8);
  });

  it("leave nothing behind: the next message must show them again", () => {
    const hidden = world.node(alpha, "gw-a", "sign", { keep: false });
    const directory = world.store().keyDirectory();
    const usage = { usedMs: T0, presented: [hidden.der] };
    expect(directory.signKey("gw-a", hidden.keyId, usage)).toEqual(hidden.publicKey);
    expect(directory.signKey("gw-a", hidden.keyId, { usedMs: T0 })).toBeUndefined();
  });

  it("under a CA that the root revoked are refused", () => {
    const late = world.ca("alpha");
    world.certificates.pop();
    const under = world.node(late, "gw-a", "sign", { keep: false });
    world.revoke(world.root, late.certificate, "cACompromise", T0);
    expect(outcome(under.keyId, T0, [under.der, late.certificate.der])).toBe("certificate.revoked");
  });
});

describe("the certificate in use", () => {
  it("changes at the beginning of the newer one; the older still verifies", () => {
    const old = world.node(alpha, "gw-a", "sign");
    const next = world.node(alpha, "gw-a", "sign", { notBeforeMs: T0 + 30 * DAY });
    const store = world.store();
    const at = (ms: number, has?: (keyId: string) => boolean) =>
      store.active("gw-a", "sign", ms, has)?.keyId;
    expect(at(T0 - 1)).toBeUndefined();
    expect(at(T0)).toBe(old.keyId);
    expect(at(T0 + 30 * DAY - 1)).toBe(old.keyId);
    expect(at(T0 + 30 * DAY)).toBe(next.keyId);
    expect(at(T0 + 31 * DAY, (keyId) => keyId === old.keyId)).toBe(old.keyId);
    expect(at(T0 + 31 * DAY, () => false)).toBeUndefined();
    expect(at(T0 + YEAR)).toBeUndefined();
    expect(store.active("gw-a", "policy", T0)).toBeUndefined();
    expect(outcome(old.keyId, T0 + 31 * DAY)).toBe("ok");
  });

  it("is never one that is revoked or denied", () => {
    const old = world.node(alpha, "gw-a", "encrypt");
    const next = world.node(alpha, "gw-a", "encrypt", { notBeforeMs: T0 + DAY });
    const used = (ms: number) => world.store().keyDirectory().encryptKey("gw-a", ms)?.keyId;
    expect(used(T0 + 2 * DAY)).toBe(next.keyId);
    world.revoke(alpha, next, "superseded", T0 + 3 * DAY);
    expect(used(T0 + 2 * DAY)).toBe(next.keyId);
    expect(used(T0 + 3 * DAY)).toBe(old.keyId);
    world.denied.push(old.keyId);
    expect(used(T0 + 3 * DAY)).toBeUndefined();
  });

  it("is the same everywhere when two begin together", () => {
    world.node(alpha, "gw-a", "sign");
    world.node(alpha, "gw-a", "sign");
    const first = world.store().active("gw-a", "sign", T0)?.keyId;
    world.certificates.reverse();
    expect(world.store().active("gw-a", "sign", T0)?.keyId).toBe(first);
  });

  it("is that of the zone asked for", () => {
    const own = world.node(alpha, "gw-a", "sign");
    const foreign = world.node(beta, "gw-a", "sign", { notBeforeMs: T0 + DAY });
    const store = world.store();
    const at = T0 + 2 * DAY;
    expect(store.active("gw-a", "sign", at, undefined, "alpha")?.keyId).toBe(own.keyId);
    expect(store.active("gw-a", "sign", at, undefined, "beta")?.keyId).toBe(foreign.keyId);
    expect(store.active("gw-a", "sign", at, undefined, "gamma")).toBeUndefined();
  });
});
