import { execFileSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";

/** A small file system of its own, in a namespace of its own; not every system allows that. */
const NAMESPACE = ["--user", "--map-root-user", "--mount"];
const possible = (() => {
  try {
    execFileSync("unshare", [...NAMESPACE, "true"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
})();

const folders: string[] = [];
afterAll(async () => {
  for (const folder of folders) await rm(folder, { recursive: true, force: true });
});

const moduleUrl = (path: string): string => new URL(path, import.meta.url).href;

const PROGRAM = `
  import { rmSync, writeFileSync } from "node:fs";
  import { pino } from ${JSON.stringify(import.meta.resolve("pino"))};
  import { EventJournal } from ${JSON.stringify(moduleUrl("../src/event/index.ts"))};
  import { decodeCanonical } from ${JSON.stringify(moduleUrl("../src/canonical.ts"))};
  import { lightferry } from ${JSON.stringify(moduleUrl("../src/gen/index.js"))};
  const [, , disk] = process.argv;
  writeFileSync(disk + "/ballast", Buffer.alloc(64 * 1024));
  const settings = {
    dir: disk + "/journal", zone: "extranet", node: "n", emitter: "seal", log: pino({ level: "silent" }),
  };
  const first = await EventJournal.open(settings);
  const event = { type: "exchange.received", outcome: "ok", actor: "x".repeat(300) };
  const codes = new Set();
  let recorded = 0;
  const fill = async () => {
    for (;;) {
      try {
        await first.record([event, event]);
        recorded += 2;
      } catch (error) {
        codes.add(error.code);
        return;
      }
    }
  };
  await Promise.all(Array.from({ length: 8 }, fill));
  rmSync(disk + "/ballast");
  await first.record([event]);
  recorded += 1;
  await first.close();
  const sequences = [];
  const second = await EventJournal.open({
    ...settings,
    sink: {
      append: async (request) => {
        for (const bytes of request.events) {
          sequences.push(decodeCanonical(lightferry.audit.v1.Event, bytes).emitterSequence);
        }
      },
    },
  });
  await second.drained();
  await second.close();
  const inOrder = sequences.every((sequence, index) => sequence === index + 1);
  console.log(JSON.stringify({ codes: [...codes], recorded, found: sequences.length, inOrder }));
`;

it.skipIf(!possible)(
  "a full disk stops with journal.full and loses nothing that was recorded",
  async () => {
    const folder = await mkdtemp(join(tmpdir(), "lf-full-disk-"));
    const mountPoint = await mkdtemp(join(tmpdir(), "lf-disk-"));
    folders.push(folder, mountPoint);
    await writeFile(join(folder, "program.mjs"), PROGRAM);
    const mount = `mount -t tmpfs -o size=256k lightferry ${mountPoint}`;
    const output = execFileSync(
      "unshare",
      [
        ...NAMESPACE,
        "sh",
        "-c",
        `${mount} && exec ${process.execPath} ${join(folder, "program.mjs")} ${mountPoint}`,
      ],
      { encoding: "utf8" },
    );
    const result = JSON.parse(output) as { codes: string[]; recorded: number; found: number };
    expect(result).toMatchObject({ codes: ["journal.full"], inOrder: true });
    expect(result.recorded).toBeGreaterThan(100);
    expect(result.found).toBe(result.recorded);
  },
);
