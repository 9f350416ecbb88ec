/**
 * Guarantee: a path that passes has one reading only: every proxy and target
 * splits and decodes it alike (RFC 3986 §6.2.2 normal form, no query, no dot
 * or empty segments, no encoded separators, no double encoding).
 */

/** As in the bundle format (proto/SPEC.md §9). */
export const PATH_MAX = 8 * 1024;
/** A template parameter is an id, not a document. */
const PARAMETER_MAX = 256;

/** RFC 3986 pchar without percent-encoding. */
const PLAIN = /^[A-Za-z0-9\-._~!$&'()*+,;=:@]$/;
const UNRESERVED = /^[A-Za-z0-9\-._~]$/;
/** Separators, the escape itself and everything below space; encoded or not, none may hide in a segment. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
const FORBIDDEN_DECODED = /[/\\%?#\u0000-\u001f\u007f]/;

/** The decoded segments, or undefined when the path is not canonical. */
export function canonicalSegments(path: string): readonly string[] | undefined {
  if (!path.startsWith("/") || path.length > PATH_MAX) return undefined;
  const segments = path.slice(1).split("/");
  if (path === "/") return [];
  const decoded = segments.map(decodeSegment);
  return decoded.every((segment) => segment !== undefined) ? decoded : undefined;
}

function decodeSegment(segment: string): string | undefined {
  if (segment === "") return undefined;
  for (let i = 0; i < segment.length; i += 1) {
    const character = segment[i] ?? "";
    if (character !== "%") {
      if (!PLAIN.test(character)) return undefined;
      continue;
    }
    const hex = segment.slice(i + 1, i + 3);
    if (!/^[0-9A-F]{2}$/.test(hex)) return undefined;
    if (UNRESERVED.test(String.fromCharCode(Number.parseInt(hex, 16)))) return undefined;
    i += 2;
  }
  let text: string;
  try {
    text = decodeURIComponent(segment);
  } catch {
    return undefined;
  }
  if (text === "." || text === ".." || FORBIDDEN_DECODED.test(text)) return undefined;
  return text;
}

/** True when the segments fit a template such as `/records/{id}`. */
export function matchesTemplate(segments: readonly string[], template: string): boolean {
  const parts = template === "/" ? [] : template.slice(1).split("/");
  if (parts.length !== segments.length) return false;
  return parts.every((part, i) => {
    const segment = segments[i] ?? "";
    if (part.startsWith("{") && part.endsWith("}")) return segment.length <= PARAMETER_MAX;
    return part === segment;
  });
}
