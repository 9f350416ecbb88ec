/**
 * Guarantee: what the demonstration registers, and nothing else in the product
 * knows it: two licensed nodes, the open inbound lane, the one by medium, the closed
 * outbound lane, one for receipts alone where it is wished, the services, the callers and their grants.
 */
import {
  type GrantEntry,
  type LaneEntry,
  REGISTRY_FORMAT,
  type RegistryDocument,
  type ServiceEntry,
} from "@lightferry/proto/registry";
import { CALLERS, ORGANISATIONS, ZONES } from "../layout.ts";
import type { Introduction } from "./introduction.ts";
import {
  driverOf,
  RECEIPT_SERVICE,
  RECEIPTS_FROM,
  type ReceiptLane,
  receiptCaller,
  receiptsTo,
} from "./receipt-lane.ts";
import { DEMO_MEDIA_LANE } from "./zone-options.ts";

const DAY_MS = 86_400_000;
const MIB = 1024 * 1024;

const LANES: readonly LaneEntry[] = [
  {
    id: "inbound",
    from: "extranet",
    to: "business",
    driver: "udp",
    state: "open",
    kinds: ["request", "file"],
    gradeCeiling: "G3",
    expirySeconds: 7 * 86_400,
    revocationFreshnessSeconds: 7 * 86_400,
    maxRequestBytes: MIB,
    maxFileBytes: 20 * 1024 * MIB,
  },
  {
    // The same way by removable medium: no online form, so never `open`.
    id: DEMO_MEDIA_LANE,
    from: "extranet",
    to: "business",
    driver: "media",
    state: "media",
    kinds: ["request", "file"],
    gradeCeiling: "G3",
    expirySeconds: 30 * 86_400,
    revocationFreshnessSeconds: 30 * 86_400,
    maxRequestBytes: MIB,
    maxFileBytes: 1024 * MIB,
  },
  {
    id: "outbound",
    from: "business",
    to: "extranet",
    driver: "media",
    state: "closed",
    kinds: ["request", "file"],
    gradeCeiling: "G2",
    expirySeconds: 30 * 86_400,
    revocationFreshnessSeconds: 30 * 86_400,
    maxRequestBytes: MIB,
    maxFileBytes: 1024 * MIB,
  },
];

const request = (id: string, zone: string, path: string): ServiceEntry => ({
  id,
  zone,
  kind: "request",
  methods: ["POST"],
  paths: [path],
  maxBytes: MIB,
});

const file = (id: string, zone: string, maxBytes: number): ServiceEntry => ({
  id,
  zone,
  kind: "file",
  methods: [],
  paths: [],
  maxBytes,
});

const SERVICES: readonly ServiceEntry[] = [
  request("land-registration", "business", "/records"),
  request("parcel-notice", "business", "/notices"),
  { ...request("hazard-warning", "business", "/notices"), priority: "urgent" },
  file("village-table", "business", 64 * MIB),
  file("household-survey", "business", 64 * MIB),
  file("documents", "business", 64 * MIB),
  file("bulk-data", "business", 20 * 1024 * MIB),
  request("public-query", "extranet", "/answers"),
  // Where receipts of the inbound lanes would return to; until a lane leads there, by file or QR code.
  {
    ...{ id: RECEIPT_SERVICE, zone: receiptsTo(), kind: "receipt" },
    ...{ methods: [], paths: [], maxBytes: MIB },
  },
];

/**
 * Lists a day: one in five seconds, which is as often as they are made, and full ones for ten million exchanges more. What
 * leaves by this lane is bounded by it whoever makes it.
 */
const RECEIPT_QUOTA = { perDay: 40_000, bytesPerDay: 1024 * MIB };

/** A lane of receipts, and who may use it for what; nothing where there is none. */
function wayBack(
  receipts: ReceiptLane,
  from: number,
): Pick<RegistryDocument, "lanes" | "callers" | "grants"> {
  const { lane: id } = receipts;
  if (id === undefined) return { lanes: [], callers: [], grants: [] };
  const driver = driverOf(receipts);
  const caller = receiptCaller();
  return {
    lanes: [
      {
        ...{ id, from: RECEIPTS_FROM, to: receiptsTo(), driver },
        ...{ state: driver === "media" ? "media" : "open", kinds: ["receipt"], gradeCeiling: "G1" },
        ...{ expirySeconds: 30 * 86_400, revocationFreshnessSeconds: 30 * 86_400 },
        ...{ maxRequestBytes: MIB, maxFileBytes: 1 },
      },
    ],
    callers: [
      {
        ...{ id: caller, zone: RECEIPTS_FROM, organisation: ORGANISATIONS[RECEIPTS_FROM] },
        certificateSha256: [],
      },
    ],
    grants: [
      {
        ...grant(caller, RECEIPT_SERVICE, id, from),
        ...{ gradeCeiling: "G1", purpose: "回执", ...RECEIPT_QUOTA },
      },
    ],
  };
}

function grant(caller: string, service: string, lane: string, from: number): GrantEntry {
  return {
    id: lane === DEMO_MEDIA_LANE ? `${caller}-${service}-media` : `${caller}-${service}`,
    caller,
    service,
    lane,
    gradeCeiling: lane === "outbound" ? "G2" : "G3",
    purpose: "演示",
    notBeforeMs: from,
    notAfterMs: from + 365 * DAY_MS,
    perDay: 10_000_000,
    bytesPerDay: 1024 * 1024 * MIB,
  };
}

/**
 * The document for these nodes; number and dates of `last` are kept so that a restart issues nothing new.
 * @param appliance lane that is carried by one in place of the gate
 */
export function demoRegistry(
  introductions: readonly Introduction[],
  last: RegistryDocument | undefined,
  receipts: ReceiptLane = {},
  appliance?: string,
): RegistryDocument {
  const from = last?.issuedMs ?? Date.now() - DAY_MS;
  const back = wayBack(receipts, from);
  const inward = LANES.map(
    (lane): LaneEntry => (lane.id === appliance ? { ...lane, driver: "directory" } : lane),
  );
  const lanes = [...inward, ...back.lanes];
  return {
    format: REGISTRY_FORMAT,
    number: last?.number ?? 0,
    issuedMs: from,
    demo: true,
    nodes: introductions.map(({ node, zone }) => ({
      id: node,
      zone,
      organisation: ORGANISATIONS[zone],
      licence: {
        number: `演示-${zone}-001`,
        notBeforeMs: from,
        notAfterMs: from + 365 * DAY_MS,
        lanes: lanes.map(({ id }) => id),
        gradeCeiling: "G3",
      },
    })),
    lanes,
    services: SERVICES,
    callers: [
      ...ZONES.map((zone) => ({
        id: CALLERS[zone],
        zone,
        organisation: ORGANISATIONS[zone],
        certificateSha256: introductions
          .filter((introduction) => introduction.zone === zone)
          .map(({ callerCertificateSha256 }) => callerCertificateSha256),
      })),
      ...back.callers,
    ],
    grants: [
      ...SERVICES.filter((service) => service.zone === "business").flatMap((service) => [
        grant(CALLERS.extranet, service.id, "inbound", from),
        grant(CALLERS.extranet, service.id, DEMO_MEDIA_LANE, from),
      ]),
      grant(CALLERS.business, "public-query", "outbound", from),
      ...back.grants,
    ],
  };
}
