/** Guarantee tested: what is sealed away stays within its limit; beyond it refusals go on, and only digests are kept. */
import { randomBytes } from "node:crypto";
import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { newId } from "@lightferry/proto/ids";
import { expect, test } from "vitest";
import { SealedAwayStore } from "../src/sealed-away/store.ts";
import { decideBatch } from "../src/server/decide-batch.ts";
import { closeDesks, newDesk } from "./desk-world.ts";
import { provider } from "./plan.ts";
import { requestItem } from "./world.ts";

closeDesks();

async function smallStore(maxBytes: number) {
  const { folder, vault } = await newDesk();
  const dir = join(folder, "small");
  const said: string[] = [];
  const told = { full: () => void said.push("full"), kept: () => void said.push("kept") };
  const store = await SealedAwayStore.open(provider, vault, dir, told, maxBytes);
  return { dir, said, store };
}

test("beyond the limit the digest alone is kept, until an officer has made room", async () => {
  const { dir, said, store } = await smallStore(10_000);
  const first = await store.sealWhole(newId(), [randomBytes(6_000)]);
  const content = randomBytes(6_000);
  const pieces = [content.subarray(0, 2_000), content.subarray(2_000)];
  const second = await store.sealWhole(newId(), pieces);
  expect(second).toMatchObject({ name: undefined, size: 6_000 });
  expect(Buffer.from(second.digest)).toEqual(Buffer.from(provider.sm3(content)));
  // Nothing unfinished stays behind.
  expect(readdirSync(dir)).toEqual([first.name]);
  expect(said).toEqual(["kept", "full"]);
  rmSync(join(dir, first.name ?? ""));
  // It is this one that finds the room again.
  expect((await store.sealWhole(newId(), pieces)).name).toBeUndefined();
  expect((await store.sealWhole(newId(), pieces)).name).toBeDefined();
  expect(said).toEqual(["kept", "full", "full", "kept"]);
});

test("a full store still refuses, and says in the event that nothing was kept", async () => {
  const { dir, store } = await smallStore(10);
  const desk = await newDesk(undefined, { sealedAway: store });
  const marked = requestItem('{"密级":"机密"}');
  const { outcomes } = await decideBatch(desk, { items: [marked, requestItem("{}")] });
  expect(outcomes?.map(({ code }) => code)).toEqual(["policy.secret-suspected", ""]);
  const sealed = desk.events.find(({ type }) => type === "policy.sealed-away");
  expect(sealed?.attributes).toEqual({ direction: "export", kept: "no" });
  expect(readdirSync(dir)).toEqual([]);
});
