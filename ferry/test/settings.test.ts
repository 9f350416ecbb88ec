/** Guarantee tested: settings of both halves are read as they are meant, and what is wrong is named by its field. */
import { expect, test } from "vitest";
import { readRxConfig } from "../src/rx/config.ts";
import { readTxConfig } from "../src/tx/config.ts";

const key = { index: 1, passwordFile: "/p" };
const hsm = (kind: "sign" | "encrypt") => ({ library: "/lib.so", keys: { [kind]: [key] } });
const settings = {
  ...{ zone: "extranet", node: "node-extranet", service: "ferry-tx", mode: "demo" },
  ...{ stateDir: "/s", tls: { ca: "ca", cert: "cert", key: "key" }, peers: {} },
  ...{ anchorPath: "/a", trustRootPath: "/r", lane: "inbound", outboxDir: "/outbox" },
  gate: {
    driver: "udp",
    host: "127.0.0.1",
    port: 7,
    rateBytesPerSecond: 1e6,
    secondPassSeconds: 1,
  },
};

test("ferry keys lie in a folder with its unlock secret, or in a machine", () => {
  expect(readTxConfig({ ...settings, hsm: hsm("sign") }).ferryKeysDir).toBeUndefined();
  const files = { ...settings, ferryKeysDir: "/k", unlockPath: "/u" };
  expect(readTxConfig(files).ferryKeysDir).toBe("/k");
  expect(() => readTxConfig({ ...files, unlockPath: undefined })).toThrow("unlockPath");
  expect(() => readTxConfig({ ...settings, unlockPath: "/u" })).toThrow("ferryKeysDir");
  const wrong = { ...settings, unlockPath: "/u", hsm: hsm("encrypt") };
  expect(() => readTxConfig(wrong)).toThrow("ferryKeysDir");
});

test("coding may be set, within what the code can do, or turned off", () => {
  const files = { ...settings, ferryKeysDir: "/k", unlockPath: "/u" };
  const codeOf = (gate: object) =>
    readTxConfig({ ...files, gate: { ...files.gate, ...gate } }).gate.code;
  expect(codeOf({})).toEqual({ groupShards: 128, parityShards: 16 });
  expect(codeOf({ groupShards: 191, parityShards: 64 })).toEqual({
    groupShards: 191,
    parityShards: 64,
  });
  expect(codeOf({ groupShards: 1, parityShards: 0 })).toEqual({ groupShards: 1, parityShards: 0 });
  expect(() => codeOf({ groupShards: 192, parityShards: 64 })).toThrow("above 255");
  expect(() => codeOf({ groupShards: 0 })).toThrow("gate.groupShards");
  expect(() => codeOf({ groupShards: 225, parityShards: 0 })).toThrow("gate.groupShards");
  expect(() => codeOf({ parityShards: 65 })).toThrow("gate.parityShards");
  expect(() => codeOf({ parityShards: -1 })).toThrow("gate.parityShards");
});

const files = { ...settings, ferryKeysDir: "/k", unlockPath: "/u" };
const { lane: _, ...many } = files;
const gate = { driver: "udp", secondPassSeconds: 1 };
const link = (number: number, more: object = {}) => ({
  ...{ link: number, host: "10.0.0.1", port: 7000 + number, rateBytesPerSecond: 1e6 },
  ...more,
});

test("one lane and one link by short settings, several by lists", () => {
  const one = readTxConfig({ ...files, gate: { ...files.gate, link: 3 } });
  expect(one).toMatchObject({
    lanes: [{ name: "inbound", number: 0, weight: 1, outboxDir: "/outbox" }],
    links: [
      {
        ...{ number: 3, host: "127.0.0.1", port: 7, rateBytesPerSecond: 1e6, socket: "auto" },
        frameSize: 1_456,
      },
    ],
  });
  const lanes = [
    { lane: "inbound", number: 0, weight: 3 },
    { lane: "notices", number: 5, rateBytesPerSecond: 2e6, outboxDir: "/other" },
    { lane: "letters", number: 6, rateBytesPerSecond: 1e6, links: [1] },
  ];
  const both = readTxConfig({
    ...{ ...many, lanes },
    gate: { ...gate, links: [link(0), link(1, { socket: "dgram" })] },
  });
  const usual = { outboxDir: "/outbox", rateBytesPerSecond: undefined, links: undefined };
  expect(both.lanes).toEqual([
    { name: "inbound", number: 0, weight: 3, ...usual },
    {
      name: "notices",
      number: 5,
      weight: 1,
      ...usual,
      rateBytesPerSecond: 2e6,
      outboxDir: "/other",
    },
    { name: "letters", number: 6, weight: 1, ...usual, rateBytesPerSecond: 1e6, links: [1] },
  ]);
  expect(both.links.map(({ number, port, socket }) => [number, port, socket])).toEqual([
    [0, 7000, "auto"],
    [1, 7001, "dgram"],
  ]);
});

test("a link's frames are as long as it says, as the gate says, or as usual", () => {
  const sizes = (more: object, ...links: object[]) =>
    readTxConfig({ ...many, lanes: apart, gate: { ...gate, ...more, links } }).links.map(
      ({ frameSize }) => frameSize,
    );
  const apart = [
    { lane: "inbound", number: 0, links: [0] },
    { lane: "notices", number: 1, links: [1] },
  ];
  const jumbo = link(1, { frameSize: 8_944 });
  expect(sizes({}, link(0), jumbo)).toEqual([1_456, 8_944]);
  expect(sizes({ frameSize: 700 }, link(0), jumbo)).toEqual([700, 8_944]);
  expect(() => sizes({}, link(0), link(1, { frameSize: 255 }))).toThrow("gate.links.1.frameSize");
  const together = { ...many, lanes: [{ lane: "inbound", number: 0 }] };
  expect(() => readTxConfig({ ...together, gate: { ...gate, links: [link(0), jumbo] } })).toThrow(
    "lanes: the links of inbound have frames of 1456 and 8944 bytes",
  );
});

const laneList = (...lanes: object[]) => ({ ...many, lanes, gate: { ...gate, links: [link(0)] } });
const lanesOnTwo = (...lanes: object[]) => ({
  ...{ ...many, lanes },
  gate: { ...gate, links: [link(0), link(1)] },
});
const linkList = (...links: object[]) => ({ ...files, gate: { ...gate, links } });
const inbound = { lane: "inbound", number: 0 };

test.each<[string, object, string]>([
  ["no lane", laneList(), "lanes: at least one"],
  ["a lane twice", laneList(inbound, { ...inbound, number: 1 }), "lane inbound stands there twice"],
  ["a number twice", laneList(inbound, { lane: "b", number: 0 }), "number 0 stands there twice"],
  ["a lane without its number", laneList({ lane: "inbound" }), "lanes.0.number"],
  ["a number that no frame has", laneList({ ...inbound, number: 16 }), "lanes.0.number"],
  ["a name that is no lane's", laneList({ lane: "../x", number: 0 }), "lanes.0.lane"],
  ["no weight at all", laneList({ ...inbound, weight: 0 }), "lanes.0.weight"],
  ["too much weight", laneList({ ...inbound, weight: 1_001 }), "lanes.0.weight"],
  ["a misspelt weight", laneList({ ...inbound, wieght: 2 }), "lanes.0.wieght: no such setting"],
  ["a cap of nothing", laneList({ ...inbound, rateBytesPerSecond: 9_999 }), "10000 to 1000000"],
  ["a cap above all links", laneList({ ...inbound, rateBytesPerSecond: 1_000_001 }), "to 1000000"],
  [
    "a cap above the lane's links",
    lanesOnTwo({ ...inbound, links: [1], rateBytesPerSecond: 1_000_001 }),
    "to 1000000",
  ],
  ["a lane without a link", lanesOnTwo({ ...inbound, links: [] }), "lanes.0.links: at least one"],
  ["a link that is none", lanesOnTwo({ ...inbound, links: [0, 2] }), "lanes.0.links: no link 2"],
  ["a link by its name", lanesOnTwo({ ...inbound, links: ["0"] }), "lanes.0.links: no link 0"],
  ["one link, and no list", lanesOnTwo({ ...inbound, links: 0 }), "lanes.0.links: a list"],
  ["a lane's link twice", lanesOnTwo({ ...inbound, links: [0, 0] }), "link 0 stands there twice"],
  ["a link that no lane has", lanesOnTwo({ ...inbound, links: [1] }), "no lane goes by link 0"],
  [
    "nine lanes",
    laneList(...Array.from({ length: 9 }, (_, at) => ({ lane: `l${at}`, number: at }))),
    "at most 8",
  ],
  ["lane and lanes", { ...laneList(inbound), lane: "inbound" }, "either this list or lane"],
  ["no link", linkList(), "gate.links: at least one"],
  ["a link twice", linkList(link(1), link(1, { port: 1 })), "link 1 stands there twice"],
  ["two links to one socket", linkList(link(1), link(2, { port: 7001 })), "10.0.0.1:7001 stands"],
  ["a link that no frame has", linkList(link(16)), "gate.links.0.link"],
  [
    "a link without a rate",
    linkList({ ...link(1), rateBytesPerSecond: undefined }),
    "gate.links.0",
  ],
  [
    "a host beside the list",
    { ...files, gate: { ...gate, links: [link(0)], host: "10.0.0.2" } },
    "either this list or gate.host",
  ],
])("refused: %s", (_what, raw, named) => {
  expect(() => readTxConfig(raw)).toThrow(named);
});

const rx = {
  ...{ zone: "business", node: "node-business", service: "ferry-rx", mode: "production" },
  ...{ stateDir: "/s", tls: settings.tls, anchorPath: "/a", trustRootPath: "/r" },
  ...{ peers: { frontProxy: "127.0.0.1:1" }, arrivalsDir: "/arrivals" },
};
const socket = (number: number, more: object = {}) => ({
  ...{ link: number, host: "10.0.0.2", port: 7000 + number },
  ...more,
});

test("the receiving half: each lane its sender and inbox, each link its sender and socket", () => {
  const alone = readRxConfig({
    ...{ ...rx, lane: "inbound", expectedSender: "node-a" },
    gate: { driver: "udp", host: "10.0.0.2", port: 7, receiveBufferBytes: 1 << 20 },
  });
  const usual = { arrivalsDir: "/arrivals", frontProxy: "127.0.0.1:1", expectedSender: "node-a" };
  expect(alone.lanes).toEqual([{ name: "inbound", number: 0, ...usual }]);
  expect(alone.links).toMatchObject([{ number: 0, port: 7, expectedSender: "node-a" }]);
  const lanes = [
    { lane: "inbound", number: 0 },
    {
      ...{ lane: "notices", number: 5, expectedSender: "node-b" },
      ...{ arrivalsDir: "/b", frontProxy: "127.0.0.1:2", links: [4] },
    },
  ];
  const its = { expectedSender: "node-b", receiveBufferBytes: 1 << 21, frameSize: 8_944 };
  const links = [socket(0), socket(4, its)];
  const several = {
    ...{ ...rx, expectedSender: "node-a", lanes },
    gate: { driver: "udp", receiveBufferBytes: 1 << 20, links },
  };
  const read = readRxConfig(several);
  expect(read.lanes).toMatchObject([
    { name: "inbound", ...usual },
    { arrivalsDir: "/b", frontProxy: "127.0.0.1:2", expectedSender: "node-b", links: [4] },
  ]);
  expect(
    read.links.map(({ number, receiveBufferBytes: bytes, frameSize }) => [
      number,
      bytes,
      frameSize,
    ]),
  ).toEqual([
    [0, 1 << 20, undefined],
    [4, 1 << 21, 8_944],
  ]);
  const of = (gateOf: object) => () => readRxConfig({ ...several, gate: gateOf });
  const one = { ...several.gate, links: [socket(0)] };
  expect(of(one)).toThrow("lanes.1.links: no link 4 among 0");
  const third = socket(6, { expectedSender: "node-c" });
  expect(of({ ...one, links: [...links, third] })).toThrow("no lane from node-c goes by link 6");
  // That lane is told its one link; the other may not lie idle because lanes of others go anywhere.
  const fourth = socket(6, { expectedSender: "node-b" });
  expect(of({ ...one, links: [...links, fourth] })).toThrow("no lane from node-b goes by link 6");
  const strangers = [...links.slice(0, 1), socket(4, { expectedSender: "node-c" }), fourth];
  expect(of({ ...one, links: strangers })).toThrow("link 4 of notices is from node-c");
  const anywhere = lanes.map((lane) => ({ ...lane, links: undefined }));
  expect(() => readRxConfig({ ...several, lanes: anywhere, gate: one })).toThrow(
    "lanes: no link is from node-b",
  );
  expect(of({ ...one, links: [...links, socket(7, { port: 7000 })] })).toThrow("10.0.0.2:7000");
});
