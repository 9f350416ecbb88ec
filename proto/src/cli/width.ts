/**
 * Guarantee: text is measured in terminal cells, so that columns with Chinese
 * line up, and what others wrote cannot steer the terminal.
 */

/** East Asian wide and fullwidth ranges of Unicode (UAX #11), those that occur in practice. */
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\u4dbf\u4e00-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{1f300}-\u{1f64f}\u{1f680}-\u{1f6ff}\u{1f900}-\u{1f9ff}\u{20000}-\u{3fffd}]/u;
const ZERO = /[\p{Mn}\p{Me}\u200b-\u200f\u2060\ufeff]/u;
/** Control characters and the marks that turn the direction of writing. */
const STEERING = /[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu;
const STEERING_BUT_LINES = /[^\P{Cc}\n\t]|[\u202a-\u202e\u2066-\u2069]/gu;

/** Cells that a text takes. */
export function cellWidth(text: string): number {
  let width = 0;
  for (const character of text) width += cellsOf(character);
  return width;
}

/** The text with spaces up to a width, or cut to it with … at the end. */
export function padTo(text: string, width: number, align: "left" | "right"): string {
  const cut = cellWidth(text) > width ? cutTo(text, width) : text;
  const space = " ".repeat(Math.max(0, width - cellWidth(cut)));
  return align === "right" ? space + cut : cut + space;
}

/** One line without control characters. */
export function harmlessLine(text: string): string {
  return text.replace(STEERING, " ");
}

/** A JSON text that steers no terminal: the same document, with escapes for such characters. */
export function harmlessJson(json: string): string {
  return json.replace(
    STEERING,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** Lines and tabs stay, all other control characters go. */
export function harmlessText(text: string): string {
  return text.replace(STEERING_BUT_LINES, " ");
}

function cellsOf(character: string): number {
  if (ZERO.test(character)) return 0;
  return WIDE.test(character) ? 2 : 1;
}

/** What of the text fits into a width, ending with …. */
export function cutTo(text: string, width: number): string {
  let cut = "";
  let cells = 0;
  for (const character of text) {
    cells += cellsOf(character);
    if (cells > width - 1) break;
    cut += character;
  }
  return `${cut}…`;
}
