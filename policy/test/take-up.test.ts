/** Guarantee checked: every line of the record of key operations becomes events once, in order; a record that is not the one it was is told. */
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { GatewayError } from "@lightferry/proto/errors";
import { EventJournal } from "@lightferry/proto/event";
import {
  actionsDirBeside,
  actionsFile,
  silentLogger,
  withKeyAction,
} from "@lightferry/proto/service";
import { formatKeyId, loadProvider } from "@lightferry/proto/sm";
import { afterAll, afterEach, beforeEach, expect, test } from "vitest";
import { TakeUp } from "../src/keys/take-up.ts";

const provider = loadProvider();
const key = provider.generateSm2();
const keyId = formatKeyId(key.publicKey);

interface Event {
  readonly type: string;
  readonly outcome: string;
  readonly code?: string | undefined;
  readonly actor?: string | undefined;
  readonly digest?: Uint8Array | undefined;
  readonly attributes?: Readonly<Record<string, string>> | undefined;
}

let home = "";
let events: Event[] = [];
let faults: unknown[] = [];
let takeUp: TakeUp;
const keyFolder = () => join(home, "keys", "sign");
const dir = () => actionsDirBeside(keyFolder());

/** As after a start of the service; its events go through a real journal's encoding. */
function started(record?: (events: Event[]) => Promise<void>): TakeUp {
  return new TakeUp({
    ...{ dir: dir(), stateDir: join(home, "state") },
    journal: {
      record: async (recorded) => {
        await record?.(recorded);
        await journal.record(recorded);
        events.push(...recorded);
      },
    },
    failed: (error) => void faults.push(error),
  });
}

let journal: EventJournal;

beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), "lf-take-up-"));
  mkdirSync(join(home, "state"));
  journal = await EventJournal.open({
    ...{ dir: join(home, "journal"), zone: "extranet", node: "node-extranet", emitter: "policy" },
    log: silentLogger(),
  });
  [events, faults] = [[], []];
  takeUp = started();
});

afterEach(async () => {
  await takeUp.close();
  await journal.close();
  rmSync(home, { recursive: true, force: true });
});
afterAll(() => key.destroy());

async function act(operator: string, uses = 1): Promise<void> {
  const wish = {
    keyFolder: keyFolder(),
    verb: "keys request",
    operator,
    about: { zone: "extranet" },
  };
  await withKeyAction(wish, (action) => {
    for (let i = 0; i < uses; i++) action.provider.sm2Sign(key, Buffer.from("request"));
    action.note({ keys: [keyId], serials: ["1f"] });
  });
}

test("intent, end and uses are told with their line, once, also after a restart", async () => {
  await takeUp.look();
  expect(events).toEqual([]);
  await act("王工", 3);
  await takeUp.look();
  expect(events).toMatchObject([
    {
      ...{ type: "key.action-begun", outcome: "ok", actor: "王工" },
      attributes: { verb: "keys request", line: "1", "about.zone": "extranet" },
    },
    {
      ...{ type: "key.action-ended", outcome: "ok", actor: "王工" },
      attributes: {
        ...{ line: "2", begun: "1", keys: keyId, serials: "1f" },
        uses: `${keyId} sign 3`,
      },
    },
    {
      ...{ type: "key.used", actor: "command" },
      attributes: { "key-id": keyId, operation: "sign", total: "3", uses: "3", exact: "yes" },
    },
  ]);
  const text = readFileSync(actionsFile(dir()), "utf8").split("\n");
  expect(events[1]?.digest).toEqual(Buffer.from(provider.sm3(Buffer.from(text[1] ?? ""))));
  takeUp = started();
  await act("李工", 2);
  await takeUp.look();
  await takeUp.look();
  expect(events.slice(3).map(({ attributes }) => attributes?.line)).toEqual(["3", "4", "4"]);
  expect(events.at(-1)?.attributes).toMatchObject({ total: "5", uses: "2" });
  expect(faults).toEqual([]);
});

test("a failed command is told with its code; one without an end stays a beginning", async () => {
  const wish = { keyFolder: keyFolder(), verb: "keys backup", operator: "王工", about: {} };
  const fault = new GatewayError("sm.key-locked");
  await expect(withKeyAction(wish, () => Promise.reject(fault))).rejects.toBe(fault);
  await takeUp.look();
  expect(events[1]).toMatchObject({
    ...{ type: "key.action-ended", outcome: "error", code: "sm.key-locked" },
  });
  const lines = readFileSync(actionsFile(dir()), "utf8").split("\n");
  writeFileSync(actionsFile(dir()), `${lines[0]}\n`);
  rmSync(join(home, "state", "key-actions-taken.json"));
  takeUp = started();
  await takeUp.look();
  expect(events.slice(2)).toMatchObject([{ type: "key.action-begun" }]);
});

test("what the journal does not take is tried again, none is lost or told twice", async () => {
  for (let i = 0; i < 40; i++) await act(`operator-${i}`, 0);
  let left = 1;
  takeUp = started(async () => {
    if (left-- === 0) throw new GatewayError("journal.full");
  });
  await takeUp.look();
  expect(faults).toMatchObject([{ code: "journal.full" }]);
  expect(events).toHaveLength(64);
  await takeUp.look();
  expect(events.map(({ attributes }) => attributes?.line)).toEqual(
    Array.from({ length: 80 }, (_, i) => String(i + 1)),
  );
});

test("altered, cut, exchanged or removed: told once each, nothing taken from it, the right one goes on", async () => {
  await act("王工");
  await act("李工");
  await takeUp.look();
  const before = events.length;
  const file = actionsFile(dir());
  const kept = join(home, "kept.jsonl");
  cpSync(file, kept);
  const text = readFileSync(kept, "utf8");
  const other = join(home, "other", "sign");
  await withKeyAction(
    { keyFolder: other, verb: "keys destroy", operator: "x", about: {} },
    () => undefined,
  );
  await withKeyAction(
    { keyFolder: other, verb: "keys destroy", operator: "y", about: {} },
    () => undefined,
  );
  const cases: (() => void)[] = [
    () => writeFileSync(file, text.replace("王工", "赵工")),
    () => writeFileSync(file, text.split("\n").slice(0, 2).join("\n").concat("\n")),
    () => cpSync(actionsFile(actionsDirBeside(other)), file),
    () => rmSync(file),
  ];
  for (const [index, spoil] of cases.entries()) {
    spoil();
    await takeUp.look();
    await takeUp.look();
    takeUp = started();
    await takeUp.look();
    expect(events.slice(before), String(index)).toHaveLength(index + 1);
    expect(events.at(-1)).toMatchObject({
      ...{ type: "key.actions-damaged", outcome: "error", code: "key.actions-damaged" },
      attributes: { line: "4" },
    });
  }
  renameSync(kept, file);
  await act("孙工", 0);
  await takeUp.look();
  expect(events.slice(before + cases.length)).toMatchObject([
    { type: "key.action-begun", actor: "孙工", attributes: { line: "5" } },
    { type: "key.action-ended" },
  ]);
});

test("a position that is not as it was written stops the take-up instead of telling all anew", async () => {
  await act("王工");
  await takeUp.look();
  const before = events.length;
  for (const text of ["", "{}", '{"line":-1}', '{"line":0,"head":"00","told":""}']) {
    writeFileSync(join(home, "state", "key-actions-taken.json"), text);
    takeUp = started();
    await takeUp.look();
    expect(faults.at(-1), text).toMatchObject({ code: "key.actions-damaged" });
  }
  expect(events).toHaveLength(before);
});
