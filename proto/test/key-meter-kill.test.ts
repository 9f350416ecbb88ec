import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { decodeCanonical } from "../src/canonical.ts";
import { EventJournal } from "../src/event/index.ts";
import { lightferry } from "../src/gen/index.js";
import { silentLogger } from "../src/service/index.ts";
import { formatKeyId, loadProvider } from "../src/sm/index.ts";
import { runProgram, serviceProgram, serviceSettings } from "./service-program.ts";

const provider = loadProvider();
/** The key that the service signs with. */
const SCALAR = "11".repeat(32);

let dir: string;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "lf-meter-"));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

describe("a service killed in the middle", () => {
  it("has an upper bound in its log that is never below what was signed", async () => {
    const program = serviceProgram(`
      const key = shell.provider.importSm2(Buffer.from("${SCALAR}", "hex"));
      shell.ready();
      let signed = 0;
      const more = () => {
        for (let i = 0; i < 10; i += 1, signed += 1) shell.provider.sm2Sign(key, Buffer.from("m"));
        process.stdout.write("signed " + signed + "\\n");
        setImmediate(more);
      };
      if (process.env.SIGN === "1") more();
      else setInterval(() => undefined, 1000);
    `);
    const run = async (sign: string, until: RegExp, signal: NodeJS.Signals) => {
      const how = { env: { SIGN: sign }, until, signal };
      return (await runProgram(dir, program, serviceSettings(dir), how)).said;
    };
    const said = await run("1", /signed 300\n/, "SIGKILL");
    const signed = Number(said.match(/signed (\d+)\n(?![\s\S]*signed \d+\n)/)?.[1]);
    expect(signed).toBeGreaterThanOrEqual(300);
    expect(await run("0", /"event":"ready"/, "SIGTERM")).toContain('"ready"');

    const counts = await eventsOf(join(dir, "state", "journal"));
    const reserved = counts.filter(({ type }) => type === "key.use-reserved");
    const highest = Math.max(...reserved.map(({ attributes }) => Number(attributes.to)));
    expect(highest).toBeGreaterThanOrEqual(signed);
    const [used] = counts.filter(({ type }) => type === "key.used");
    expect(used?.attributes).toMatchObject({
      "key-id": formatKeyId(provider.importSm2(Buffer.from(SCALAR, "hex")).publicKey),
      operation: "sign",
      exact: "no",
    });
    expect(Number(used?.attributes.total)).toBeGreaterThanOrEqual(signed);
  });
});

/** The events of a journal folder, in order: what a sink would get. */
async function eventsOf(
  folder: string,
): Promise<{ type: string; attributes: Record<string, string> }[]> {
  const { Event } = lightferry.audit.v1;
  const events: { type: string; attributes: Record<string, string> }[] = [];
  const opened = await EventJournal.open({
    dir: folder,
    zone: "extranet",
    node: "node-extranet",
    emitter: "policy",
    log: silentLogger(),
    sink: {
      append: async (request: { events?: Uint8Array[] | null }) => {
        for (const bytes of request.events ?? []) {
          const { type, attributes } = decodeCanonical(Event, bytes);
          const pairs = (attributes ?? []).map(({ name, value }) => [name ?? "", value ?? ""]);
          events.push({ type: type ?? "", attributes: Object.fromEntries(pairs) });
        }
        return {};
      },
    } as never,
  });
  await opened.drained();
  await opened.close();
  return events;
}
