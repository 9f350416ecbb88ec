/**
 * Guarantee: the one place that says which user each service of a zone runs as,
 * what it may write, and whose every folder and file of the zone is. A service
 * reads its own key ring, its own settings, its own TLS key, and no other's.
 */
import { join } from "node:path";
import type { CertificateUse } from "@lightferry/proto/pki";
import type { ZoneName, ZonePaths } from "../../layout.ts";
import { KEY_HOLDERS, SEAL_VAULT } from "../configs.ts";
import { type FerryDirectory, filesOf, foldersOf, secretsOf } from "../directory-lane.ts";
import { GATE_RECEIVE_BUFFER_BYTES } from "../ferry-way.ts";
import { ringDir } from "../introduction.ts";
import { applianceOf, type ReceiptLane, servicesOf } from "../receipt-lane.ts";

/** What runs under systemd: the demonstration's receiver does not, the zone's database does. */
export const UNIT_SERVICES = [
  "postgres",
  "audit",
  "policy",
  "front-proxy",
  "seal",
  "ferry-tx",
  "ferry-rx",
] as const;
export type UnitService = (typeof UNIT_SERVICES)[number];

/** They hand bundles and encrypted content to one another as files of mode 0640. */
const ROAD: readonly UnitService[] = ["front-proxy", "seal", "ferry-tx", "ferry-rx"];

/** What an operator chose that adds programs, or folders for them. */
export interface Lanes {
  readonly ferryDirectory: FerryDirectory;
  readonly receiptLane: ReceiptLane;
}

export function unitServices(zone: ZoneName, { receiptLane }: Lanes): UnitService[] {
  const here: readonly string[] = servicesOf(zone, receiptLane);
  return UNIT_SERVICES.filter((name) => name === "postgres" || here.includes(name));
}

/** At most 31 characters, as the system wants it. */
export const userOf = (zone: ZoneName, service: UnitService): string => `lf-${zone}-${service}`;

export function groupOf(zone: ZoneName, service: UnitService): string {
  return ROAD.includes(service) ? roadGroup(zone) : userOf(zone, service);
}

const roadGroup = (zone: ZoneName): string => `lf-${zone}-road`;

export const stateOf = (paths: ZonePaths, service: UnitService): string =>
  join(paths.state, service);

/** The appliance of a service; {} = none. */
const applianceBy = (zone: ZoneName, lanes: Lanes, service: UnitService): FerryDirectory =>
  service === "ferry-tx" || service === "ferry-rx" ? applianceOf(zone, service, lanes) : {};

/** Folders of an appliance that the service fills or empties; they are the appliance's, made and owned elsewhere. */
export const applianceFolders = (zone: ZoneName, lanes: Lanes, service: UnitService): string[] =>
  foldersOf(applianceBy(zone, lanes, service));

/** Files of a password or key for the appliance of the service. */
export const applianceSecrets = (zone: ZoneName, lanes: Lanes, service: UnitService): string[] =>
  secretsOf(applianceBy(zone, lanes, service));

/** These, and whom an FTP server may be certified by. */
export const applianceFiles = (zone: ZoneName, lanes: Lanes, service: UnitService): string[] =>
  filesOf(applianceBy(zone, lanes, service));

/** Everything else of the zone is read only for it. */
export function writablePaths(paths: ZonePaths, service: UnitService): string[] {
  const state = stateOf(paths, service);
  switch (service) {
    case "postgres":
      return [paths.postgres];
    case "audit":
      return [state];
    case "policy":
      return [state, paths.trust, paths.sealedAway];
    case "front-proxy":
      return [
        ...[state, paths.spool, paths.outbox, paths.arrivals, paths.inbox],
        // It destroys its decryption keys when their overlap is over.
        ...[paths.outgoing, paths.drop, ringDir(paths, "encrypt")],
      ];
    case "seal":
      return [state, paths.outbox];
    case "ferry-tx":
      return [state];
    case "ferry-rx":
      return [state, paths.arrivals];
  }
}

/** The ring of a service's private keys. */
export function useOf(service: UnitService): CertificateUse | undefined {
  return service === "postgres" ? undefined : KEY_HOLDERS[service];
}

/** sysusers.d(5): a user for each service, and the group of those on the road. */
export function sysusers(zone: ZoneName, lanes: Lanes): string {
  const users = unitServices(zone, lanes).map(
    (service) => `u ${userOf(zone, service)} - "Lightferry ${service} (${zone})"`,
  );
  return `${[`g ${roadGroup(zone)} -`, ...users].join("\n")}\n`;
}

/** sysctl.d(5): without the right to force it, the receiving end has the buffer that the kernel allows; "" = nothing to set. */
export function sysctl(zone: ZoneName, lanes: Lanes): string {
  return unitServices(zone, lanes).includes("ferry-rx")
    ? `net.core.rmem_max = ${GATE_RECEIVE_BUFFER_BYTES}\n`
    : "";
}

/** tmpfiles.d(5): run again after every command that made a file; it changes owners and rights alone. */
export function tmpfiles(
  zone: ZoneName,
  home: string,
  paths: ZonePaths,
  unlockDir: string,
  lanes: Lanes,
): string {
  const services = unitServices(zone, lanes);
  const has = (service: UnitService): boolean => services.includes(service);
  /** The whole tree: folders 0700, files 0600, no more than they have. */
  const tree = (path: string, service: UnitService): string =>
    `Z ${path} ~0700 ${userOf(zone, service)} ${groupOf(zone, service)}`;
  const one = (path: string, mode: string, service?: UnitService): string => {
    const owner =
      service === undefined ? "root root" : `${userOf(zone, service)} ${groupOf(zone, service)}`;
    return `z ${path} ${mode} ${owner}`;
  };
  /** Made where it is missing: systemd lets a service write only what is there when it starts. */
  const folder = (path: string, service: UnitService): string =>
    `d ${path} 0700 ${userOf(zone, service)} ${groupOf(zone, service)}`;
  const passable = [home, paths.root, paths.config, paths.keys, paths.tls, paths.state, unlockDir];
  const own = services.flatMap((service) => {
    const use = useOf(service);
    const config = join(paths.config, `${service}.json`);
    return [
      ...(service === "postgres"
        ? [
            one(join(paths.keys, "postgres.json"), "0400", service),
            folder(paths.postgres, service),
            tree(paths.postgres, service),
          ]
        : [
            one(config, "0400", service),
            one(join(paths.tls, `${service}.key.pem`), "0400", service),
            folder(stateOf(paths, service), service),
            tree(stateOf(paths, service), service),
          ]),
      ...(use === undefined ? [] : [tree(ringDir(paths, use), service)]),
    ];
  });
  const lines = [
    ...passable.map((path) => one(path, "0711")),
    one(join(paths.root, "zone.json"), "0644"),
    `Z ${paths.registry} ~0755 root root`,
    one(join(paths.tls, "*.pem"), "0644"),
    one(join(paths.tls, "*.key.pem"), "0400"),
    ...own,
    tree(paths.trust, "policy"),
    tree(paths.sealedAway, "policy"),
    tree(join(paths.keys, "key-actions"), "policy"),
    one(join(unlockDir, "sealed-away.vault"), "0400", "policy"),
    one(join(unlockDir, "spool.vault"), "0400", "front-proxy"),
    tree(paths.inbox, "front-proxy"),
    tree(paths.outgoing, "front-proxy"),
    `Z ${paths.drop} ~0750 ${userOf(zone, "front-proxy")} ${roadGroup(zone)}`,
    `Z ${paths.spool} ~0750 ${userOf(zone, "front-proxy")} ${roadGroup(zone)}`,
    // Written by one program, cleared by another. In the outbox nobody but its owner replaces another's file.
    one(paths.outbox, "1770", "front-proxy"),
    one(paths.arrivals, "0770", "front-proxy"),
    ...services.flatMap((service) =>
      applianceSecrets(zone, lanes, service).map((path) => one(path, "0400", service)),
    ),
    ...(has("seal") ? [one(join(unlockDir, SEAL_VAULT), "0400", "seal")] : []),
  ];
  return `${lines.join("\n")}\n`;
}
