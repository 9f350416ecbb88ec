/**
 * Guarantee: a secret is recognised in every form in which a program could let
 * it slip: raw, hexadecimal in either case or spaced as Node prints buffers,
 * base64 at any offset, and as a list of numbers as JSON writes an array.
 */

export interface Secret {
  /** Says what it is, never its bytes. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

export interface Needle {
  readonly secret: string;
  readonly form: string;
  readonly bytes: Buffer;
}

/** Fewer bytes than this would be found by chance in a gigabyte of ciphertext. */
const LEAST_BYTES = 8;
/** A part of a secret is a leak as well: this many of its bytes, from its beginning, are looked for. */
const LOOKED_FOR_BYTES = 16;

/** The forms of one secret. */
export function needlesOf({ name, bytes }: Secret): Needle[] {
  const part = Buffer.from(bytes.subarray(0, LOOKED_FOR_BYTES));
  if (part.length < LEAST_BYTES) throw new RangeError(`${name} is too short to be looked for`);
  const hex = part.toString("hex");
  const numbers = [...part];
  const texts: Record<string, string> = {
    hex,
    "hex, upper case": hex.toUpperCase(),
    "hex, spaced": hex.replace(/(..)(?=.)/g, "$1 "),
    "list of numbers": numbers.join(","),
    "list of numbers, spaced": numbers.join(", "),
    "object of numbers": numbers.map((value, index) => `"${index}":${value}`).join(","),
  };
  for (const offset of [0, 1, 2]) {
    // Whatever stands before it, the characters that depend on the secret alone are the same.
    const shifted = Buffer.concat([Buffer.alloc(offset), part]).toString("base64");
    const own = shifted.slice(
      Math.ceil((offset * 8) / 6),
      Math.floor(((offset + part.length) * 8) / 6),
    );
    texts[`base64 at ${offset}`] = own;
    texts[`base64url at ${offset}`] = own.replaceAll("+", "-").replaceAll("/", "_");
  }
  const forms = new Map<string, Needle>();
  forms.set(part.toString("latin1"), { secret: name, form: "raw", bytes: part });
  for (const [form, text] of Object.entries(texts)) {
    if (!forms.has(text)) forms.set(text, { secret: name, form, bytes: Buffer.from(text) });
  }
  return [...forms.values()];
}
