/** Guarantee tested: two ferries of one lane, real programs with mutual TLS: one is killed in the middle, the other takes over what it held, each bundle is delivered once. */
import { randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { digestOf, eventually, FROM, HOST, LANE, place } from "./fixture.ts";
import { startPeers } from "./peers.ts";
import { type Program, startProgram } from "./program.ts";

const open: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

type Gate = Record<string, unknown>;
type Settings = Record<string, unknown> & { readonly gate: Gate };

/** The settings of a program, changed, in a file of their own. */
function changed(path: string, name: string, change: (settings: Settings) => object): string {
  const settings = JSON.parse(readFileSync(path, "utf8")) as Settings;
  const to = path.replace(/\.json$/, `-${name}.json`);
  writeFileSync(to, JSON.stringify(change(settings)));
  return to;
}

interface Counted {
  readonly bundles: {
    readonly emitted: number;
    readonly finished: number;
    readonly held: number;
    readonly takenOver: number;
  };
}

describe("two ferries of one lane", () => {
  test("one is killed in the middle: nothing is lost, nothing comes twice, and it forgets what it had when it is back", async () => {
    const at = place();
    open.push(async () => at.remove());
    const peers = await startPeers(at, { rate: 3e6, secondPassSeconds: 2 });
    open.push(() => peers.close());
    const rx = await startProgram(
      "rx",
      changed(peers.rxConfig(0), "both", ({ gate: { host: _, port: __, ...gate }, ...rest }) => ({
        ...rest,
        gate: { ...gate, links: [4, 7].map((link) => ({ link, host: HOST, port: 0 })) },
      })),
    );
    open.push(() => rx.end("SIGTERM"));
    const ports = (rx.ready.links as { readonly port: number }[]).map(({ port }) => port);
    const ferry = (link: number, port: number | undefined): Promise<Program> =>
      startProgram(
        "tx",
        changed(peers.txConfig(port ?? 0), String(link), ({ gate, ...rest }) => ({
          ...rest,
          stateDir: join(at.root, `tx-${link}`),
          gate: { ...gate, link },
        })),
      );
    const status = (link: number) =>
      JSON.parse(readFileSync(join(at.root, `tx-${link}`, "status.json"), "utf8")) as Counted;
    const [first, second] = await Promise.all([ferry(4, ports[0]), ferry(7, ports[1])]);
    open.push(() => first.end("SIGTERM"));
    expect([first.ready.epoch, second.ready.epoch]).toEqual([4 * 2 ** 17 + 1, 7 * 2 ** 17 + 1]);
    const bundles = [];
    for (let count = 0; count < 60; count += 1) {
      bundles.push(await at.seal(randomBytes(count % 10 === 0 ? 1_500_000 : 30_000)));
    }
    for (const bundle of bundles) at.outbox.put(bundle);
    // Both have taken from the outbox, and some of it has left by each.
    await eventually(() => [4, 7].every((link) => status(link).bundles.emitted > 2)).toBe(true);
    await second.end("SIGKILL");
    const held = status(7).bundles.held;
    expect(held).toBeGreaterThan(0);
    // Its leases run out.
    at.outbox.leaseAgain(`${FROM}/7/ferry-tx`);
    await at.inbox.until(bundles.length);
    for (const bundle of bundles) {
      expect(digestOf(at.inbox.bytesOf(bundle))).toBe(digestOf(at.sealed(bundle)));
    }
    const back = await ferry(7, ports[1]);
    open.push(() => back.end("SIGTERM"));
    expect(back.ready.epoch).toBe(7 * 2 ** 17 + 2);
    await eventually(() => status(7).bundles).toMatchObject({ held: 0 });
    expect(status(7).bundles.takenOver).toBeGreaterThan(0);
    await eventually(() => status(4).bundles).toMatchObject({ held: 0 });
    const finished = at.outbox.acks.filter((ack) => ack.finished === true);
    const names = finished.map(({ bundleId }) => Buffer.from(bundleId ?? []).toString("hex"));
    expect(names.toSorted()).toEqual(bundles.map(({ file = "" }) => file?.slice(0, 32)).toSorted());
    // Each once at the inbox; what was begun by the dead ferry is not held for anything.
    expect(at.inbox.answers).toEqual(bundles.map(() => "accepted"));
    const picture = () =>
      JSON.parse(readFileSync(join(at.rxState, "status.json"), "utf8")) as object;
    await eventually(picture).toMatchObject({
      lanes: [{ lane: LANE, gaps: [], objects: 0, bundles: { delivered: bundles.length } }],
    });
  }, 120_000);
});
