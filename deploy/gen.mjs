/**
 * Guarantee: proto/src/gen, the *.wasm of proto/wasm and ferry/wasm, and proto/ERRORS.md are exactly
 * what the schemas, the sources in AssemblyScript and WebAssembly text and the error table say; `--check` exits 1 on any
 * difference.
 */
import { execFileSync } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const schemas = readdirSync(join(root, "proto/lightferry"), { recursive: true })
  .filter((name) => name.endsWith(".proto"))
  .sort()
  .map((name) => join("lightferry", name));
const flags =
  "-t static-module -w esm --no-create --no-verify --no-convert --no-delimited --no-typeurl --no-service --force-number".split(
    " ",
  );
const pbjs = join(root, "node_modules/protobufjs-cli/bin/pbjs");
const asc = join(root, "node_modules/assemblyscript/bin/asc.js");
const { default: binaryen } = await import("../node_modules/assemblyscript/lib/binaryen.js");
const scratch = mkdtempSync(join(tmpdir(), "lightferry-gen-"));
try {
  // Declarations come from comments, so they are made in a run of their own.
  const run = (extra) =>
    execFileSync(process.execPath, [pbjs, ...flags, ...extra, "-p", "proto", ...schemas], {
      cwd: root,
      env: { ...process.env, PATH: `${join(root, "node_modules/.bin")}:${process.env.PATH}` },
      stdio: ["ignore", "inherit", "inherit"],
    });
  run(["--dts", "-o", join(scratch, "full.js")]);
  run(["--no-comments", "-o", join(scratch, "index.js")]);
  // 64-bit integers are JS numbers, as the declarations say: protobufjs would hand out `Long`
  // objects whenever that package happens to be installed. What a number cannot hold exactly is
  // refused by proto/src/canonical.ts, because it would be written back as other bytes.
  const importLine = 'import $protobuf from "protobufjs/minimal.js";\n';
  const code = readFileSync(join(scratch, "index.js"), "utf8");
  if (!code.includes(importLine)) throw new Error("pbjs no longer writes the expected import line");
  // No runtime, and a memory that never grows: views of it stay valid. 17 pages of 64 KiB are four
  // lanes and the working area (proto/wasm/sm3-lanes.as).
  const assemble = (source, made, options) => {
    copyFileSync(join(root, `${source}.as`), join(scratch, `${made}.ts`));
    execFileSync(
      process.execPath,
      [asc, `${made}.ts`, "-o", `${made}.wasm`].concat(
        `-O3 --noAssert --runtime stub --enable simd ${options}`.split(" "),
      ),
      { cwd: scratch, stdio: ["ignore", "inherit", "inherit"] },
    );
    return readFileSync(join(scratch, `${made}.wasm`));
  };
  // Text, where a module has two memories: AssemblyScript knows one.
  const assembleText = (source) => {
    const module = binaryen.parseText(readFileSync(join(root, `${source}.wat`), "utf8"));
    module.setFeatures(binaryen.Features.All);
    if (module.validate() === 0) throw new Error(`${source}.wat is not valid`);
    binaryen.setOptimizeLevel(3);
    module.optimize();
    return Buffer.from(module.emitBinary());
  };
  const sm3 = "--initialMemory 17 --maximumMemory 17";
  // One source, two instructions for the same lookup; the memory comes from the caller.
  const erasure = "--importMemory --initialMemory 2";
  // Any size of a shared memory that the caller brings.
  const sums =
    "--enable threads --importMemory --sharedMemory --initialMemory 1 --maximumMemory 65536";
  const made = {
    "proto/wasm/sm3-lanes.wasm": assemble("proto/wasm/sm3-lanes", "sm3-lanes", sm3),
    "proto/wasm/sm3-lanes-relaxed.wasm": assemble(
      "proto/wasm/sm3-lanes",
      "sm3-lanes-relaxed",
      `--enable relaxed-simd ${sm3}`,
    ),
    "ferry/wasm/erasure-simd.wasm": assemble("ferry/wasm/erasure", "erasure-simd", erasure),
    "ferry/wasm/erasure-relaxed.wasm": assemble(
      "ferry/wasm/erasure",
      "erasure-relaxed",
      `--enable relaxed-simd ${erasure}`,
    ),
    "ferry/wasm/frame-sum.wasm": assemble("ferry/wasm/frame-sum", "frame-sum", sums),
    // Imports the source before it.
    "ferry/wasm/frames-in.wasm": assemble("ferry/wasm/frames-in", "frames-in", sums),
    "ferry/wasm/frame-copy.wasm": assembleText("ferry/wasm/frame-copy"),
    "proto/src/gen/index.js": Buffer.from(
      code.replace(
        importLine,
        `${importLine}\n$protobuf.util.Long = null;\n$protobuf.configure();\n`,
      ),
    ),
    "proto/src/gen/index.d.ts": readFileSync(join(scratch, "full.d.ts")),
  };
  for (const [name, bytes] of Object.entries(made)) {
    const target = join(root, name);
    if (process.argv.includes("--check")) {
      if (!existsSync(target) || !bytes.equals(readFileSync(target))) {
        console.error(`${name} is not what its source says: run npm run gen`);
        process.exitCode = 1;
      }
    } else {
      writeFileSync(target, bytes);
    }
  }
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
if (!process.argv.includes("--check")) {
  execFileSync(process.execPath, [join(root, "deploy/src/checks/errors-page.ts")], { cwd: root });
}
