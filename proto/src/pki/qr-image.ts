/**
 * Guarantee: a part's text as a QR code (ISO/IEC 18004, error correction M, the
 * margin of four modules that scanners need), dark on light whatever the theme.
 */
import encodeQR from "qr";
import { GatewayError } from "../errors/index.ts";

const MARGIN = 4;

/** White on black, then back: a code drawn in light blocks is right on dark and on light screens. */
const DRAW = "\x1b[97;40m";
const RESET = "\x1b[0m";

function modules(text: string): boolean[][] {
  try {
    return encodeQR(text, "raw", { ecc: "medium", border: MARGIN });
  } catch (cause) {
    throw new GatewayError("trust.too-large", { detail: `${text.length} characters`, cause });
  }
}

/** A stand-alone SVG, one unit a module; scale it to taste. @throws GatewayError `trust.too-large` */
export function qrSvg(text: string): string {
  const rows = modules(text);
  const path = rows.flatMap((row, y) =>
    runs(row).map(([x, width]) => `M${x} ${y}h${width}v1h-${width}z`),
  );
  const size = rows.length;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size} ${size}" shape-rendering="crispEdges"><rect width="${size}" height="${size}" fill="#fff"/><path fill="#000" d="${path.join("")}"/></svg>\n`;
}

/** Lines of half blocks with ANSI colours, one column a module. @throws GatewayError `trust.too-large` */
export function qrTerminal(text: string): string {
  const rows = modules(text);
  const lines: string[] = [];
  for (let y = 0; y < rows.length; y += 2) {
    const upper = rows[y] ?? [];
    const lower = rows[y + 1];
    const cells = upper.map((dark, x) => cell(dark, lower?.[x] ?? true));
    lines.push(`${DRAW}${cells.join("")}${RESET}\n`);
  }
  return lines.join("");
}

function cell(upperDark: boolean, lowerDark: boolean): string {
  if (upperDark) return lowerDark ? " " : "▄";
  return lowerDark ? "▀" : "█";
}

/** Start and length of each run of dark modules. */
function runs(row: readonly boolean[]): [number, number][] {
  const found: [number, number][] = [];
  row.forEach((dark, x) => {
    const last = found.at(-1);
    if (!dark) return;
    if (last !== undefined && last[0] + last[1] === x) last[1] += 1;
    else found.push([x, 1]);
  });
  return found;
}
