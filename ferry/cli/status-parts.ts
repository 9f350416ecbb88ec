/** Guarantee: figures with their units, bars and wrapped lines for a terminal, measured in its cells; nothing here steers it. */
import { cellWidth, cutTo, harmlessLine } from "@lightferry/proto/cli";

const STEPS = ["B", "kB", "MB", "GB", "TB", "PB"] as const;
const MINUTE = 60;
const HOUR = 3_600;
const DAY = 86_400;

/** Bytes with three digits and a decimal unit: "98.7 MB". */
export function size(bytes: number): string {
  let value = bytes;
  let step = 0;
  while (value >= 999.5 && step < STEPS.length - 1) {
    value /= 1_000;
    step += 1;
  }
  const digits = step === 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
  return `${value.toFixed(digits)} ${STEPS[step]}`;
}

export const rate = (bytesPerSecond: number): string => `${size(bytesPerSecond)}/s`;

export const percent = (share: number): string => `${(share * 100).toFixed(share < 0.1 ? 2 : 0)} %`;

/** "0.25 s", "12 s", "3 min 20 s", "2 h 5 min", "4 d 3 h"; null is "-". */
export function time(seconds: number | null): string {
  if (seconds === null) return "-";
  if (seconds < 10) return `${seconds.toFixed(2)} s`;
  const whole = Math.round(seconds);
  if (whole < 2 * MINUTE) return `${whole} s`;
  if (whole < 2 * HOUR) return `${Math.floor(whole / MINUTE)} min ${whole % MINUTE} s`;
  if (whole < 2 * DAY)
    return `${Math.floor(whole / HOUR)} h ${Math.floor((whole % HOUR) / MINUTE)} min`;
  return `${Math.floor(whole / DAY)} d ${Math.floor((whole % DAY) / HOUR)} h`;
}

/** A bar of plain characters: others are two cells wide in some Chinese fonts. @param share 0 … 1 */
export function bar(share: number, cells: number): string {
  const full = Math.round(Math.min(1, Math.max(0, share)) * cells);
  return `[${"#".repeat(full)}${".".repeat(cells - full)}]`;
}

/** Facts behind a label, two spaces apart, going on in lines below where the width ends. */
export function flow(label: string, facts: readonly string[], columns: number): string[] {
  const indent = " ".repeat(cellWidth(label) + 2);
  const lines: string[] = [];
  let line = label;
  for (const [index, fact] of facts.map(harmlessLine).entries()) {
    if (index > 0 && cellWidth(line) + 2 + cellWidth(fact) > columns) {
      lines.push(line);
      line = indent + fact;
    } else {
      line += `  ${fact}`;
    }
  }
  return [...lines, line].map((one) => cut(one, columns));
}

/** The line, or what of it fits, ending with …. */
export function cut(line: string, columns: number): string {
  return cellWidth(line) > columns ? cutTo(line, columns) : line;
}
