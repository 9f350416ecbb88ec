/**
 * Guarantee: every answer of a device other than 0 becomes one GatewayError that
 * says who must act, with the name the standard gives the number (GM/T 0018 annex
 * A) or the bare number where a maker has its own.
 */
import { type ErrorCode, GatewayError } from "../../errors/index.ts";

export const SDR_OK = 0;
const SDR_BASE = 0x0100_0000;

/** Numbers above SDR_BASE, their names, and what each means to us. */
const CODES: Readonly<Record<number, readonly [name: string, code: ErrorCode]>> = {
  1: ["SDR_UNKNOWERR", "sm.hsm-failed"],
  2: ["SDR_NOTSUPPORT", "sm.hsm-unsupported"],
  3: ["SDR_COMMFAIL", "sm.hsm-unavailable"],
  4: ["SDR_HARDFAIL", "sm.hsm-unavailable"],
  5: ["SDR_OPENDEVICE", "sm.hsm-unavailable"],
  6: ["SDR_OPENSESSION", "sm.hsm-sessions"],
  7: ["SDR_PARDENY", "sm.hsm-password"],
  8: ["SDR_KEYNOTEXIST", "sm.hsm-key"],
  9: ["SDR_ALGNOTSUPPORT", "sm.hsm-unsupported"],
  10: ["SDR_ALGMODNOTSUPPORT", "sm.hsm-unsupported"],
  11: ["SDR_PKOPERR", "sm.hsm-failed"],
  12: ["SDR_SKOPERR", "sm.hsm-failed"],
  13: ["SDR_SIGNERR", "sm.hsm-failed"],
  14: ["SDR_VERIFYERR", "sm.hsm-failed"],
  15: ["SDR_SYMOPERR", "sm.hsm-failed"],
  16: ["SDR_STEPERR", "sm.hsm-failed"],
  17: ["SDR_FILESIZEERR", "sm.hsm-failed"],
  18: ["SDR_FILENOEXIST", "sm.hsm-failed"],
  19: ["SDR_FILEOFSERR", "sm.hsm-failed"],
  20: ["SDR_KEYTYPEERR", "sm.hsm-key"],
  21: ["SDR_KEYERR", "sm.hsm-key"],
  22: ["SDR_ENCDATAERR", "sm.hsm-failed"],
  23: ["SDR_RANDERR", "sm.hsm-unavailable"],
  24: ["SDR_PRKRERR", "sm.hsm-password"],
  25: ["SDR_MACERR", "sm.hsm-failed"],
  26: ["SDR_FILEEXISTS", "sm.hsm-failed"],
  27: ["SDR_FILEWERR", "sm.hsm-failed"],
  28: ["SDR_NOBUFFER", "sm.hsm-failed"],
  29: ["SDR_INARGERR", "sm.hsm-failed"],
  30: ["SDR_OUTARGERR", "sm.hsm-failed"],
  // GM/T 0018-2023; some makers use the number for a length error of their own.
  31: ["SDR_USERIDERR", "sm.hsm-failed"],
};

export const SDR_VERIFYERR = SDR_BASE + 14;
/**
 * What a device answers to a ciphertext that was not made for its key: no word on why, and no
 * sign of a device in trouble. Everything else is trouble of the device, and the data is kept.
 */
const UNDECRYPTABLE = new Set([12, 22, 29].map((number) => SDR_BASE + number));

export const isUndecryptable = (result: number): boolean => UNDECRYPTABLE.has(result);

/** Whether the session is of no more use: the device is gone, or says what no standard explains. */
export function endsSession(result: number): boolean {
  const row = CODES[result - SDR_BASE];
  return row === undefined || row[1] === "sm.hsm-unavailable";
}

/** @param call the function of the interface, for the detail */
export function sdfError(call: string, result: number): GatewayError {
  const [name, code] = CODES[result - SDR_BASE] ?? [
    `0x${(result >>> 0).toString(16).padStart(8, "0")}`,
    "sm.hsm-failed",
  ];
  return new GatewayError(code, { detail: `${call}: ${name}` });
}
