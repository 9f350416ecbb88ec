/**
 * Guarantee: grade and purpose of a dropped file come from the note beside it
 * (`<name>.json`) or from the folder's configuration, never from a guess.
 */
import { GatewayError } from "@lightferry/proto/errors";
import { openRegular } from "./open-regular.ts";

/** A note holds a handful of words. */
const MAX_NOTE_BYTES = 16_384;
const FIELDS = ["grade", "purpose", "orderingKey", "contentType"] as const;
const MAX_FIELD_CHARS = 256;
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused.
const FIELD_FORM = /^[^\u0000-\u001f\u007f]*$/;

export type Note = Partial<Record<(typeof FIELDS)[number], string>>;

/**
 * Reads a file as a note.
 * @returns undefined when it is not one: absent, too large, no JSON object, or without a grade.
 * @throws GatewayError `folder.sidecar-invalid` when it has a grade but also what does not belong;
 *   `folder.not-a-file` when it cannot be read as a file.
 */
export async function readNote(path: string): Promise<Note | undefined> {
  const text = await readStart(path);
  if (text === undefined) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, "grade")) {
    return undefined;
  }
  for (const [name, field] of Object.entries(value)) {
    const known = (FIELDS as readonly string[]).includes(name);
    const valid =
      typeof field === "string" &&
      field.length <= MAX_FIELD_CHARS &&
      FIELD_FORM.test(field) &&
      field.isWellFormed();
    // A name of our own alone: the file may be content after all, and its names somebody's data.
    if (!known || !valid) {
      throw new GatewayError("folder.sidecar-invalid", { detail: known ? name : "unknown field" });
    }
  }
  return value as Note;
}

async function readStart(path: string): Promise<string | undefined> {
  const file = await openRegular(path);
  if (file === undefined) return undefined;
  try {
    const buffer = Buffer.alloc(MAX_NOTE_BYTES + 1);
    const { bytesRead } = await file.read(buffer, 0, buffer.length, 0);
    return bytesRead > MAX_NOTE_BYTES ? undefined : buffer.toString("utf8", 0, bytesRead);
  } finally {
    await file.close();
  }
}
