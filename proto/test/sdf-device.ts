/**
 * Guarantee: the software device of the tests (`sdf/`), built once by the
 * system's C compiler, with a copy for each test file. Where there is none, `built` says so and nothing is
 * built; a compiler that refuses our own source is a failure, not a reason to skip.
 */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import koffi from "koffi";

const source = new URL("./sdf/", import.meta.url).pathname;
/** Compiling takes seconds, and half a dozen test files want the same. */
const cache = new URL("../../node_modules/.cache/lightferry-sdf", import.meta.url).pathname;

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

const FLAGS = ["-std=c11", "-O2", "-Wall", "-Wextra", "-Werror", "-fPIC", "-shared"];
const LIBRARIES = { library: "libsdf.so", plain: "libsdf-plain.so", other: "libother.so" } as const;

/** The libraries of these very sources; those of others lie in folders of other names. */
function compiled(): string {
  const hash = createHash("sha256").update(FLAGS.join());
  for (const name of readdirSync(source).sort()) hash.update(readFileSync(join(source, name)));
  const folder = join(cache, hash.digest("hex"));
  if (existsSync(folder)) return folder;
  mkdirSync(cache, { recursive: true });
  const draft = mkdtempSync(join(cache, "new-"));
  const compile = (name: string, ...more: string[]) =>
    execFileSync("cc", [...FLAGS, "-fvisibility=hidden", ...more, "-o", join(draft, name)]);
  const sources = [join(source, "device.c"), join(source, "sm.c")];
  compile(LIBRARIES.library, ...sources);
  compile(LIBRARIES.plain, "-DWITHOUT_INTERNAL_DECRYPT", ...sources);
  const nothing = join(draft, "other.c");
  writeFileSync(nothing, "int nothing(void);\nint nothing(void) { return 0; }\n");
  compile(LIBRARIES.other, nothing);
  try {
    renameSync(draft, folder);
  } catch (error) {
    // Another test file was quicker.
    rmSync(draft, { recursive: true });
    if (!existsSync(folder)) throw error;
  }
  return folder;
}

export function buildDevice(): TestDevice {
  const dir = mkdtempSync(join(tmpdir(), "lf-sdf-"));
  const from = compiled();
  const own = (name: string): string => {
    const path = join(dir, name);
    copyFileSync(join(from, name), path);
    return path;
  };
  const library = own(LIBRARIES.library);
  const plainLibrary = own(LIBRARIES.plain);
  const otherLibrary = own(LIBRARIES.other);
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
