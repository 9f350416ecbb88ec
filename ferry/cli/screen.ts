/**
 * Guarantee: a terminal is drawn on a page of its own and given back as it was, however the view ends: by Ctrl-C, by a
 * signal, by a fault, or because the terminal is gone. While it is stopped (Ctrl-Z) the terminal is its own.
 */
import type { Line, Tone } from "./status-view.ts";

/** What the view needs of a terminal; `process.stdout` is one. */
export interface Terminal {
  readonly columns?: number | undefined;
  readonly rows?: number | undefined;
  write(text: string): unknown;
  on(event: "resize" | "error", listener: () => void): unknown;
  off(event: "resize" | "error", listener: () => void): unknown;
}

/** What ends or suspends the view; `process` is one. */
export interface Signals {
  readonly pid: number;
  on(signal: NodeJS.Signals, listener: () => void): unknown;
  off(signal: NodeJS.Signals, listener: () => void): unknown;
  kill(pid: number, signal: NodeJS.Signals): unknown;
}

const ENTER = "\u001b[?1049h\u001b[?25l";
const LEAVE = "\u001b[?25h\u001b[?1049l";
/** Shown at once, where the terminal knows how, so that nothing flickers. */
const BEGIN = "\u001b[?2026h\u001b[H";
const END = "\u001b[J\u001b[?2026l";
const REST_OF_LINE = "\u001b[K";
const RESET = "\u001b[0m";
const COLOURS: Readonly<Record<Tone, string>> = {
  title: "\u001b[1m",
  alarm: "\u001b[1;31m",
  warning: "\u001b[33m",
  plain: "",
  faint: "\u001b[2m",
};
const ENDING = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
/** Where a terminal does not say how large it is. */
const USUAL = { columns: 80, rows: 24 };

export interface ScreenOptions {
  readonly terminal: Terminal;
  readonly signals: Signals;
  readonly everyMs: number;
  /** False for NO_COLOR. */
  readonly colours: boolean;
  /** The lines for a size; all of them fit. */
  readonly draw: (size: { readonly columns: number; readonly rows: number }) => readonly Line[];
}

/** Draws again and again until it is ended. @throws what `draw` throws, after the terminal was given back */
export async function showLive(options: ScreenOptions): Promise<void> {
  const { terminal, signals, everyMs } = options;
  await new Promise<void>((resolve, reject) => {
    const draw = (): void => {
      try {
        terminal.write(frame(options));
      } catch (error) {
        reject(error);
        end();
      }
    };
    const timer = setInterval(draw, everyMs);
    const suspend = (): void => {
      terminal.write(LEAVE);
      signals.kill(signals.pid, "SIGSTOP");
    };
    const wake = (): void => {
      terminal.write(ENTER);
      draw();
    };
    const end = (): void => {
      clearInterval(timer);
      for (const signal of ENDING) signals.off(signal, end);
      signals.off("SIGTSTP", suspend);
      signals.off("SIGCONT", wake);
      terminal.off("resize", draw);
      terminal.off("error", end);
      terminal.write(LEAVE);
      resolve();
    };
    for (const signal of ENDING) signals.on(signal, end);
    signals.on("SIGTSTP", suspend);
    signals.on("SIGCONT", wake);
    terminal.on("resize", draw);
    terminal.on("error", end);
    wake();
  });
}

function frame({ terminal, colours, draw }: ScreenOptions): string {
  // A terminal that was never told its size says 0.
  const columns = terminal.columns || USUAL.columns;
  const rows = terminal.rows || USUAL.rows;
  // The last cell of a line is left free: some terminals go on with the next line there.
  const lines = draw({ columns: columns - 1, rows });
  const text = lines.map(({ tone, text: said }) => {
    const colour = colours ? COLOURS[tone] : "";
    return `${colour}${said}${colour === "" ? "" : RESET}${REST_OF_LINE}`;
  });
  return `${BEGIN}${text.join("\r\n")}${END}`;
}
