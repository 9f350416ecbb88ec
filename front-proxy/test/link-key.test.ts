/** OpenLinkKey: ferry-rx gets link keys opened, nobody else does, and nothing else that was sealed for the node is ever answered. */
import { randomBytes } from "node:crypto";
import { readHeader } from "@lightferry/proto/bundle";
import { GatewayError } from "@lightferry/proto/errors";
import type { EventInput } from "@lightferry/proto/event";
import { KeyRing } from "@lightferry/proto/keystore";
import { LINK_SECRET_BYTES, MAX_WRAPPED_BYTES, wrapLinkKey } from "@lightferry/proto/link-key";
import {
  type Client,
  createClient,
  InboxService,
  type RpcServer,
  SERVICE_NAMES,
  type ServiceName,
  startRpcServer,
} from "@lightferry/proto/rpc";
import { meterProvider } from "@lightferry/proto/service";
import { domainSeparated, type SmProvider } from "@lightferry/proto/sm";
import { type TestZone, testZone } from "@lightferry/proto/testing";
import fc from "fast-check";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { FrontProxyContext } from "../src/context.ts";
import { LinkKeys } from "../src/ingress/keys/link-key.ts";
import { provider } from "./support/ingress-keys.ts";
import { receivingZoneOfFile, world } from "./support/receiving.ts";

const NODE = "node-business";
const BUNDLE_SECRET_BYTES = 32;
const LABEL = "ferry-link-key/1";

let zone: TestZone;
let server: RpcServer;
let ferry: Client<typeof InboxService>;
/** Uses of private keys that the metered provider was told of. */
let uses: string[] = [];

receivingZoneOfFile();
beforeAll(async () => {
  const metered = meterProvider(provider, { use: (_key, operation) => uses.push(operation) });
  Object.assign(world.context.shell, { provider: metered });
  zone = await testZone("business");
  server = await startRpcServer({
    listen: { host: "127.0.0.1", port: 0 },
    tls: zone.tls["front-proxy"],
    zone: "business",
    services: [...world.ingress().bindings],
    log: world.context.shell.log,
  });
  ferry = inboxAs("ferry-rx");
});
afterAll(async () => {
  ferry.close();
  await server.close();
  await zone.cleanup();
});
beforeEach(() => {
  uses = [];
});

function inboxAs(service: ServiceName): Client<typeof InboxService> {
  return createClient(InboxService, {
    tls: zone.tls[service],
    zone: "business",
    address: `127.0.0.1:${server.port}`,
    peer: "front-proxy",
  });
}

const pki = () => world.keys.trust.pki;
const keyId = () => pki().keyId(NODE, "encrypt");
const publicKey = () => pki().key(NODE, "encrypt").publicKey;
const seal = (plaintext: Uint8Array) => provider.sm2Encrypt(publicKey(), plaintext);
const open = (wrapped: Uint8Array, id = keyId()) => ferry.openLinkKey({ keyId: id, wrapped });

/** The GatewayError that it is refused with, as ferry-rx sees it. */
async function refusal(asked: Promise<unknown>): Promise<GatewayError> {
  const answer = await asked.catch((error: unknown) => error);
  if (!(answer instanceof GatewayError)) expect.unreachable(`answered: ${JSON.stringify(answer)}`);
  return answer;
}
const codeOf = async (asked: Promise<unknown>) => (await refusal(asked)).code;

describe("over the wire", () => {
  it("a link key is opened, and its use was counted", async () => {
    const secret = randomBytes(LINK_SECRET_BYTES);
    const answer = await open(wrapLinkKey(provider, publicKey(), secret));
    expect(Buffer.from(answer.secret ?? [])).toEqual(secret);
    expect(uses).toEqual(["decrypt"]);
  });

  it("a key that was put into the folder since is found, without a change of trust", async () => {
    const fresh = pki().rotate(NODE, "encrypt", { notBeforeMs: Date.now() - 1_000 });
    expect(keyId()).toBe(fresh);
    const secret = randomBytes(LINK_SECRET_BYTES);
    const answer = await open(wrapLinkKey(provider, publicKey(), secret));
    expect(Buffer.from(answer.secret ?? [])).toEqual(secret);
  });

  it.each(SERVICE_NAMES.filter((name) => name !== "ferry-rx"))("%s is refused", async (name) => {
    const client = inboxAs(name);
    const wrapped = wrapLinkKey(provider, publicKey(), randomBytes(LINK_SECRET_BYTES));
    expect(await codeOf(client.openLinkKey({ keyId: keyId(), wrapped }))).toBe(
      "rpc.peer-not-allowed",
    );
    client.close();
    expect(uses).toEqual([]);
  });

  it("a key that the node does not have is told by its id", async () => {
    const other = "0".repeat(32);
    const wrapped = wrapLinkKey(provider, publicKey(), randomBytes(LINK_SECRET_BYTES));
    expect(await refusal(open(wrapped, other))).toMatchObject({
      code: "link-key.unknown-key",
      detail: other,
    });
    expect(uses).toEqual([]);
  });

  it("a link key for another key of the node is refused", async () => {
    const other = provider.generateSm2();
    const wrapped = wrapLinkKey(provider, other.publicKey, randomBytes(LINK_SECRET_BYTES));
    expect(await codeOf(open(wrapped))).toBe("link-key.invalid");
  });

  it.each([
    ["no key id", "", 100],
    ["a short key id", "0".repeat(31), 100],
    ["a long key id", "0".repeat(33), 100],
    ["a key id of other letters", "A".repeat(32), 100],
    ["a key id that is a path", "../../../../../../../../../etc/x", 100],
    ["nothing wrapped", "0".repeat(32), 0],
    ["more wrapped than may be", "0".repeat(32), MAX_WRAPPED_BYTES + 1],
  ])("%s is refused before any key is looked for", async (_name, id, length) => {
    expect(await codeOf(open(new Uint8Array(length).fill(0x30), id))).toBe("rpc.bad-message");
    expect(uses).toEqual([]);
  });

  it("the wrapped secret of a real bundle is refused, and of it nothing is said", async () => {
    const bundle = await world.seal([{ content: Buffer.from("x") }]);
    const [recipient] = (await readHeader(bundle.path)).header.recipients;
    const wrapped = recipient?.wrappedSecret ?? new Uint8Array();
    expect(recipient?.keyId).toBe(keyId());
    // It is what would open the bundle, under the key that is asked: only the label is missing.
    expect(provider.sm2Decrypt(pki().key(NODE, "encrypt"), wrapped)).toHaveLength(
      BUNDLE_SECRET_BYTES,
    );
    const told = await refusal(open(wrapped));
    expect(told).toMatchObject({ code: "link-key.invalid", detail: "" });
    // Not to be told from bytes that decrypt to nothing.
    expect(told.message).toBe((await refusal(open(randomBytes(wrapped.length)))).message);
    expect(uses).toEqual(["decrypt", "decrypt"]);
  });

  const secret = new Uint8Array(LINK_SECRET_BYTES).fill(7);
  const right = domainSeparated(LABEL, secret);
  it.each<[string, Uint8Array]>([
    ["the label alone", domainSeparated(LABEL)],
    ["the secret alone", secret],
    ["a byte too few", right.subarray(0, -1)],
    ["a byte too many", Buffer.concat([right, Uint8Array.of(7)])],
    ["another version", domainSeparated("ferry-link-key/2", secret)],
    ["another label of the same length", domainSeparated("ferry-tags-key/1", secret)],
    ["no zero byte behind the label", Buffer.from(right).fill(1, 27, 28)],
    ["the secret before the label", Buffer.concat([secret, domainSeparated(LABEL)])],
    ["zeros", new Uint8Array(right.length)],
    ["the content key of an export", new Uint8Array(16).fill(7)],
    ["as much as the limit lets through", Buffer.concat([right, Buffer.alloc(80)])],
  ])("a plaintext of %s is refused", async (_name, plaintext) => {
    expect(await refusal(open(seal(plaintext)))).toMatchObject({
      code: "link-key.invalid",
      detail: "",
    });
  });

  it("of any bytes, and of any plaintext, nothing is ever answered", async () => {
    const bytes = (minLength: number, maxLength: number) => fc.uint8Array({ minLength, maxLength });
    const wrapped = fc.oneof(
      bytes(1, MAX_WRAPPED_BYTES),
      fc
        .oneof(bytes(1, 140), bytes(right.length, right.length), bytes(32, 32))
        .map((plaintext) => seal(plaintext)),
    );
    await fc.assert(
      fc.asyncProperty(wrapped, async (garbage) => {
        expect(await codeOf(open(garbage))).toBe("link-key.invalid");
      }),
    );
  });

  it("of a link key with one altered bit nothing is answered", async () => {
    const wrapped = wrapLinkKey(provider, publicKey(), secret);
    await fc.assert(
      fc.asyncProperty(fc.nat(wrapped.length * 8 - 1), async (bit) => {
        const altered = Uint8Array.from(wrapped);
        altered[bit >> 3] = (altered[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        expect(await codeOf(open(altered))).toBe("link-key.invalid");
      }),
    );
  });

  it("a refusal stands in the log", async () => {
    expect(await codeOf(open(randomBytes(100)))).toBe("link-key.invalid");
    // One of the last ten seconds, of this test or of those before it.
    const impaired = () =>
      world.events.filter(({ type, code }) =>
        `${type} ${code}`.startsWith("service.impaired link-key."),
      );
    await expect.poll(impaired).not.toHaveLength(0);
  });
});

describe("what an officer sees", () => {
  const SECOND = 1_000;
  let now = 0;
  let ring: KeyRing;
  let keys: LinkKeys;
  let told: string[] = [];

  beforeEach(() => {
    now = 0;
    told = [];
    ring = KeyRing.open({
      ...{ dir: pki().ringDir(NODE, "encrypt"), use: "node-encrypt", mode: "demo" },
      unlock: { file: pki().unlockPath(NODE, "encrypt") },
    });
    keys = linkKeys(provider);
  });
  afterEach(() => ring.close());

  /** With a clock and a journal of the test's own. */
  function linkKeys(by: SmProvider): LinkKeys {
    const journal = {
      record: async (events: readonly EventInput[]) => {
        told.push(
          ...events.map(({ type, code = "", attributes }) => {
            expect(attributes).toMatchObject({ work: "opening link keys" });
            return `${type} ${code}`;
          }),
        );
      },
    } as unknown as FrontProxyContext["shell"]["journal"];
    const shell = { ...world.context.shell, provider: by, journal };
    return new LinkKeys({ context: { ...world.context, shell }, ring }, () => now);
  }

  const good = () => ({
    keyId: keyId(),
    wrapped: wrapLinkKey(provider, publicKey(), randomBytes(LINK_SECRET_BYTES)),
  });
  const bad = () => ({ keyId: keyId(), wrapped: seal(randomBytes(BUNDLE_SECRET_BYTES)) });

  it("a refusal is told once, however often it comes, and its end too", async () => {
    for (let i = 0; i < 5; i++) {
      now += 11 * SECOND;
      expect(await codeOf(keys.open(bad()))).toBe("link-key.invalid");
    }
    expect(told).toEqual(["service.impaired link-key.invalid"]);
    expect(await keys.open(good())).toHaveLength(LINK_SECRET_BYTES);
    expect(told).toEqual(["service.impaired link-key.invalid", "service.restored "]);
  });

  it("who asks for right and wrong in turn does not fill the journal", async () => {
    for (let i = 0; i < 50; i++) {
      expect(await codeOf(keys.open(bad()))).toBe("link-key.invalid");
      await keys.open(good());
      now += SECOND;
    }
    // Five windows of ten seconds.
    expect(told).toHaveLength(10);
  });

  it("a folder of keys is read for unknown ids at most once a second", async () => {
    let read = 0;
    const refresh = ring.refresh.bind(ring);
    ring.refresh = () => {
      read += 1;
      refresh();
    };
    const fresh = pki().rotate(NODE, "encrypt", { notBeforeMs: Date.now() - 500 });
    const unknown = { ...good(), keyId: "f".repeat(32) };
    for (let i = 0; i < 20; i++) {
      expect(await codeOf(keys.open(unknown))).toBe("link-key.unknown-key");
    }
    expect(read).toBe(1);
    expect(ring.has(fresh)).toBe(true);
    now += SECOND;
    expect(await codeOf(keys.open(unknown))).toBe("link-key.unknown-key");
    expect(read).toBe(2);
    // What is there is never looked for.
    await keys.open({ ...good(), keyId: fresh });
    expect(read).toBe(2);
  });

  it("a key that cannot be used says nothing of the request, and is told as what it is", async () => {
    const broken: SmProvider = {
      ...provider,
      sm2Decrypt: () => {
        throw new GatewayError("sm.key-use-unrecorded");
      },
    };
    expect(await codeOf(linkKeys(broken).open(good()))).toBe("sm.key-use-unrecorded");
    expect(told).toEqual(["service.impaired sm.key-use-unrecorded"]);
  });
});
