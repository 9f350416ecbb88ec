/**
 * Guarantee: a right certificate, list and request, how each is accepted, and
 * the changes that a careless or hostile hand makes to their bytes.
 */
import {
  type Certificate,
  createRequest,
  issueCertificate,
  issueRevocationList,
  parseCertificate,
  parseRequest,
  parseRevocationList,
  pkiKind,
  verifyCertificateSignature,
  verifyRevocationList,
} from "@lightferry/proto/pki";
import fc from "fast-check";
import { expect } from "vitest";
import { codeOf } from "./code-of.ts";
import { provider } from "./pki-forger.ts";
import { T0, TrustWorld, YEAR } from "./trust-world.ts";

const world = new TrustWorld();
const ca = world.ca("alpha");
const nodeKey = provider.generateSm2();
const always = { notBeforeMs: T0, notAfterMs: T0 + YEAR };

/** Changes that a careless or hostile hand makes: bits, bytes put in, taken out, repeated, cut. */
const change = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constant("bit" as const), at: fc.nat(), bit: fc.nat(7) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant("byte" as const), at: fc.nat(), to: fc.nat(255) }),
  },
  fc.record({
    kind: fc.constant("insert" as const),
    at: fc.nat(),
    bytes: fc.uint8Array({ minLength: 1, maxLength: 8 }),
  }),
  fc.record({
    kind: fc.constant("remove" as const),
    at: fc.nat(),
    length: fc.integer({ min: 1, max: 40 }),
  }),
  fc.record({
    kind: fc.constant("repeat" as const),
    at: fc.nat(),
    length: fc.integer({ min: 1, max: 40 }),
  }),
  fc.record({ kind: fc.constant("cut" as const), at: fc.nat() }),
);
type Change = typeof change extends fc.Arbitrary<infer T> ? T : never;

export function apply(bytes: Uint8Array, one: Change): Uint8Array {
  const at = one.at % bytes.length;
  const before = bytes.subarray(0, at);
  switch (one.kind) {
    case "bit": {
      const copy = Uint8Array.from(bytes);
      copy[at] = (copy[at] ?? 0) ^ (1 << one.bit);
      return copy;
    }
    case "byte": {
      const copy = Uint8Array.from(bytes);
      copy[at] = one.to;
      return copy;
    }
    case "insert":
      return Buffer.concat([before, one.bytes, bytes.subarray(at)]);
    case "remove":
      return Buffer.concat([before, bytes.subarray(at + one.length)]);
    case "repeat":
      return Buffer.concat([before, bytes.subarray(at, at + one.length), bytes.subarray(at)]);
    default:
      return before;
  }
}

const subject = { identity: { zone: "alpha", node: "gw-a", use: "sign" }, demo: false } as const;
const request = createRequest(provider, nodeKey, { ...subject, organisation: "某单位" });
const certificate = issueCertificate(provider, ca, request, always);
const list = issueRevocationList(provider, ca, {
  number: 3,
  thisUpdateMs: 1_700_000_000_000,
  nextUpdateMs: 1_800_000_000_000,
  entries: [
    { serial: "4a4b", revokedMs: 1_600_000_000_000, reason: "keyCompromise" },
    { serial: "5a5b5c", revokedMs: 1_600_000_000_000, reason: "unspecified" },
  ],
});
const verifies = (read: () => Certificate) =>
  verifyCertificateSignature(provider, read(), ca.certificate);
export const readers: [string, Uint8Array, (bytes: Uint8Array) => boolean][] = [
  ["certificate", certificate, (bytes) => verifies(() => parseCertificate(bytes))],
  [
    "list",
    list,
    (bytes) => verifyRevocationList(provider, parseRevocationList(bytes), ca.certificate),
  ],
  ["request", request, (bytes) => parseRequest(provider, bytes).der.length > 0],
];

/** Runs `runs` changed items past one reader: none is accepted, none ends in a strange error. */
export function neverAccepted(
  bytes: Uint8Array,
  accept: (bytes: Uint8Array) => boolean,
  runs: number,
): void {
  expect(accept(bytes)).toBe(true);
  fc.assert(
    fc.property(fc.array(change, { minLength: 1, maxLength: 3 }), (changes) => {
      const changed = changes.reduce((all, one) => (all.length > 0 ? apply(all, one) : all), bytes);
      fc.pre(Buffer.compare(changed, bytes) !== 0);
      refused(changed, accept);
    }),
    { numRuns: runs },
  );
}

export function refused(changed: Uint8Array, accept: (bytes: Uint8Array) => boolean): void {
  let accepted = false;
  const code = codeOf(() => {
    accepted = accept(changed);
  });
  expect(accepted).toBe(false);
  expect([undefined, "certificate.malformed", "request.invalid"]).toContain(code);
  expect(() => pkiKind(changed)).not.toThrow();
}
