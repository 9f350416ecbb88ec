/** Guarantee: SPEC §14.4 case by case: what a reader knows, what a bundle presents, and whether its keys may be used. */
import type { Forgery } from "../forge.ts";
import { NOW } from "../forge.ts";
import { readKeys } from "../keys.ts";
import { pkiItem } from "../pki/make.ts";
import type { CertificateContext, CertificateVector } from "../vector.ts";
import { flip, record, second } from "./case.ts";

export interface CertificateCase {
  readonly name: string;
  readonly changed: string;
  readonly context: CertificateContext;
  readonly expect: CertificateVector["expect"];
  readonly forgery: Forgery;
}

export interface ImportCase {
  readonly name: string;
  readonly changed: string;
  readonly context: Pick<CertificateContext, "now" | "mode" | "root" | "known" | "lists">;
  readonly imports: readonly { item: string; status: string; code?: string }[];
}

const keys = readKeys();
const CHAIN = ["sender-sign", "policy-policy", "extranet-ca"];
const CONTEXT: CertificateContext = {
  now: NOW,
  lane: "inbound",
  sender: "node-extranet",
  self: "node-business",
  mode: "production",
  root: "root",
  zones: { "node-extranet": "extranet", "node-business": "business", "node-releaser": "business" },
  known: CHAIN,
  lists: ["root-list-1", "extranet-list-1"],
  denied: [],
};

interface Told extends Partial<CertificateContext> {
  /** Names of what the header carries. */
  readonly presented?: readonly string[];
  readonly forgery?: Partial<Forgery>;
}

function told(
  name: string,
  changed: string,
  expect: CertificateVector["expect"],
  { presented = [], forgery = {}, ...context }: Told,
): CertificateCase {
  return {
    name,
    changed,
    context: { ...CONTEXT, ...context },
    expect,
    forgery: {
      items: [record],
      ...forgery,
      early: { certificates: presented.map(pkiItem) },
    },
  };
}

const accepted = (name: string, changed: string, context: Told) =>
  told(`valid-${name}`, `nothing; ${changed}`, "accepted", context);
const refused = (name: string, changed: string, code: string, context: Told) =>
  told(name, changed, { code }, context);

/** The store knows this of the sender's signing key, and all of the policy's. */
const knows = (...names: string[]) => ({ known: [...names, "policy-policy", "extranet-ca"] });
const shows = (...names: string[]) => ({
  known: ["policy-policy", "extranet-ca", "business-ca"],
  presented: names,
});
const list = (...names: string[]) => ({ lists: ["root-list-1", ...names] });

export const CERTIFICATES: readonly CertificateCase[] = [
  accepted("known", "the store knows both keys, the bundle presents none", {}),
  accepted("presented", "the store knows the root alone, the bundle presents the chain", {
    known: [],
    lists: [],
    presented: CHAIN,
  }),
  accepted("presented-to-a-known-issuer", "the bundle presents what the issuing CA signed", {
    known: ["extranet-ca"],
    presented: ["policy-policy", "sender-sign"],
  }),
  accepted("presented-among-others", "an altered copy and a stranger's chain ride along", {
    known: [],
    lists: [],
    presented: ["sender-sign-altered", "other-extranet-ca", "other-sender-sign", ...CHAIN],
  }),
  refused("unknown-key", "no certificate of the signing key", "bundle.unknown-sign-key", knows()),
  refused("unknown-policy-key", "no certificate of the policy key", "verdict.unknown-policy-key", {
    known: ["sender-sign", "extranet-ca"],
  }),
  refused(
    "presented-without-issuer",
    "nobody knows or presents the issuing CA",
    "bundle.unknown-sign-key",
    { known: [], presented: ["sender-sign", "policy-policy"] },
  ),
  refused("expired", "the certificate ended before the bundle was made", "certificate.expired", {
    ...knows("sender-sign-ended"),
  }),
  refused("expired-presented", "so does the one presented", "certificate.expired", {
    ...shows("sender-sign-ended"),
  }),
  accepted("second-certificate", "one has ended, the other of this key is in force", {
    ...knows("sender-sign-ended"),
    presented: ["sender-sign"],
  }),
  refused("not-yet-valid", "it begins after the bundle was made", "certificate.not-yet-valid", {
    ...knows("sender-sign-later"),
  }),
  refused("expired-policy", "the policy key's certificate ended before", "certificate.expired", {
    known: ["sender-sign", "policy-policy-ended", "extranet-ca"],
  }),
  refused("expired-issuer", "the issuing CA's certificate ended before", "certificate.expired", {
    known: ["sender-sign", "policy-policy", "extranet-ca-ended"],
  }),
  accepted("renewed-issuer", "the issuing CA has two certificates, one has ended", {
    known: [...CHAIN, "extranet-ca-ended"],
  }),
  refused("superseded-before-use", "superseded a day before", "certificate.revoked", {
    ...list("extranet-list-2-superseded-before"),
  }),
  accepted("superseded-after-use", "superseded a day after the bundle was made", {
    ...list("extranet-list-2-superseded-after"),
  }),
  refused(
    "compromised-after-use",
    "its key was compromised, it is said a day after",
    "certificate.revoked",
    {
      ...list("extranet-list-2-compromised-after"),
    },
  ),
  refused(
    "revoked-presented",
    "the store knows the list, not the certificate",
    "certificate.revoked",
    {
      ...shows("sender-sign"),
      ...list("extranet-list-2-superseded-before"),
    },
  ),
  refused("revoked-policy", "the policy key was superseded before", "certificate.revoked", {
    ...list("extranet-list-2-policy-superseded-before"),
  }),
  refused("issuer-compromised", "the issuing CA is compromised", "certificate.revoked", {
    lists: ["root-list-2-ca-compromised", "extranet-list-1"],
  }),
  refused(
    "issuer-superseded-before-use",
    "the issuing CA was superseded before",
    "certificate.revoked",
    {
      lists: ["root-list-2-ca-superseded-before"],
    },
  ),
  accepted("issuer-superseded-after-use", "the issuing CA was superseded after", {
    lists: ["root-list-2-ca-superseded-after"],
  }),
  refused("list-with-lower-number", "an older list comes after the newer", "certificate.revoked", {
    ...list("extranet-list-2-superseded-before", "extranet-list-1"),
  }),
  refused(
    "list-with-higher-number",
    "the newer list comes after the older",
    "certificate.revoked",
    {
      ...list("extranet-list-1", "extranet-list-2-superseded-before"),
    },
  ),
  accepted(
    "list-of-another-ca",
    "another CA lists the serial number: it says nothing of this CA's",
    {
      known: [...CHAIN, "business-ca"],
      ...list("business-list-1-of-extranet-serial"),
    },
  ),
  accepted("list-altered", "a list whose signature does not hold says nothing", {
    ...list("extranet-list-2-altered"),
  }),
  refused("denied", "this zone denies the signing key", "certificate.denied", {
    denied: [keys.sender.keyId],
  }),
  refused(
    "denied-unknown",
    "it denies a key of which it has no certificate",
    "certificate.denied",
    {
      ...knows(),
      denied: [keys.sender.keyId],
    },
  ),
  refused("denied-policy", "this zone denies the policy key", "certificate.denied", {
    denied: [keys.policy.keyId],
  }),
  refused("denied-and-expired", "denied, and its certificate ended", "certificate.denied", {
    ...knows("sender-sign-ended"),
    denied: [keys.sender.keyId],
  }),
  refused("wrong-use", "the key is certified for policy alone", "certificate.wrong-use", {
    ...shows("sender-key-for-policy"),
  }),
  refused(
    "wrong-use-of-policy",
    "the policy key is certified for sign alone",
    "certificate.wrong-use",
    {
      known: ["sender-sign", "policy-key-for-sign", "extranet-ca"],
    },
  ),
  refused("wrong-node", "the key is certified for another node", "certificate.wrong-use", {
    ...knows("sender-key-of-another-node"),
  }),
  refused(
    "wrong-zones-issuer",
    "another zone's CA speaks for this zone",
    "certificate.wrong-zone",
    {
      ...shows("sender-of-extranet-by-business-ca"),
    },
  ),
  refused("wrong-zone", "another zone's CA has a node of this name", "certificate.wrong-zone", {
    ...shows("sender-in-business"),
  }),
  refused("other-root", "the chain leads to another root", "bundle.unknown-sign-key", {
    known: [],
    presented: ["other-sender-sign", "other-policy-policy", "other-extranet-ca", "other-root"],
  }),
  refused(
    "other-root-known",
    "the set holds the chain of another root",
    "bundle.unknown-sign-key",
    {
      known: ["other-sender-sign", "other-policy-policy", "other-extranet-ca", "other-root"],
    },
  ),
  refused(
    "signature-altered",
    "one bit of the certificate's signature",
    "bundle.unknown-sign-key",
    {
      ...shows("sender-sign-altered"),
    },
  ),
  refused(
    "demo-chain-in-production",
    "a demonstration chain in production: no CA under the root has signed it",
    "bundle.unknown-sign-key",
    {
      known: [],
      presented: ["demo-sender-sign", "demo-policy-policy", "demo-extranet-ca"],
    },
  ),
  refused(
    "forged-beside-expired",
    "the one known has ended; one presented that nobody signed does not change how the key is refused",
    "certificate.expired",
    { ...knows("sender-sign-ended"), presented: ["sender-sign-altered"] },
  ),
  refused(
    "demo-in-production",
    "a demonstration certificate that a real CA has signed",
    "certificate.demo-in-production",
    { ...shows("sender-demo-by-extranet-ca") },
  ),
  refused(
    "demo-by-a-real-issuer",
    "likewise in demonstration mode: it must stand under a demonstration CA",
    "bundle.unknown-sign-key",
    { ...shows("sender-demo-by-extranet-ca"), mode: "demo" },
  ),
  accepted("demo", "a demonstration chain under a demonstration root in demonstration mode", {
    mode: "demo",
    root: "demo-root",
    known: [],
    lists: [],
    presented: ["demo-sender-sign", "demo-policy-policy", "demo-extranet-ca"],
  }),
  accepted("real-chain-in-demo-mode", "a real chain in demonstration mode", { mode: "demo" }),
  refused(
    "expired-and-forged",
    "the certificate ended and the signature is wrong",
    "certificate.expired",
    {
      ...knows("sender-sign-ended"),
      forgery: { file: (bytes, { signatureAt }) => flip(bytes, signatureAt + 40) },
    },
  ),
  refused(
    "policy-fault-after-an-earlier-items",
    "the first item is denied, the second names a policy key of wrong use",
    "verdict.not-permit",
    {
      forgery: {
        items: [{ ...record, verdict: { decision: 3 } }, second],
        batchSize: 1,
        batch: ofSecond((batch) => {
          batch.keyId = keys.sender.keyId;
        }),
      },
    },
  ),
];

type BatchChange = NonNullable<Forgery["batch"]>;

/** Alters the second batch of each forged bundle. */
function ofSecond(alter: BatchChange): BatchChange {
  let seen = 0;
  return (batch) => {
    seen += 1;
    if (seen % 2 === 0) alter(batch);
  };
}

export const IMPORTS: readonly ImportCase[] = [
  {
    name: "import-to-a-new-store",
    changed: "a store that knows the root alone; each item is judged by itself",
    context: { now: NOW, mode: "production", root: "root", known: [], lists: [] },
    imports: [
      { item: "root", status: "known" },
      { item: "extranet-ca", status: "new" },
      { item: "sender-sign", status: "refused", code: "certificate.untrusted" },
      { item: "root-list-1", status: "new" },
      { item: "extranet-list-1", status: "refused", code: "certificate.untrusted" },
      { item: "other-extranet-ca", status: "refused", code: "certificate.untrusted" },
      { item: "demo-extranet-ca", status: "refused", code: "certificate.demo-in-production" },
    ],
  },
  {
    name: "import-to-a-store-in-use",
    changed: "a store with the second list of the zone",
    context: {
      now: NOW,
      mode: "production",
      root: "root",
      known: [...CHAIN, "business-ca"],
      lists: ["extranet-list-2-superseded-before"],
    },
    imports: [
      { item: "sender-sign", status: "known" },
      { item: "sender-sign-later", status: "new" },
      { item: "sender-sign-ended", status: "new" },
      { item: "sender-sign-altered", status: "refused", code: "certificate.untrusted" },
      {
        item: "sender-of-extranet-by-business-ca",
        status: "refused",
        code: "certificate.wrong-zone",
      },
      { item: "extranet-list-1", status: "stale", code: "trust.stale" },
      { item: "extranet-list-2-superseded-before", status: "known" },
      { item: "extranet-list-2-compromised-after", status: "refused", code: "trust.list-conflict" },
      { item: "extranet-list-2-altered", status: "refused", code: "certificate.untrusted" },
      { item: "business-list-1-of-extranet-serial", status: "new" },
    ],
  },
  {
    name: "import-of-a-list-from-the-future",
    changed: "the reader's clock is five minutes and 1 ms behind the list",
    context: {
      now: Date.UTC(2026, 0, 10) - 5 * 60 * 1000 - 1,
      mode: "production",
      root: "root",
      known: ["extranet-ca"],
      lists: [],
    },
    imports: [{ item: "extranet-list-1", status: "refused", code: "trust.list-from-future" }],
  },
];
