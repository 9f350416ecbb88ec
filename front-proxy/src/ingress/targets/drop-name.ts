/**
 * Guarantee: a name from the wire becomes one harmless segment of at most 255
 * bytes that carries the exchange id, so that two exchanges never share a file.
 */

/** Linux NAME_MAX is 255 bytes; id (36), dots and extension (16) leave room beyond this. */
const STEM_BYTES = 160;
const EXTENSION = /^[A-Za-z0-9]{1,16}$/;

/**
 * Controls (Cc), invisible and direction-changing marks (Cf), lone surrogates (Cs), private use
 * (Co), line breaks (Zl, Zp) and what any common file system reads as structure.
 */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}/\\:*?"<>|]/gu;

/** `<original stem>.<exchange id>.<extension>`. */
export function dropName(original: string, exchangeId: string): string {
  const clean = original.normalize("NFC").replace(UNSAFE, "_").trim();
  const dot = clean.lastIndexOf(".");
  const extension = dot > 0 ? clean.slice(dot + 1) : "";
  const keeps = EXTENSION.test(extension);
  const stem = cut((keeps ? clean.slice(0, dot) : clean).replace(/^[.\s]+/, ""), STEM_BYTES);
  const shown = stem === "" ? "file" : stem;
  return keeps ? `${shown}.${exchangeId}.${extension}` : `${shown}.${exchangeId}`;
}

/** The hidden names a delivery uses in the drop folder before and after its file appears. */
export function hiddenNames(exchangeId: string): { partial: string; done: string } {
  return { partial: `.${exchangeId}.partial`, done: `.${exchangeId}.done` };
}

const HIDDEN = /^\.([0-9a-f-]{36})\.(?:partial|done)$/;

/** Exchange id of a hidden name, or undefined for any other file. */
export function hiddenOwner(name: string): string | undefined {
  return HIDDEN.exec(name)?.[1];
}

function cut(text: string, bytes: number): string {
  let size = 0;
  let out = "";
  for (const character of text) {
    size += Buffer.byteLength(character);
    if (size > bytes) break;
    out += character;
  }
  return out;
}
