/** Guarantee: a file name that crosses is one segment that means the same on every system. */
import { GatewayError } from "@lightferry/proto/errors";

/** What common file systems take. */
const MAX_NAME_BYTES = 255;
/** Separators, what Windows reserves, and controls. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused.
const FORBIDDEN = /[/\\:*?"<>|\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/;

/** @throws GatewayError `upload.name-invalid`. */
export function checkFileName(name: string): string {
  const valid =
    name.isWellFormed() &&
    name !== "" &&
    name !== "." &&
    name !== ".." &&
    !FORBIDDEN.test(name) &&
    !/[ .]$/.test(name) &&
    Buffer.byteLength(name) <= MAX_NAME_BYTES;
  if (!valid) throw new GatewayError("upload.name-invalid");
  return name;
}
