/** Guarantee checked: a passphrase typed at a terminal is not shown, not left in the stream's buffer, and asked twice when new. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import type { CliContext, CliInput } from "@lightferry/proto/cli";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { confirm, readHidden, type Terminal, withSecret } from "../src/keys/terminal.ts";

const fault = (code: string) => expect.objectContaining({ code });
const context = { say: (words: { zh: string }) => words.zh } as Partial<CliContext> as CliContext;
let folder = "";

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lf-terminal-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function given(values: Record<string, string | boolean>): CliInput {
  return {
    positionals: [],
    values,
    text: (option) => (typeof values[option] === "string" ? values[option] : undefined),
    flag: (option) => values[option] === true,
    integer: () => undefined,
  };
}

/** A terminal on which `typed` is typed, line by line as it is asked for. */
function terminal(typed: readonly string[], isTTY = true) {
  const input = Object.assign(new PassThrough(), {
    isTTY,
    raw: [] as boolean[],
    setRawMode(on: boolean) {
      input.raw.push(on);
    },
  });
  const chunks: Buffer[] = [];
  const shown: string[] = [];
  const lines = [...typed];
  const output = {
    write: (text: string) => {
      shown.push(text);
      const line = text === "\n" ? undefined : lines.shift();
      if (line === undefined) return;
      const chunk = Buffer.from(line, "utf8");
      chunks.push(chunk);
      setImmediate(() => input.write(chunk));
    },
  };
  return { input, output, shown, chunks } satisfies Terminal & Record<string, unknown>;
}

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString("utf8");

describe("a hidden line", () => {
  test("is read to the end of the line, shown nowhere, and wiped from the chunk it came in", async () => {
    const there = terminal(["光里渡船 secret\r"]);
    expect(text(await readHidden("口令：", there))).toBe("光里渡船 secret");
    expect(there.shown).toEqual(["口令：", "\n"]);
    expect(there.input.raw).toEqual([true, false]);
    expect(there.chunks.map((chunk) => chunk.every((byte) => byte === 0))).toEqual([true]);
  });

  test("takes characters back whole, also Chinese ones, and none before the first", async () => {
    expect(text(await readHidden("?", terminal(["\x7f\x7fab光\x7fc\x08d\n"])))).toBe("abd");
  });

  test.each([["\x03"], ["abc\x03"], ["abc\x04"]])("is given up with %j", async (typed) => {
    const there = terminal([typed]);
    await expect(readHidden("?", there)).rejects.toThrow(fault("key.passphrase-missing"));
    expect(there.input.raw).toEqual([true, false]);
  });

  test("ends with the input, and is not asked for without a terminal", async () => {
    const there = terminal([]);
    there.input.end();
    await expect(readHidden("?", there)).rejects.toThrow(fault("key.passphrase-missing"));
    await expect(readHidden("?", terminal([], false))).rejects.toThrow(
      fault("key.passphrase-missing"),
    );
  });
});

describe("a secret", () => {
  const options = { passphraseFile: "passphrase-file", what: { zh: "口令", en: "passphrase" } };

  test("of a terminal is asked twice when new, and wiped after use", async () => {
    let kept: Uint8Array | undefined;
    const there = terminal(["the same line\r", "the same line\r"]);
    const fresh = { ...options, fresh: true };
    const seen = await withSecret(
      ...([context, given({}), fresh] as const),
      (unlock) => {
        kept = "passphrase" in unlock ? unlock.passphrase : undefined;
        return text(kept ?? new Uint8Array());
      },
      there,
    );
    expect(seen).toBe("the same line");
    expect(kept?.every((byte) => byte === 0)).toBe(true);
    expect(there.shown.filter((line) => line !== "\n")).toEqual(["口令：", "口令（再输一次）："]);
    await expect(
      withSecret(context, given({}), fresh, () => 1, terminal(["one line\r", "other line\r"])),
    ).rejects.toThrow(fault("key.passphrase-missing"));
  });

  test("of a file is its first line whole; a file that others may read is refused", async () => {
    const path = join(folder, "pass");
    writeFileSync(path, "  with blanks  \r\n", { mode: 0o600 });
    const input = given({ "passphrase-file": path });
    const read = (unlock: object) => text((unlock as { passphrase: Uint8Array }).passphrase);
    expect(await withSecret(context, input, options, read)).toBe("  with blanks  ");
    rmSync(path);
    writeFileSync(path, "x", { mode: 0o644 });
    await expect(withSecret(context, input, options, read)).rejects.toThrow(
      fault("sm.key-exposed"),
    );
    await expect(
      withSecret(context, given({ "passphrase-file": join(folder, "none") }), options, read),
    ).rejects.toThrow(fault("key.passphrase-missing"));
  });
});

describe("what cannot be undone", () => {
  const question = { zh: "销毁？", en: "Destroy?" };

  test("is done after yes alone", async () => {
    await confirm(given({ yes: true }), context, question, terminal([], false));
    await confirm(given({}), context, question, terminal(["yes\r"]));
    for (const answer of ["y\r", "no\r", "\r", "YES\r"]) {
      await expect(confirm(given({}), context, question, terminal([answer]))).rejects.toThrow(
        fault("cli.usage"),
      );
    }
    await expect(confirm(given({}), context, question, terminal([], false))).rejects.toThrow(
      fault("cli.usage"),
    );
  });
});
