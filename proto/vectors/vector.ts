/** Guarantee: the shape of one conformance vector, language-neutral: JSON, bytes as base64. */

/** What the reader is told; SPEC §8.2. Keys are those of keys.json. */
export interface VectorContext {
  readonly now: number;
  readonly lane: string;
  readonly sender: string;
  readonly self: string;
  /** Party of keys.json whose private key opens the bundle. */
  readonly decryptKey: string;
  /** False: the sender's signing key is not registered. */
  readonly signKeyRegistered: boolean;
  /** The lane's expiry as the registry has it; without it the reader does not know the lane's. */
  readonly lifetimeMs?: number;
}

/** Either the bundle is refused with a code, or each item ends as told. */
export type VectorExpectation =
  | { readonly code: string }
  | { readonly items: readonly ({ readonly content: string } | { readonly code: string })[] };

export interface Vector {
  readonly name: string;
  /** What differs from a good bundle. */
  readonly changed: string;
  readonly context: VectorContext;
  readonly expect: VectorExpectation;
  /** base64 */
  readonly bundle: string;
}

/** What a receiver says of each of several bundles, in the order in which they reach it (SPEC §11). */
export interface StreamVector {
  readonly name: string;
  readonly changed: string;
  readonly context: VectorContext;
  readonly deliveries: readonly {
    /** Index into `bundles`. */
    readonly bundle: number;
    readonly expect: "accepted" | "duplicate" | { readonly code: string };
  }[];
  /** base64 */
  readonly bundles: readonly string[];
}

/** What a reader knows and trusts (SPEC §14). Certificates and lists are named as in pki/. */
export interface CertificateContext
  extends Omit<VectorContext, "decryptKey" | "signKeyRegistered"> {
  readonly mode: "production" | "demo";
  /** The pinned root. */
  readonly root: string;
  /** Zone of each registered node. */
  readonly zones: Readonly<Record<string, string>>;
  /** Certificates of the store. */
  readonly known: readonly string[];
  /** Revocation lists, in the order in which they came. */
  readonly lists: readonly string[];
  /** Key ids that this zone denies. */
  readonly denied: readonly string[];
}

export interface CertificateVector {
  readonly name: string;
  readonly changed: string;
  readonly context: CertificateContext;
  /** Of SPEC §8.2 for the bundle. */
  readonly expect: "accepted" | { readonly code: string };
  /** base64 */
  readonly bundle: string;
}

/** What a store says of each item, judged by itself: SPEC §14.3 and §14.4. */
export interface ImportVector {
  readonly name: string;
  readonly changed: string;
  readonly context: Pick<CertificateContext, "now" | "mode" | "root" | "known" | "lists">;
  readonly imports: readonly {
    readonly item: string;
    /** base64, where it is not the item of that name as pki/ has it. */
    readonly der?: string;
    readonly status: string;
    readonly code?: string;
  }[];
}

/** What a sending node reads of a file of receipts (SPEC §17). The one signing key is that of `recipient`. */
export interface ReceiptVector {
  readonly name: string;
  readonly changed: string;
  readonly context: {
    readonly now: number;
    readonly self: string;
    /** Lanes that begin in this zone, with the node at their far end. */
    readonly farEnds: Readonly<Record<string, string>>;
    /** False: the receiver's signing key is not known. */
    readonly signKeyRegistered: boolean;
  };
  /** A code, or every list in order with its receipts in theirs. */
  readonly expect:
    | { readonly code: string }
    | {
        readonly lists: readonly {
          readonly lane: string;
          readonly number: number;
          readonly receipts: readonly {
            /** hexadecimal */
            readonly id: string;
            readonly state: string;
            readonly code: string;
            readonly timeMs: number;
          }[];
          readonly bundles: readonly {
            readonly id: string;
            readonly code: string;
            readonly timeMs: number;
          }[];
        }[];
      };
  /** base64; `zeros`: so many zero bytes instead. */
  readonly file: string | { readonly zeros: number };
}
