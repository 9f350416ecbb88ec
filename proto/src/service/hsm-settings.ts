/** Guarantee: the settings of a cipher machine are read whole, or named where they are wrong. */
import type { SdfKeySettings, SdfSettings } from "../sm/index.ts";
import {
  invalidField,
  readField,
  readInteger,
  readList,
  readOneOf,
  readString,
  refuseUnknownFields,
} from "./fields.ts";

/** What stands in a service's settings; where refused passwords are noted is the shell's business. */
export type HsmSettings = Omit<SdfSettings, "refusedPath">;

const WAYS = ["exchange", "internal"] as const;
const KINDS = ["sign", "encrypt"] as const;
/** Far above what any machine has; keeps a mistyped number out of a 32-bit argument. */
const MAX_INDEX = 1_000_000;

/**
 * `hsm: { library, decrypt?, keys: { sign?: [{ index, passwordFile }], encrypt?: […] } }`; see
 * proto/src/sm/README.md.
 * @throws GatewayError `config.invalid`
 */
export function readHsm(source: unknown, path: string): HsmSettings {
  refuseUnknownFields(source, path, ["library", "decrypt", "keys"]);
  refuseUnknownFields(source, `${path}.keys`, KINDS);
  const keys: { -readonly [K in (typeof KINDS)[number]]?: SdfKeySettings[] } = {};
  for (const kind of KINDS) {
    const place = `${path}.keys.${kind}`;
    if (readField(source, place) === undefined) continue;
    const list = readList(source, place);
    if (list.length === 0) invalidField(place, "at least one key is expected");
    keys[kind] = list.map((_, i) => {
      refuseUnknownFields(source, `${place}.${i}`, ["index", "passwordFile"]);
      return {
        index: readInteger(source, `${place}.${i}.index`, { min: 1, max: MAX_INDEX }),
        passwordFile: readString(source, `${place}.${i}.passwordFile`),
      };
    });
  }
  if (keys.sign === undefined && keys.encrypt === undefined) {
    invalidField(`${path}.keys`, "sign, encrypt or both are expected");
  }
  const ways = readField(source, `${path}.decrypt`);
  return {
    library: readString(source, `${path}.library`),
    keys,
    ...(ways === undefined ? {} : { decrypt: readOneOf(source, `${path}.decrypt`, WAYS) }),
  };
}
