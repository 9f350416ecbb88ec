/** Guarantee tested: the live view gives the terminal back as it was, on a real one too. */
import { spawn } from "node:child_process";
import { EventEmitter, once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import { showLive } from "../cli/screen.ts";
import { eventually } from "./fixture.ts";
import { rxPicture } from "./pictures.ts";

const ENTER = "\u001b[?1049h\u001b[?25l";
const LEAVE = "\u001b[?25h\u001b[?1049l";

class FakeTerminal extends EventEmitter {
  columns = 30;
  rows = 5;
  written = "";

  write(text: string): void {
    this.written += text;
  }
}

class FakeSignals extends EventEmitter {
  readonly pid = 1;
  readonly killed: string[] = [];

  kill(_pid: number, signal: string): void {
    this.killed.push(signal);
  }
}

function live(draw = (size: object) => [{ tone: "alarm" as const, text: JSON.stringify(size) }]) {
  const terminal = new FakeTerminal();
  const signals = new FakeSignals();
  const over = showLive({ terminal, signals, everyMs: 60_000, colours: true, draw });
  return { terminal, signals, over };
}

test.each(["SIGINT", "SIGTERM", "SIGHUP"])(
  "%s ends the view and gives the terminal back",
  async (signal) => {
    const { terminal, signals, over } = live();
    expect(terminal.written.startsWith(ENTER)).toBe(true);
    expect(terminal.written).toContain('\u001b[1;31m{"columns":29,"rows":5}\u001b[0m\u001b[K');
    terminal.columns = 50;
    terminal.emit("resize");
    expect(terminal.written).toContain('{"columns":49,"rows":5}');
    signals.emit(signal);
    await over;
    expect(terminal.written.endsWith(LEAVE)).toBe(true);
    expect(signals.eventNames()).toEqual([]);
    expect(terminal.eventNames()).toEqual([]);
  },
);

test("a stopped view leaves the terminal alone, and draws anew when it goes on", async () => {
  const { terminal, signals, over } = live();
  signals.emit("SIGTSTP");
  expect(terminal.written.endsWith(LEAVE)).toBe(true);
  expect(signals.killed).toEqual(["SIGSTOP"]);
  signals.emit("SIGCONT");
  expect(terminal.written.split(ENTER)).toHaveLength(3);
  signals.emit("SIGINT");
  await over;
});

test("a fault of the view, or a terminal that is gone, ends it as well", async () => {
  const { terminal, over } = live(() => {
    throw new Error("no picture");
  });
  await expect(over).rejects.toThrow("no picture");
  expect(terminal.written.endsWith(LEAVE)).toBe(true);
  const gone = live();
  gone.terminal.emit("error");
  await gone.over;
});

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "lf-live-"));
  mkdirSync(join(home, "business/state/ferry-rx"), { recursive: true });
});
afterEach(() => rmSync(home, { recursive: true }));

function put(delivered: number): void {
  const picture = rxPicture();
  const lanes = picture.lanes.map((lane) => ({
    ...lane,
    bundles: { ...lane.bundles, delivered },
  }));
  const text = JSON.stringify({ ...picture, lanes });
  writeFileSync(join(home, "business/state/ferry-rx/status.json"), text);
}

/** `script` is a terminal for a program: util-linux, on every Debian. */
test.skipIf(process.platform !== "linux")(
  "on a real terminal: drawn each second, until Ctrl-C",
  async () => {
    put(3);
    const program = fileURLToPath(new URL("../../deploy/cli/lightferry.ts", import.meta.url));
    const command = `stty cols 100 rows 30; exec ${process.execPath} ${program} ferry status --home ${home}`;
    const child = spawn("script", ["-qec", command, "/dev/null"], {
      stdio: ["pipe", "pipe", "inherit"],
      env: { ...process.env, TERM: "xterm", LANG: "zh_CN.UTF-8", LC_ALL: "", NO_COLOR: "" },
    });
    let shown = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      shown += text;
    });
    const exit = once(child, "exit");
    await eventually(() => shown).toContain("已转交前置代理 3 包");
    expect(shown).toContain(ENTER);
    expect(shown).toContain("时钟异常");
    put(4);
    await eventually(() => shown).toContain("已转交前置代理 4 包");
    child.stdin.write("\u0003");
    expect(await exit).toEqual([0, null]);
    expect(shown.trimEnd().endsWith(LEAVE)).toBe(true);
  },
);
