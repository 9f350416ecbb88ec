/**
 * Guarantee: a {@link Checkpoint} was read from a note that has exactly one
 * form; whose signature it is says only {@link checkNote}. The text profile is
 * described in audit/EVENTS.md. Imports only proto, so that the verifier shares
 * no code with the writer of the log.
 */
import { domainSeparated, type Sm2PublicKey, type SmProvider } from "@lightferry/proto/sm";

/** Origins are `lightferry/audit/<node id>`; node ids are short names. */
export const MAX_NOTE_BYTES = 1024;
const KEY_ID_BYTES = 16;
const SIGNATURE_BYTES = 64;

export interface Checkpoint {
  /** `lightferry/audit/<node id>`. */
  readonly origin: string;
  readonly size: number;
  readonly root: Uint8Array;
  /** Time in ms that every event of the batch was logged with. */
  readonly loggedMs: number;
  readonly keyId: string;
  readonly signature: Uint8Array;
  /** The signed bytes: everything up to and with the line end before the blank line. */
  readonly text: string;
}

const NOTE_FORM =
  /^((lightferry\/audit\/[A-Za-z0-9._-]{1,64})\n(0|[1-9][0-9]{0,15})\n([A-Za-z0-9+/]{43}=)\nlogged (0|[1-9][0-9]{0,15})\n)\n— (\S+) ([A-Za-z0-9+/]+={0,2})\n$/u;

/** Undefined when the note is not of the profile. */
export function readNote(note: string): Checkpoint | undefined {
  if (note.length > MAX_NOTE_BYTES) return undefined;
  const match = NOTE_FORM.exec(note);
  if (match === null) return undefined;
  const [, text = "", origin = "", size = "", root = "", logged = "", name, blob = ""] = match;
  const rootBytes = Buffer.from(root, "base64");
  const blobBytes = Buffer.from(blob, "base64");
  const wellFormed =
    name === origin &&
    Number.isSafeInteger(Number(size)) &&
    Number.isSafeInteger(Number(logged)) &&
    rootBytes.toString("base64") === root &&
    blobBytes.toString("base64") === blob &&
    blobBytes.length === KEY_ID_BYTES + SIGNATURE_BYTES;
  if (!wellFormed) return undefined;
  return {
    origin,
    size: Number(size),
    root: new Uint8Array(rootBytes),
    loggedMs: Number(logged),
    keyId: blobBytes.subarray(0, KEY_ID_BYTES).toString("hex"),
    signature: new Uint8Array(blobBytes.subarray(KEY_ID_BYTES)),
    text,
  };
}

/** True when the key signed exactly this checkpoint. */
export function checkNote(
  provider: SmProvider,
  checkpoint: Checkpoint,
  key: Sm2PublicKey,
): boolean {
  const message = domainSeparated("checkpoint/1", Buffer.from(checkpoint.text, "utf8"));
  return provider.sm2Verify(key, message, checkpoint.signature);
}

export function originOf(nodeId: string): string {
  return `lightferry/audit/${nodeId}`;
}
