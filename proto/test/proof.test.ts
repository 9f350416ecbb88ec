/** Guarantee checked: a proof convinces of exactly one exchange, and no altered proof convinces of anything. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  bufferSource,
  openBundle,
  readHeader,
  type VerifiedHeader,
  verifyHeader,
} from "../src/bundle/index.ts";
import {
  checkContent,
  checkProof,
  decodeProof,
  type ExchangeProof,
  encodeProof,
  PROOF_MAX,
  proveItem,
  provePermission,
} from "../src/proof/index.ts";
import {
  context,
  directory,
  party,
  policy,
  provider,
  recipient,
  sealInput,
  sealToBytes,
  sender,
} from "./bundle-fixture.ts";

const contents = ["first", "second exchange", "third"].map((text) => Buffer.from(text));
const folder = mkdtempSync(join(tmpdir(), "lightferry-proof-"));
let verified: VerifiedHeader;
let opened: { salt: Uint8Array; entryBytes: Uint8Array }[];
let forms: Record<"sealed" | "permitted", Uint8Array>;

const check = (bytes: Uint8Array, keys = directory()) =>
  checkProof(provider, decodeProof(bytes), keys);
const refused = (code: string) => expect.objectContaining({ code });

beforeAll(async () => {
  const bytes = await sealToBytes(sealInput(contents.map((content) => ({ content }))));
  verified = verifyHeader(provider, await readHeader(bufferSource(bytes)), context);
  opened = [];
  for await (const { salt, entryBytes } of openBundle(provider, verified, recipient.key)) {
    opened.push({ salt, entryBytes });
  }
  forms = {
    sealed: encodeProof(proveItem(verified, 1, opened[1])),
    permitted: encodeProof(provePermission(verified, 1, opened[1])),
  };
});
afterAll(() => rmSync(folder, { recursive: true }));

describe.each(["sealed", "permitted"] as const)("a proof, form %s", (form) => {
  it("can be made of every item, the first and the last too", () => {
    for (const [item, opening] of opened.entries()) {
      const make = form === "sealed" ? proveItem : provePermission;
      for (const proof of [make(verified, item), make(verified, item, opening)]) {
        const proven = check(encodeProof(proof));
        expect(proven.commitment).toEqual(verified.header.items[item]?.commitment);
      }
    }
  });

  it("shows the exchange and fits its content alone", async () => {
    const proven = check(forms[form]);
    expect(proven.entry?.http?.path).toBe("/records/1");
    expect(proven.verdict.ruleIds).toEqual(["permit-registration"]);
    expect(proven.bundle?.item).toBe(form === "sealed" ? 1 : undefined);
    const files = contents.map((content, index) => {
      const path = join(folder, `${form}-${index}`);
      writeFileSync(path, content);
      return path;
    });
    await checkContent(provider, proven, files[1] ?? "");
    for (const other of [files[0], files[2]]) {
      await expect(checkContent(provider, proven, other ?? "")).rejects.toEqual(
        refused("proof.content-mismatch"),
      );
    }
  });

  it("shows nothing of the other exchanges' content", () => {
    const shown = Buffer.from(forms[form]).toString("utf8");
    const whole = JSON.stringify(decodeAll(JSON.parse(shown)));
    for (const index of [0, 2]) {
      const { salt, entryBytes } = opened[index] ?? { salt: "?", entryBytes: "?" };
      expect(whole).not.toContain(Buffer.from(salt).toString("hex"));
      expect(whole).not.toContain(Buffer.from(entryBytes).toString("hex"));
    }
    const own = opened[1]?.entryBytes ?? "?";
    expect(whole).toContain(Buffer.from(own).toString("hex"));
  });

  it("without an opening proves the commitment and compares no content", async () => {
    const proof = form === "sealed" ? proveItem(verified, 1) : provePermission(verified, 1);
    const proven = check(encodeProof(proof));
    expect(proven.entry).toBeUndefined();
    await expect(checkContent(provider, proven, folder)).rejects.toEqual(
      refused("proof.not-opened"),
    );
  });

  it("refuses other keys", () => {
    const stranger = party(sender.nodeId);
    expect(() => check(forms[form], directory(stranger, stranger))).toThrow(
      expect.objectContaining({ code: expect.stringMatching(/unknown-(sign|policy)-key$/) }),
    );
    const otherPolicy = party(policy.nodeId);
    expect(() => check(forms[form], directory(sender, otherPolicy))).toThrow(
      refused("verdict.unknown-policy-key"),
    );
  });

  it("refuses every altered, missing and added member", () => {
    const good = JSON.parse(Buffer.from(forms[form]).toString("utf8")) as Record<string, unknown>;
    const changes = alterations(good);
    expect(changes.length).toBeGreaterThan(20);
    for (const [name, changed] of changes) {
      const bytes = Buffer.from(`${JSON.stringify(changed)}\n`);
      expect(() => check(bytes), name).toThrow(
        expect.objectContaining({ code: expect.stringMatching(/^(proof|bundle|verdict)\./) }),
      );
    }
  });

  it("refuses any flipped bit of what it carries", () => {
    const good = decodeProof(forms[form]);
    const leaves = byteMembers(good);
    fc.assert(
      fc.property(fc.nat(leaves.length - 1), fc.nat(), fc.nat(7), (member, place, bit) => {
        const copy = structuredClone(good);
        const bytes = byteMembers(copy)[member] ?? new Uint8Array(1);
        const at = place % bytes.length;
        bytes[at] = (bytes[at] ?? 0) ^ (1 << bit);
        expect(() => check(encodeProof(copy))).toThrow();
      }),
      { numRuns: 300 },
    );
  });

  it("refuses an opening of another exchange", () => {
    const good = decodeProof(forms[form]);
    const { salt, entryBytes: entry } = opened[2] ?? { salt: NONE, entryBytes: NONE };
    const swapped: ExchangeProof = { ...good, opening: { salt, entry } };
    expect(() => check(encodeProof(swapped))).toThrow(refused("bundle.commitment-mismatch"));
  });
});

describe("the encoding", () => {
  it("is one: spaces, repeated members and line ends are refused", () => {
    const text = Buffer.from(forms.sealed).toString("utf8");
    for (const other of [
      text.trimEnd(),
      `${text}\n`,
      text.replace(",", ", "),
      text.replace('"form"', '"item":0,"form"'),
      text.replace(
        '{"format":"lightferry-proof/1",',
        '{"format":"x","format":"lightferry-proof/1",',
      ),
      "[]\n",
      "null\n",
      "",
    ]) {
      expect(() => decodeProof(Buffer.from(other))).toThrow(refused("proof.malformed"));
    }
    expect(() => decodeProof(new Uint8Array(PROOF_MAX + 1))).toThrow(refused("proof.malformed"));
  });

  it("names an item that is not there", () => {
    for (const make of [proveItem, provePermission]) {
      expect(() => make(verified, 3)).toThrow(refused("proof.no-such-item"));
    }
  });

  it("stays small in the form without a header, whatever the bundle holds", async () => {
    const many = Array.from({ length: 200 }, (_, index) => ({ content: Buffer.from(`${index}`) }));
    const bytes = await sealToBytes(sealInput(many));
    const large = verifyHeader(provider, await readHeader(bufferSource(bytes)), context);
    expect(encodeProof(provePermission(large, 7)).length).toBeLessThan(4096);
    const whole = encodeProof(proveItem(large, 7));
    expect(whole.length).toBeLessThan((large.headerBytes.length * 4) / 3 + 512);
    expect(check(whole).bundle).toMatchObject({ item: 7, items: 200 });
  });
});

const NONE = new Uint8Array();

/** Each member left out, of another type, emptied, and, where it is bytes, altered in its middle. */
function alterations(good: Record<string, unknown>): [string, unknown][] {
  const all: [string, unknown][] = [["added", { ...good, more: 1 }]];
  for (const [name, value] of Object.entries(good)) {
    const { [name]: _, ...rest } = good;
    // Without its opening a proof is a smaller proof, not a false one.
    if (name !== "opening") all.push([`${name} left out`, rest]);
    for (const other of [null, true, {}, [], "", "AAAA", -1, 0.5, 3]) {
      // No certificates, no difference: these keys come from a directory.
      const same = JSON.stringify(other) === JSON.stringify(value);
      if (!same && name !== "certificates")
        all.push([`${name} = ${JSON.stringify(other)}`, { ...good, [name]: other }]);
    }
    if (typeof value === "number") all.push([`${name} + 1`, { ...good, [name]: value + 1 }]);
  }
  for (const name of ["salt", "entry"]) {
    const opening = good.opening as Record<string, unknown>;
    const { [name]: _, ...rest } = opening;
    all.push([`opening.${name} left out`, { ...good, opening: rest }]);
    all.push([`opening.${name} emptied`, { ...good, opening: { ...opening, [name]: "" } }]);
  }
  all.push(["opening more", { ...good, opening: { ...(good.opening as object), more: "" } }]);
  return all;
}

/** All byte strings of a decoded proof, in place. */
function byteMembers(value: object): Uint8Array[] {
  return Object.values(value).flatMap((member: unknown) => {
    if (member instanceof Uint8Array) return member.length === 0 ? [] : [member];
    return typeof member === "object" && member !== null ? byteMembers(member) : [];
  });
}

/** Base64 anywhere in the JSON, as hexadecimal: what a reader of the proof sees. */
function decodeAll(value: unknown): unknown {
  if (typeof value === "string") return Buffer.from(value, "base64").toString("hex");
  if (Array.isArray(value)) return value.map(decodeAll);
  if (typeof value === "object" && value !== null) return Object.values(value).map(decodeAll);
  return value;
}
