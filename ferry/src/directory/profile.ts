/**
 * Guarantee: what an appliance bears (names, sizes, how many files, how fast) stands in one profile, and
 * every file that the sender makes is within it. A profile that cannot hold a file is refused at the start.
 */
import {
  invalidField,
  readBoolean,
  readInteger,
  readOneOf,
  readOptionalInteger,
  readOptionalString,
  refuseUnknownFields,
} from "@lightferry/proto/service";
import { MAX_DATA_SHARDS, MAX_PARITY_SHARDS } from "../erasure/index.ts";
import { MAX_SHARDS } from "../frame.ts";
import { HEAD_ROOM } from "./head.ts";

/** Letters of one case only: many file systems do not tell them apart. */
const ALPHABETS = {
  upper: "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ",
  lower: "0123456789abcdefghijklmnopqrstuvwxyz",
  hex: "0123456789abcdef",
  digits: "0123456789",
} as const;

export interface Profile {
  /** Characters a name is made of; the order is that of counting. */
  readonly alphabet: string;
  /** Characters of a name before its extension, always all of them. */
  readonly nameLength: number;
  /** Without its dot; empty: none. */
  readonly extension: string;
  /** Files of one folder below the target; 0: all lie in the target itself. */
  readonly filesPerFolder: number;
  readonly maxFileBytes: number;
  /** The appliance notices a file that is renamed into place. */
  readonly renames: boolean;
  readonly dataParts: number;
  readonly parityParts: number;
  readonly passes: number;
  /** 0: no cap. */
  readonly filesPerMinute: number;
  /** 0: no cap. */
  readonly bytesPerSecond: number;
  /** What the appliance has not taken away; more waits with the outbox. */
  readonly maxWaitingFiles: number;
  readonly maxWaitingBytes: number;
}

/** Ten digits: 10^10 names; 6 letters and digits: 2·10^9. Fewer would come round while the appliance still has the old file. */
const MIN_NAMES = 1e6;
/** As long as names of any file system may be, extension included. */
const NAME_LENGTH = { min: 4, max: 64 };
/** Head and a useful payload … one file of 64 GiB holds the largest bundles a lane carries. */
const FILE_BYTES = { min: 65_536, max: 64 * 1024 ** 3 };
/** Field `part_bytes` has 32 bits. */
const MAX_PART_BYTES = 2 ** 32 - 1;
const DATA_PARTS = { min: 1, max: MAX_DATA_SHARDS };
const PARITY_PARTS = { min: 0, max: MAX_PARITY_SHARDS };
/** More often than thrice is a broken appliance. */
const PASSES = { min: 1, max: 3 };
const FILES_PER_FOLDER = { min: 0, max: 1_000_000 };
const FILES_PER_MINUTE = { min: 0, max: 600_000 };
const BYTES_PER_SECOND = { min: 0, max: 12_500_000_000 };
const WAITING_FILES = { min: 1, max: 1_000_000 };
const WAITING_BYTES = { min: FILE_BYTES.min, max: 2 ** 50 };

/** What most appliances bear; a profile names what is different. */
const DEFAULT = {
  maxFileBytes: 64 << 20,
  dataParts: 16,
  parityParts: 2,
  passes: 2,
  maxWaitingFiles: 1_000,
  maxWaitingBytes: 16 * 1024 ** 3,
} as const;

const FIELDS: readonly string[] = [
  ...["names", "nameLength", "extension", "filesPerFolder", "maxFileBytes", "renames"],
  ...["dataParts", "parityParts", "passes", "filesPerMinute", "bytesPerSecond"],
  ...["maxWaitingFiles", "maxWaitingBytes"],
];

/** @throws GatewayError `config.invalid` naming the field */
export function readProfile(raw: unknown, path: string): Profile {
  refuseUnknownFields(raw, path, FIELDS);
  const at = (name: string): string => `${path}.${name}`;
  const number = (
    name: keyof typeof DEFAULT,
    limits: { readonly min: number; readonly max: number },
  ): number => readOptionalInteger(raw, at(name), limits) ?? DEFAULT[name];
  const zero = (name: string, limits: { readonly min: number; readonly max: number }): number =>
    readOptionalInteger(raw, at(name), limits) ?? 0;
  const alphabet = ALPHABETS[readOneOf(raw, at("names"), ["upper", "lower", "hex", "digits"])];
  const extension = readOptionalString(raw, at("extension")) ?? "";
  if (!/^[A-Za-z0-9]{0,8}$/.test(extension))
    invalidField(at("extension"), "up to 8 of A-Z a-z 0-9");
  const profile: Profile = {
    alphabet,
    nameLength: readInteger(raw, at("nameLength"), NAME_LENGTH),
    extension,
    filesPerFolder: zero("filesPerFolder", FILES_PER_FOLDER),
    maxFileBytes: number("maxFileBytes", FILE_BYTES),
    renames: readBoolean(raw, at("renames")),
    dataParts: number("dataParts", DATA_PARTS),
    parityParts: number("parityParts", PARITY_PARTS),
    passes: number("passes", PASSES),
    filesPerMinute: zero("filesPerMinute", FILES_PER_MINUTE),
    bytesPerSecond: zero("bytesPerSecond", BYTES_PER_SECOND),
    maxWaitingFiles: number("maxWaitingFiles", WAITING_FILES),
    maxWaitingBytes: number("maxWaitingBytes", WAITING_BYTES),
  };
  checkTogether(profile, at);
  return profile;
}

function checkTogether(profile: Profile, at: (name: string) => string): void {
  const { alphabet, nameLength, dataParts, parityParts, maxWaitingBytes, maxFileBytes } = profile;
  if (alphabet.length ** nameLength < MIN_NAMES) {
    invalidField(at("nameLength"), `at least ${MIN_NAMES} names are expected`);
  }
  if (dataParts + parityParts > MAX_SHARDS) {
    invalidField(at("parityParts"), `dataParts and parityParts together up to ${MAX_SHARDS}`);
  }
  if (maxWaitingBytes < maxFileBytes) {
    invalidField(at("maxWaitingBytes"), "room for one file is expected");
  }
}

/** Payload of a full part. */
export function partBytesOf({ maxFileBytes }: Profile): number {
  return Math.min(maxFileBytes - HEAD_ROOM, MAX_PART_BYTES);
}

/** Where a file goes: a name of ours, never one that was read. */
export interface FileName {
  /** Name of the folder below the target; undefined: the target itself. */
  readonly folder: string | undefined;
  readonly name: string;
}

/** Names in the order of their numbers; after the last one it begins anew. */
export function nameOf(profile: Profile, number: number): FileName {
  const { extension, filesPerFolder } = profile;
  const name = counted(profile, number) + (extension === "" ? "" : `.${extension}`);
  if (filesPerFolder === 0) return { folder: undefined, name };
  return { folder: counted(profile, Math.floor(number / filesPerFolder)), name };
}

function counted({ alphabet, nameLength }: Profile, number: number): string {
  let left = number;
  let text = "";
  for (let place = 0; place < nameLength; place += 1) {
    text = `${alphabet[left % alphabet.length] ?? ""}${text}`;
    left = Math.floor(left / alphabet.length);
  }
  return text;
}

/** Whether a name is one that {@link nameOf} could have made. */
export function isOwnName({ alphabet, nameLength, extension }: Profile, name: string): boolean {
  const dotted = extension === "" ? "" : `.${extension}`;
  const stem = name.slice(0, nameLength);
  return (
    name === stem + dotted &&
    stem.length === nameLength &&
    [...stem].every((c) => alphabet.includes(c))
  );
}
