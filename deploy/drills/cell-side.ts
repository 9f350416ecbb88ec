/**
 * Guarantee: one zone's side of the isolation drill, run inside its namespace
 * as its user; it opens nothing but that zone's own folder and loopback.
 *
 * Usage: cell-side.ts submit HOME PORT_BASE REQUESTS FILE_BYTES SEED   → exchange ids
 *        cell-side.ts await  HOME ZONE STATE ID …                      → states
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { parseId } from "@lightferry/proto/ids";
import { ApiClient } from "../src/demo/api-client.ts";
import { Operators } from "../src/demo/follow.ts";
import { CALLERS, zonePaths, zonePorts } from "../src/layout.ts";
import { zoneName } from "../src/setup/zone-options.ts";
import { submitRequest, uploadResumable } from "./integrator.ts";
import { seededFrom } from "./random.ts";

const LIMIT_MS = 180_000;
const POLL_MS = 100;

async function submit([home = "", base, count, bytes, seed]: readonly string[]): Promise<string[]> {
  const deadline = Date.now() + LIMIT_MS;
  const operators = new Operators(home, ["extranet"]);
  const api = new ApiClient(
    `https://127.0.0.1:${zonePorts("extranet", Number(base)).api}`,
    readFileSync(join(zonePaths(home, "extranet").tls, "ca.pem")),
    await operators.issueToken("extranet", CALLERS.extranet),
  );
  const requests = Array.from({ length: Number(count) }, (_, i) =>
    submitRequest(api, "land-registration", "/records", `cell-${i}`, { number: i }, deadline),
  );
  const file = uploadResumable(
    api,
    {
      service: "bulk-data",
      name: "bulk.bin",
      size: Number(bytes),
      key: "cell-file",
      from: (offset) => seededFrom(Number(seed), Number(bytes), offset),
    },
    deadline,
  );
  const answers = await Promise.all([...requests, file]);
  api.close();
  operators.close();
  return answers.map((answer) => String(answer.body.exchangeId));
}

async function awaitStates([home = "", zone = "", wanted = "", ...ids]: readonly string[]): Promise<
  string[]
> {
  const deadline = Date.now() + LIMIT_MS;
  const name = zoneName(zone);
  const operators = new Operators(home, [name]);
  const states: string[] = [];
  for (const id of ids) {
    for (;;) {
      const state = (await operators.view(name, parseId(id)))?.state ?? "unknown";
      if (state === wanted || Date.now() > deadline) {
        states.push(state);
        break;
      }
      await delay(POLL_MS);
    }
  }
  operators.close();
  return states;
}

const [verb, ...rest] = process.argv.slice(2);
const result = verb === "submit" ? await submit(rest) : await awaitStates(rest);
process.stdout.write(`${JSON.stringify(result)}\n`);
