/** Guarantee: a trust keeper over a throw-away PKI, with a journal and a clock that tests look into. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { EventInput } from "@lightferry/proto/event";
import { familiarPki, type TestPki } from "@lightferry/proto/testing";
import { writeTrustItems } from "@lightferry/proto/trust";
import { TrustKeeper } from "../src/trust/keeper.ts";
import { provider } from "./plan.ts";

export const NODE = "node-extranet";
export const FAR_NODE = "node-business";
export const ORIGIN = { actor: "operator", source: "medium", bundleId: undefined };

export interface TrustWorld {
  readonly pki: TestPki;
  readonly folder: string;
  readonly stateDir: string;
  readonly events: EventInput[];
  /** Unix milliseconds, as the keeper sees it. */
  nowMs: number;
  keeper: TrustKeeper;
  /** A further life on the same folder. */
  reopen(zoneBytes?: number): Promise<TrustKeeper>;
  /** Type, code and attributes of the events since the last call. */
  told(): { type: string; outcome: string; code: string; attributes: Record<string, string> }[];
  close(): Promise<void>;
}

export async function trustWorld(): Promise<TrustWorld> {
  const pki = await familiarPki({ zones: { extranet: NODE, business: FAR_NODE } });
  const stateDir = mkdtempSync(join(tmpdir(), "lightferry-trust-"));
  const folder = join(stateDir, "trust");
  await keep(pki, folder);
  const events: EventInput[] = [];
  const journal = { record: async (inputs: EventInput[]) => void events.push(...inputs) };
  const open = (zoneBytes?: number): Promise<TrustKeeper> =>
    TrustKeeper.open({
      ...(zoneBytes === undefined ? {} : { zoneBytes }),
      ...{ provider, folder, root: pki.root, mode: "demo", journal },
      now: () => world.nowMs,
    });
  const world: TrustWorld = {
    ...{ pki, folder, stateDir, events },
    nowMs: Date.now(),
    keeper: undefined as never,
    reopen: async (zoneBytes) => {
      world.keeper = await open(zoneBytes);
      return world.keeper;
    },
    told: () =>
      events.splice(0).map(({ type, outcome, code = "", attributes = {} }) => ({
        ...{ type, outcome, code, attributes: { ...attributes } },
      })),
    close: async () => {
      rmSync(stateDir, { recursive: true, force: true });
      await pki.cleanup();
    },
  };
  await world.reopen();
  return world;
}

/** What the PKI has now, as a set-up leaves it. */
export async function keep(pki: TestPki, folder: string): Promise<void> {
  const { certificates, revocationLists } = pki.store;
  await writeTrustItems(provider, folder, [
    ...certificates.map(({ der }) => ({ kind: "certificate" as const, der })),
    ...revocationLists.map(({ der }) => ({ kind: "revocation-list" as const, der })),
  ]);
}
