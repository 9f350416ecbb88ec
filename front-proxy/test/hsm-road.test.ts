/** A bundle signed in the cipher machine of one zone and opened with that of the other. */
import { KeyRing } from "@lightferry/proto/keystore";
import { createRequest } from "@lightferry/proto/pki";
import {
  formatKeyId,
  openSdfProvider,
  type SdfProvider,
  type Sm2PrivateKey,
} from "@lightferry/proto/sm";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { buildDevice, noCompiler, type TestDevice } from "../../proto/test/sdf-device.ts";
import { OwnKeys } from "../src/ingress/keys/own-keys.ts";
import { KeyRetirement } from "../src/ingress/keys/retire.ts";
import { type HttpTargetServer, httpTarget } from "./support/http-target.ts";
import { DAY_MS, provider } from "./support/ingress-keys.ts";
import { createWorld, type World } from "./support/ingress-world.ts";
import { deliverTo, registrationAt } from "./support/receiving.ts";

if (noCompiler !== undefined) console.warn(`skipped: ${noCompiler}`);

const SDR_COMMFAIL = 0x0100_0003;
const NODE = "node-business";

describe.skipIf(noCompiler !== undefined)("keys in cipher machines", () => {
  let device: TestDevice;
  let target: HttpTargetServer;
  let world: World;
  let sender: SdfProvider;
  let receiver: SdfProvider;

  const open = (keys: Partial<Record<"sign" | "encrypt", number[]>>): SdfProvider => {
    const named = (indices: number[] = []) =>
      indices.map((index) => ({ index, passwordFile: device.passwordFile(index) }));
    return openSdfProvider({
      library: device.library,
      keys: {
        ...(keys.sign === undefined ? {} : { sign: named(keys.sign) }),
        ...(keys.encrypt === undefined ? {} : { encrypt: named(keys.encrypt) }),
      },
    });
  };
  const keysOf = (keys: SdfProvider["signKeys"]): Sm2PrivateKey[] =>
    (keys?.keyIds() ?? []).map((id) => keys?.privateKey(id)).filter((key) => key !== undefined);

  beforeAll(async () => {
    device = buildDevice();
    target = await httpTarget();
  });
  afterAll(async () => {
    device.remove();
    await target.close();
  });
  beforeEach(async () => {
    device.reset();
    world = await createWorld();
    sender = open({ sign: [1] });
    receiver = open({ encrypt: [2, 3] });
    Object.assign(world.context.shell, { provider: receiver.provider, hsm: receiver });
  });
  afterEach(async () => {
    device.failWith(0);
    await world.close();
    sender.close();
    receiver.close();
  });

  /** As `keys request --hsm` makes it: the node's signing key vouches for what cannot sign. */
  function certifyEncryption(key: Sm2PrivateKey, notBeforeMs: number): string {
    const { pki } = world.keys.trust;
    const identity = { zone: "business", node: NODE, use: "encrypt" } as const;
    const subject = { identity, organisation: "test", demo: true };
    const request = createRequest(provider, key, subject, pki.key(NODE, "sign"));
    const keyId = pki.certify(request, { notBeforeMs });
    world.keys.trust.renew();
    return keyId;
  }
  function certifySigning(): Sm2PrivateKey {
    const [key] = keysOf(sender.signKeys);
    if (key === undefined) throw new RangeError("no key");
    const identity = { zone: "extranet", node: "node-extranet", use: "sign" } as const;
    const subject = { identity, organisation: "test", demo: true };
    const request = createRequest(sender.provider, key, subject);
    world.keys.trust.pki.certify(request, { notBeforeMs: Date.now() - DAY_MS });
    world.keys.trust.renew();
    return key;
  }
  const start = () => world.start(registrationAt(target));
  const draft = [{ content: Buffer.from("through two machines") }];

  it("signs, opens and delivers; what was sealed for the key in its file before still opens", async () => {
    const before = await world.seal(draft);
    const keyId = certifyEncryption(
      keysOf(receiver.encryptKeys)[0] as Sm2PrivateKey,
      Date.now() - DAY_MS,
    );
    const signKey = certifySigning();
    const bundle = await world.seal(draft, { signKey, by: sender.provider, sequence: 2 });
    await start();
    await deliverTo(world, before);
    await deliverTo(world, bundle);
    const { rows } = await world.pool.query(
      "SELECT recipient_key_id AS id FROM inbox_bundle ORDER BY accept_order",
    );
    expect(rows.map(({ id }) => id === keyId)).toEqual([false, true]);
  });

  it("a machine that is gone loses nothing: the bundle waits, it is said once, and goes on", async () => {
    certifyEncryption(keysOf(receiver.encryptKeys)[0] as Sm2PrivateKey, Date.now() - DAY_MS);
    Object.assign(world.context.config, { encryptKeysDir: undefined });
    // Away between acceptance and opening, which no clock of a test could hit.
    let away = true;
    const sm2Decrypt: typeof provider.sm2Decrypt = (key, wrapped) => {
      if (away) device.failWith(SDR_COMMFAIL);
      return receiver.provider.sm2Decrypt(key, wrapped);
    };
    Object.assign(world.context.shell, { provider: { ...receiver.provider, sm2Decrypt } });
    await start();
    const bundle = await world.seal(draft);
    device.failWith(SDR_COMMFAIL);
    // Ferry is not told that it arrived, and announces it again.
    await expect(world.deliver(bundle.request)).rejects.toThrow("sm.hsm-unavailable");
    device.reset();
    expect(await world.deliver(bundle.request)).toEqual({ status: "accepted" });
    const told = () => world.events.filter(({ type }) => type === "service.impaired");
    await expect.poll(() => told().map(({ code }) => code)).toEqual(["sm.hsm-unavailable"]);
    const { rows } = await world.pool.query("SELECT state FROM inbox_bundle");
    expect(rows).toEqual([{ state: "accepted" }]);
    away = false;
    // As after a restart of the machine: it knows of no session any more.
    device.reset();
    await world.until(bundle.exchangeIds[0] ?? new Uint8Array(), "delivered");
  });

  it("an ended key of a machine is not destroyed here: its operator is told, once", async () => {
    const [first, second] = keysOf(receiver.encryptKeys) as [Sm2PrivateKey, Sm2PrivateKey];
    const now = Date.now();
    const { pki } = world.keys.trust;
    const ring = KeyRing.open({
      ...{ dir: pki.ringDir(NODE, "encrypt"), unlock: { file: pki.unlockPath(NODE, "encrypt") } },
      ...{ use: "node-encrypt", mode: "demo" },
    });
    const file = pki.keyId(NODE, "encrypt");
    const old = certifyEncryption(first, now - 100 * DAY_MS);
    certifyEncryption(second, now - 90 * DAY_MS);
    expect(old).toBe(formatKeyId(first.publicKey));
    const keys = new OwnKeys(ring, receiver.encryptKeys);
    const desk = { context: world.context, ring: keys };
    await new KeyRetirement(desk).round(now);
    // As after a restart.
    await new KeyRetirement(desk).round(now + DAY_MS);
    const about = () =>
      world.events
        .filter(({ type }) => type.startsWith("key.destroy"))
        .map(
          ({ type, attributes }) => `${type} ${attributes.find((a) => a.name === "key")?.value}`,
        );
    await expect
      .poll(about)
      .toEqual(expect.arrayContaining([`key.destroyed ${file}`, `key.destroy-due ${old}`]));
    expect(about()).toHaveLength(3);
    expect([keys.has(old), keys.has(file)]).toEqual([true, false]);
    expect(() => keys.destroy(old)).toThrow("key.unknown");
    ring.close();
  });
});
