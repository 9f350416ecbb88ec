/**
 * Guarantee: the software device of the tests (`sdf/`), built once per test file
 * by the system's C compiler. Where there is none, `built` says so and nothing is
 * built; a compiler that refuses our own source is a failure, not a reason to skip.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import koffi from "koffi";

const source = new URL("./sdf/", import.meta.url).pathname;

/** Why there is no device here; undefined when there is one. */
export const noCompiler: string | undefined = (() => {
  try {
    execFileSync("cc", ["-fsyntax-only", "-x", "c", "-"], {
      input: "#include <stdint.h>\n#include <unistd.h>\nunsigned __int128 wide;\n",
      stdio: ["pipe", "ignore", "ignore"],
    });
    return undefined;
  } catch {
    return "no C compiler (cc) with the headers of the C library: the software device cannot be built";
  }
})();

export interface TestDevice {
  readonly dir: string;
  readonly library: string;
  /** As `library`, with what only some makers have left out. */
  readonly plainLibrary: string;
  /** A library that is none: it has no function of the interface. */
  readonly otherLibrary: string;
  passwordFile(index: number, password?: string): string;
  failWith(code: number): void;
  exchangeKey(index: number): void;
  reset(): void;
  wrongPasswords(): number;
  openSessions(): number;
  sessionKeys(): number;
  calls(): number;
  remove(): void;
}

export function buildDevice(): TestDevice {
  const dir = mkdtempSync(join(tmpdir(), "lf-sdf-"));
  const build = (name: string, ...more: string[]): string => {
    const out = join(dir, name);
    const flags = ["-std=c11", "-O2", "-Wall", "-Wextra", "-Werror", "-fPIC", "-shared"];
    const sources = [join(source, "device.c"), join(source, "sm.c")];
    execFileSync("cc", [...flags, "-fvisibility=hidden", ...more, "-o", out, ...sources]);
    return out;
  };
  const library = build("libsdf.so");
  const plainLibrary = build("libsdf-plain.so", "-DWITHOUT_INTERNAL_DECRYPT");
  writeFileSync(join(dir, "other.c"), "int nothing(void);\nint nothing(void) { return 0; }\n");
  const otherLibrary = join(dir, "libother.so");
  execFileSync("cc", ["-fPIC", "-shared", "-o", otherLibrary, join(dir, "other.c")]);
  const handle = koffi.load(library);
  const number = (name: string) => handle.func(`int ${name}()`) as () => number;
  let files = 0;
  return {
    dir,
    library,
    plainLibrary,
    otherLibrary,
    passwordFile(index, password = `password-${index}`) {
      files += 1;
      const path = join(dir, `password-${files}`);
      writeFileSync(path, `${password}\n`, { mode: 0o600 });
      return path;
    },
    failWith: handle.func("void TEST_FailWith(unsigned int code)") as (code: number) => void,
    exchangeKey: handle.func("void TEST_ExchangeKey(unsigned int index)") as (n: number) => void,
    reset: handle.func("void TEST_Reset()") as () => void,
    wrongPasswords: number("TEST_WrongPasswords"),
    openSessions: number("TEST_OpenSessions"),
    sessionKeys: number("TEST_SessionKeys"),
    calls: number("TEST_Calls"),
    remove: () => rmSync(dir, { recursive: true, force: true }),
  };
}
