/**
 * Guarantee: what a revocation must do, with traffic flowing. A denial stops a
 * key at once; lifted, what was set aside crosses after all. A compromised key is revoked by a numbered list
 * that reaches the far side from a screen (QR), what it sealed is set aside
 * and never dispatched, the sender stops using it by itself, and with a new key
 * everything that waited crosses; a list past its age stops sealing, not
 * accepting, and a newer one sets it going; lists travel in bundles.
 *
 * count = requests of each phase; a full run is 500.
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { qrParts, readPkiItems, renewList, toPem } from "@lightferry/proto/pki";
import { loadProvider } from "@lightferry/proto/sm";
import { writeTrustItems } from "@lightferry/proto/trust";
import { ZONES, zonePaths } from "../src/layout.ts";
import { demoCa } from "../src/setup/certificates.ts";
import { submitRequest } from "./integrator.ts";
import { changeKey, command, medium, untilLogged, untilUsed } from "./keys.ts";
import { targetTable, undelivered, verifyLogs } from "./outcome.ts";
import { untilBundlesRefused } from "./trails.ts";
import { type RunningZones, startZones } from "./zones.ts";

export const FULL_COUNT = 500;
const DEADLINE_MS = 15 * 60_000;
const CONCURRENCY = 8;
/** As the demonstration registry says for its inbound lane. */
const FRESHNESS_MS = 7 * 24 * 60 * 60 * 1000;
/** So long before its end the list is when the zones start: its alarm is due, sealing goes on for as long as a drill. */
const AGEING_LEFT_MS = 24 * 60 * 60 * 1000;
/** The next one ends while the zones run. */
const ENDING_LEFT_MS = 3_000;

export interface RevocationReport {
  /** Sealed with a compromised key: set aside on the far side, never dispatched. */
  readonly setAside: number;
  /** Of those, dispatched all the same. Must be 0. */
  readonly leaked: number;
  /** Accepted while sealing had to wait, and delivered afterwards. */
  readonly waited: number;
  /** Accepted under keys that counted, and not delivered. Must be empty. */
  readonly lost: readonly string[];
  readonly duplicated: number;
  readonly verify: Readonly<Record<string, number>>;
  readonly seconds: number;
}

export async function drill(options: { readonly count: number }): Promise<RevocationReport> {
  const started = performance.now();
  const deadline = Date.now() + DEADLINE_MS;
  const zones = await startZones({ gateSecondPassSeconds: 4 }, ageLists);
  const good: string[] = [];
  const bad: string[] = [];
  let phase = 0;
  const submit = async (): Promise<string[]> => {
    phase += 1;
    return submitMany(zones, `phase-${phase}`, options.count, deadline);
  };
  const delivered = async (ids: readonly string[]) => {
    const { lost } = await undelivered(zones, ids, deadline);
    if (lost.length > 0) throw new RangeError(`phase ${phase}: ${lost.slice(0, 5).join(", ")}`);
    good.push(...ids);
  };
  try {
    // 1. A list near its end is told; past it nothing is sealed, all is kept; a newer one frees it.
    await untilLogged(zones, "extranet", "trust.list-ageing", () => true, deadline);
    await delivered(await submit());
    await outliveLists(zones);
    await untilLogged(zones, "extranet", "trust.list-outdated", () => true, deadline);
    const waited = await submit();
    await refreshLists(zones);
    await delivered(waited);

    // 2. Denied here and now, by one command, and lifted again.
    const first = await signingKey(zones);
    await command(zones, [
      ...["keys", "revoke", "--zone", "business", "--deny", first, "--reason", "drill", "--yes"],
    ]);
    const denied = await submit();
    await untilBundlesRefused(zones, denied, "certificate.denied", deadline);
    await command(zones, [
      ...["keys", "revoke", "--zone", "business", "--deny", first, "--lift", "--yes"],
    ]);
    // A false alarm costs time: what was set aside is judged anew.
    await delivered(denied);
    await delivered(await submit());

    // 3. Compromised: the far side learns it from a screen before the sender stops.
    const list = await revokeAtCa(zones, first);
    await command(zones, ["keys", "import", list.text, "--zone", "business", "--source", "qr"]);
    const compromised = await submit();
    await untilBundlesRefused(zones, compromised, "certificate.revoked", deadline);
    bad.push(...compromised);
    await command(zones, ["keys", "import", "--zone", "extranet", list.file]);
    const held = await submit();
    const next = await changeKey(zones, {
      zone: "extranet",
      use: "sign",
      notBefore: new Date(Date.now() - 1_000),
      importedBy: ["extranet"],
    });
    await untilUsed(zones, "extranet", next, deadline);
    await delivered(held);
    await delivered(await submit());

    // 4. A list that only the sender was given reaches the far side inside a bundle.
    await refreshLists(zones);
    await delivered(await submit());
    await untilLogged(
      zones,
      "business",
      "trust.imported",
      ({ attributes }) => attributes.kind === "revocation-list" && attributes.source === "bundle",
      deadline,
    );

    const { exchanges, doubled } = await targetTable(zones, "record");
    return {
      setAside: bad.length,
      leaked: bad.filter((id) => exchanges.has(id)).length,
      waited: waited.length + held.length,
      lost: good.filter((id) => !exchanges.has(id)),
      duplicated: doubled,
      verify: await verifyLogs(zones),
      seconds: (performance.now() - started) / 1000,
    };
  } finally {
    await zones.stop();
  }
}

/** The next list of each CA, so old that it counts for `leftMs` more. */
async function agedLists(home: string, leftMs: number): Promise<Uint8Array[]> {
  const nowMs = Date.now() - FRESHNESS_MS + leftMs;
  const lists = await Promise.all(ZONES.map((zone) => renewList(demoCa(home, zone), { nowMs })));
  return lists.map(({ der }) => der);
}

/** Before the zones start: their newest lists are almost as old as the lane allows. */
async function ageLists(home: string): Promise<void> {
  const items = (await agedLists(home, AGEING_LEFT_MS)).map(
    (der) => ({ kind: "revocation-list", der }) as const,
  );
  for (const reader of ZONES) {
    await writeTrustItems(loadProvider(), zonePaths(home, reader).trust, items);
  }
}

/** The newest lists end by the clock alone; policy looks when it starts, and every minute. */
async function outliveLists(zones: RunningZones): Promise<void> {
  const path = join(medium(zones), "ending.pem");
  const lists = await agedLists(zones.home, ENDING_LEFT_MS);
  const endMs = Date.now() + ENDING_LEFT_MS;
  writeFileSync(path, lists.map((der) => toPem("X509 CRL", der)).join(""));
  await command(zones, ["keys", "import", path, "--zone", "extranet", "--source", "medium"]);
  await delay(Math.max(0, endMs - Date.now()) + 1);
  await zones.kill("extranet", "policy");
}

/** Each CA signs its next list; people carry both to the extranet, which seals. */
async function refreshLists(zones: RunningZones): Promise<void> {
  const paths = await Promise.all(
    ZONES.map(async (zone) => {
      const ca = demoCa(zones.home, zone);
      const path = join(medium(zones), `${zone}-list-${Date.now()}.pem`);
      await command(zones, [
        ...["keys", "revoke", "--ca", ca.dir, "--unlock-file", ca.unlock.file, "--yes"],
        ...["--renew", "--out", path],
      ]);
      return path;
    }),
  );
  await command(zones, ["keys", "import", ...paths, "--zone", "extranet", "--source", "medium"]);
}

/** The signing key that the extranet uses now. */
async function signingKey(zones: RunningZones): Promise<string> {
  const { out } = await command(zones, ["keys", "list", "--zone", "extranet", "--json"]);
  const { keys } = JSON.parse(out) as {
    keys: { zone: string; use: string; state: string; keyId: string }[];
  };
  const active = keys.find(
    ({ zone, use, state }) => zone === "extranet" && use === "sign" && state === "active",
  );
  if (active === undefined) throw new RangeError("the extranet has no active signing key");
  return active.keyId;
}

async function revokeAtCa(
  zones: RunningZones,
  keyId: string,
): Promise<{ file: string; text: string }> {
  const ca = demoCa(zones.home, "extranet");
  const file = join(medium(zones), "compromised.pem");
  const codes = join(medium(zones), "codes");
  await command(zones, [
    ...["keys", "revoke", "--ca", ca.dir, "--unlock-file", ca.unlock.file, "--yes"],
    ...["--key-id", keyId, "--reason", "keyCompromise", "--out", file, "--qr", codes],
  ]);
  if (readdirSync(codes).length === 0) throw new RangeError("no codes to print");
  // What a scanner types from the printed codes: a line for each.
  const text = join(medium(zones), "scanned.txt");
  const lines = readPkiItems(readFileSync(file)).flatMap(({ der }) => qrParts(der));
  writeFileSync(text, `${lines.reverse().join("\n")}\n`);
  return { file, text };
}

async function submitMany(
  zones: RunningZones,
  prefix: string,
  count: number,
  deadline: number,
): Promise<string[]> {
  const ids: string[] = [];
  let next = 0;
  const worker = async () => {
    for (let number = next++; number < count; number = next++) {
      const answer = await submitRequest(
        zones.apis.extranet,
        "land-registration",
        "/records",
        `${prefix}-${number}`,
        { number, note: "drill" },
        deadline,
      );
      if (answer.status !== 202) throw new RangeError(`${prefix} ${number}: ${answer.status}`);
      ids.push(String(answer.body.exchangeId));
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, worker));
  return ids;
}
