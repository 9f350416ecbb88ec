/** Guarantee: which instructions of this processor the SM algorithms can use, from /proc/cpuinfo; never a reason to refuse. */
import { type Finding, NOTHING, UNKNOWN } from "./finding.ts";
import type { Machine } from "./machine.ts";

interface Features {
  /** libgcrypt computes SM4 and GHASH with these; without them it uses tables. */
  readonly base: readonly string[];
  /** Make it faster where present. */
  readonly more: readonly string[];
}

const FEATURES: Readonly<Record<string, Features>> = {
  x64: { base: ["aes", "pclmulqdq"], more: ["avx2", "avx512f", "gfni", "vaes"] },
  arm64: { base: ["aes", "pmull"], more: ["asimd", "sm3", "sm4", "sve"] },
};

/** @returns nothing on a system that does not list its processor's features. */
export function processor(machine: Machine): Finding[] {
  const text = machine.read("/proc/cpuinfo");
  const wanted = FEATURES[machine.arch];
  if (text === undefined || wanted === undefined) return [];
  const flags = new Set(/^(?:flags|Features)\s*:\s*(.*)$/m.exec(text)?.[1]?.split(/\s+/));
  const model = /^model name\s*:\s*(.*)$/m.exec(text)?.[1] ?? machine.arch;
  const list = (names: readonly string[]) =>
    names.map((name) => (flags.has(name) ? name : `${UNKNOWN}${name}`)).join(" ");
  const whole = wanted.base.every((name) => flags.has(name));
  return [
    {
      check: "cpu",
      state: whole ? "ok" : "warn",
      name: { zh: "处理器指令", en: "processor instructions" },
      found: `${model}: ${list([...wanted.base, ...wanted.more])}`,
      means: whole
        ? {
            zh: "libgcrypt 用 AES 指令计算 SM4，不查表",
            en: "libgcrypt computes SM4 with AES instructions, without tables",
          }
        : {
            zh: "SM4 查表计算：慢，且耗时可能随密钥变化",
            en: "SM4 uses tables: slow, and its time may depend on the key",
          },
      advice: whole
        ? NOTHING
        : {
            zh: "换用有这些指令的处理器；虚拟机请开放它们（CPU 模式 host）",
            en: "use a processor that has them; pass them to a virtual machine (CPU model host)",
          },
    },
  ];
}
