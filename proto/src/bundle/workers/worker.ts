/**
 * Guarantee: one task after the other, done wholly on this thread: encrypted
 * into the lanes where it is hashed and written from there, or read into them
 * and decrypted out of them; or an item's SM3 taken on, whose state this thread
 * alone has and keeps until its digest is asked for. Plaintext and key stay in the slot; the copy of the
 * key that the cipher gets is wiped after each task.
 */
import { readvSync, writevSync } from "node:fs";
import { parentPort } from "node:worker_threads";
import { GatewayError } from "../../errors/index.ts";
import { loadProvider, type Sm3Hash, type SmProvider } from "../../sm/index.ts";
import { groupNonce } from "../chunk-group.ts";
import { ChunkState, markMismatches } from "../chunk-reader.ts";
import { type ChunkRooms, GROUP_CHUNKS, laneRooms } from "../chunk-rooms.ts";
import { withoutFirst } from "../chunk-writer.ts";
import { DIGEST_BYTES, TAG_BYTES } from "../limits.ts";
import { Slot } from "./slot.ts";
import {
  asFault,
  type GroupTask,
  type HashTask,
  type OpenTask,
  type SealTask,
  type Task,
  type TaskAnswer,
  type TaskMessage,
  type WorkerProvider,
} from "./task.ts";

interface Tools {
  readonly provider: SmProvider;
  readonly rooms: ChunkRooms;
}

const loaded = new Map<WorkerProvider, Tools>();

function toolsFor(name: WorkerProvider): Tools {
  let tools = loaded.get(name);
  if (tools === undefined) {
    const provider = loadProvider(name);
    tools = { provider, rooms: laneRooms(provider) };
    loaded.set(name, tools);
  }
  return tools;
}

function seal({ provider, rooms }: Tools, task: SealTask, slot: Slot, key: Uint8Array): void {
  const { group } = task;
  const aad = Uint8Array.from(slot.aad);
  let at = 0;
  const sealed = group.lengths.map((length, lane) => {
    const plaintext = slot.data.subarray(at, at + length - TAG_BYTES);
    at += plaintext.length;
    const room = rooms.buffer(lane, length);
    return provider.sm4GcmEncrypt(key, groupNonce(group, lane), plaintext, aad, room);
  });
  rooms.digest(group.lengths, slot.digests);
  writeAll(task.fd, sealed, group.at);
}

function writeAll(fd: number, parts: readonly Uint8Array[], offset: number): void {
  let rest = parts;
  for (let at = offset; rest.length > 0; ) {
    const written = writevSync(fd, rest, at);
    at += written;
    rest = withoutFirst(rest, written);
  }
}

const digests = new Uint8Array(GROUP_CHUNKS * DIGEST_BYTES);

function openGroup({ provider, rooms }: Tools, task: OpenTask, slot: Slot, key: Uint8Array): void {
  const { group, check, decrypt } = task;
  const sealed = group.lengths.map((length, lane) => rooms.buffer(lane, length));
  if (task.fd === undefined) takeFromSlot(sealed, slot);
  else readAll(task.fd, sealed, group.at, slot.states);
  if (check) {
    rooms.digest(group.lengths, digests);
    const expected = slot.digests.subarray(0, group.lengths.length * DIGEST_BYTES);
    markMismatches(digests, expected, slot.states);
  }
  if (!decrypt) return;
  const aad = Uint8Array.from(slot.aad);
  let at = 0;
  for (const [lane, bytes] of sealed.entries()) {
    const room = slot.data.subarray(at, at + bytes.length - TAG_BYTES);
    at += room.length;
    if (slot.states[lane] !== ChunkState.GOOD) continue;
    try {
      provider.sm4GcmDecrypt(key, groupNonce(group, lane), bytes, aad, room);
    } catch (error) {
      if (!(error instanceof GatewayError)) throw error;
      slot.states[lane] = ChunkState.DECRYPT;
    }
  }
}

/** The plaintext takes the place of the sealed chunks afterwards. */
function takeFromSlot(sealed: readonly Uint8Array[], slot: Slot): void {
  let at = 0;
  for (const room of sealed) {
    room.set(slot.data.subarray(at, at + room.length));
    at += room.length;
  }
}

function readAll(
  fd: number,
  rooms: readonly Uint8Array[],
  offset: number,
  states: Uint8Array,
): void {
  states.fill(ChunkState.GOOD);
  let rest = rooms;
  for (let at = offset; rest.length > 0; ) {
    const read = readvSync(fd, rest, at);
    if (read === 0) break;
    at += read;
    rest = withoutFirst(rest, read);
  }
  // The file ended: what is not full is short of its end.
  states.fill(ChunkState.TRUNCATED, rooms.length - rest.length, rooms.length);
}

const hashes = new Map<number, Sm3Hash>();

function hashOf(number: number): Sm3Hash {
  const hash = hashes.get(number);
  // It failed before: what would come out now is the digest of something else.
  if (hash === undefined) throw new GatewayError("internal.fault", { detail: "no such hash" });
  return hash;
}

function goOn({ hash, start, provider, memory, from, to }: HashTask): void {
  if (start !== undefined) hashes.set(hash, toolsFor(provider).provider.createSm3(start));
  const running = hashOf(hash);
  hashes.delete(hash);
  running.update(Buffer.from(memory, from, to - from));
  hashes.set(hash, running);
}

function digestOf(number: number): Uint8Array {
  const running = hashOf(number);
  hashes.delete(number);
  return running.digest();
}

function perform(task: GroupTask): void {
  const slot = new Slot(task.memory);
  const tools = toolsFor(task.provider);
  const key = Uint8Array.from(slot.key);
  try {
    if (task.kind === "seal") seal(tools, task, slot, key);
    else openGroup(tools, task, slot, key);
  } finally {
    key.fill(0);
  }
}

function answer(task: Task): Uint8Array | undefined {
  if (task.kind === "digest") return digestOf(task.hash);
  if (task.kind === "hash") goOn(task);
  else perform(task);
  return undefined;
}

parentPort?.on("message", ({ id, task }: TaskMessage) => {
  let given: TaskAnswer;
  try {
    const digest = answer(task);
    given = digest === undefined ? { id } : { id, digest };
  } catch (error) {
    given = { id, fault: asFault(error) };
  }
  parentPort?.postMessage(given);
});
