/** Guarantee: exports and imports of media in the process of a test, with real bundles, keys and folders. */
import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { lightferry } from "@lightferry/proto/gen";
import { type ExportParts, type ExportReport, exportMedium } from "../src/media/export.ts";
import { type ImportParts, type ImportReport, importMedium } from "../src/media/import.ts";
import { MANIFEST_NAME } from "../src/media/layout.ts";
import { MediumNumbers } from "../src/media/numbers.ts";
import { SeenMedia } from "../src/media/seen.ts";
import { Taker } from "../src/media/take.ts";
import { FROM, keys, LANE, type Place, pki, provider, showing, TO } from "./world.ts";

export type Leased = lightferry.ferry.v1.LeasedBundle.$Properties;

export const signer = showing(keys.ferry);

const forever = new AbortController().signal;

/** A new, empty medium. */
export function blank(at: Place): string {
  return mkdtempSync(join(at.root, "medium-"));
}

export async function exportTo(
  at: Place,
  dir: string,
  change: Partial<ExportParts> = {},
): Promise<ExportReport> {
  return await exportMedium({
    ...{ node: FROM, lane: LANE, receiver: TO, receiverZone: "business", dir, signer },
    ...{ outboxDir: at.outboxDir, custodians: ["张三", "<b>李四"], maxBytes: undefined },
    ...{ operator: "tester", numbers: await MediumNumbers.open(at.txState) },
    ...{ keys: () => pki.store.keyDirectory(), outbox: at.outbox, events: at.txEvents },
    signal: forever,
    ...change,
  });
}

export type ImportChange = Partial<Omit<ImportParts, "context">> & {
  readonly context?: Partial<ImportParts["context"]>;
  readonly checkOnly?: boolean;
};

export async function importFrom(
  at: Place,
  dir: string,
  { context, checkOnly = false, ...change }: ImportChange = {},
): Promise<ImportReport> {
  const seen = await SeenMedia.open(at.rxState);
  const events = at.rxEvents;
  const taker = await Taker.open({
    ...{ provider, lane: LANE, arrivalsDir: at.arrivalsDir, stateDir: at.rxState },
    ...{ inbox: at.inbox, events, signal: change.signal ?? forever },
  });
  try {
    return await importMedium({
      context: {
        ...{ provider, keys: () => pki.store.keyDirectory(), node: TO, zone: "business" },
        ...{ lane: LANE, expectedSender: FROM },
        ...context,
      },
      ...{ dir, arrivalsDir: at.arrivalsDir, acceptOlder: false, operator: "tester", seen },
      ...{ taking: checkOnly ? undefined : { taker, events }, signal: forever },
      ...change,
    });
  } finally {
    await seen.close();
  }
}

/** Seals bundles of these sizes and puts them into the outbox. */
export async function queue(at: Place, ...sizes: number[]): Promise<Leased[]> {
  const bundles: Leased[] = [];
  for (const size of sizes) {
    const bundle = await at.seal(randomBytes(size));
    at.outbox.put(bundle);
    bundles.push(bundle);
  }
  return bundles;
}

/** Hex of the id of a bundle. */
export function idOf({ bundleId }: { readonly bundleId?: Uint8Array | null }): string {
  return Buffer.from(bundleId ?? []).toString("hex");
}

/** Everything on a medium, by name, to be put onto others. */
export class Image {
  readonly files: ReadonlyMap<string, Buffer>;

  constructor(dir: string) {
    this.files = new Map(readdirSync(dir).map((name) => [name, readFileSync(join(dir, name))]));
  }

  /** A medium with this content. @param change what is different on it; undefined = not there */
  onto(at: Place, change: Readonly<Record<string, Uint8Array | undefined>> = {}): string {
    const dir = blank(at);
    for (const [name, bytes] of [...this.files, ...Object.entries(change)]) {
      if (!(name in change) || change[name] === bytes) {
        if (bytes !== undefined) writeFileSync(join(dir, name), bytes);
      }
    }
    return dir;
  }

  get manifest(): Buffer {
    return this.files.get(MANIFEST_NAME) ?? Buffer.alloc(0);
  }

  /** Names of the bundles. */
  get bundles(): string[] {
    return [...this.files.keys()].filter((name) => name.endsWith(".lfb"));
  }
}

/** A folder on the medium. */
export function folder(dir: string, name: string): void {
  mkdirSync(join(dir, name));
}
