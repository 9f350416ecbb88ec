/**
 * Guarantee: one unit a service, each with a user of its own, nothing to write
 * but what it owns, no capability, no core file, and its unlock secret as an
 * encrypted credential. Units of one zone start and end together, the log last.
 */
import { join } from "node:path";
import { SERVICE_ENTRIES, type ZoneName, type ZonePaths } from "../../layout.ts";
import { unlockFile } from "../introduction.ts";
import {
  applianceFiles,
  applianceFolders,
  groupOf,
  type Lanes,
  type UnitService,
  unitServices,
  useOf,
  userOf,
  writablePaths,
} from "./access.ts";

/** A service closes within 9 s (proto/src/service/shell.ts); PostgreSQL writes its last checkpoint. */
const STOP_SECONDS = 15;
const DATABASE_STOP_SECONDS = 120;
/** Exit code of wrong settings: starting again changes nothing. */
const BAD_SETTINGS = 2;
/** One call in the log for each bundle, one connection for each caller. */
const OPEN_FILES = 65_536;

export interface UnitPlaces {
  readonly zone: ZoneName;
  readonly home: string;
  readonly paths: ZonePaths;
  readonly unlockDir: string;
  /** The pinned Node. */
  readonly node: string;
  /** Folder of the program. */
  readonly program: string;
  /** Folder of encrypted credentials. */
  readonly credentials: string;
  /** An appliance in place of the gate, and a lane of receipts. */
  readonly lanes: Lanes;
}

export const unitName = (zone: ZoneName, service: UnitService): string =>
  `lightferry-${zone}-${service}.service`;
export const targetName = (zone: ZoneName): string => `lightferry-${zone}.target`;

/** Where the encrypted unlock secret of a service is expected, and under which name the service reads it. */
export function credentialOf(
  { zone, credentials }: Pick<UnitPlaces, "zone" | "credentials">,
  service: UnitService,
): { readonly name: string; readonly file: string } | undefined {
  const use = useOf(service);
  if (use === undefined) return undefined;
  const name = unlockFile(use);
  return { name, file: join(credentials, `lightferry-${zone}-${name}`) };
}

export function targetText(zone: ZoneName, lanes: Lanes): string {
  const wants = unitServices(zone, lanes).map((service) => unitName(zone, service));
  return `[Unit]
Description=光渡（${zone}）全部服务 / Lightferry, all services of ${zone}
Wants=${wants.join(" ")}

[Install]
WantedBy=multi-user.target
`;
}

export function unitText(places: UnitPlaces, service: UnitService): string {
  const { zone, paths, unlockDir, program, lanes } = places;
  const appliance = applianceFolders(zone, lanes, service);
  const needed = [program, paths.root, unlockDir, ...appliance];
  const credential = credentialOf(places, service);
  return `[Unit]
Description=光渡 ${service}（${zone}） / Lightferry ${service} of ${zone}
PartOf=${targetName(zone)}
${orderOf(zone, service)}RequiresMountsFor=${needed.join(" ")}

[Service]
Type=exec
User=${userOf(zone, service)}
Group=${groupOf(zone, service)}
UMask=0027
WorkingDirectory=${program}
ExecStart=${startOf(places, service)}
${credential === undefined ? "" : `LoadCredentialEncrypted=${credential.name}:${credential.file}\n`}Restart=always
RestartSec=2
RestartPreventExitStatus=${BAD_SETTINGS}
TimeoutStopSec=${service === "postgres" ? DATABASE_STOP_SECONDS : STOP_SECONDS}
KillMode=mixed
LimitCORE=0
LimitNOFILE=${OPEN_FILES}

# 权限与可写范围 / rights, and what it may write
NoNewPrivileges=yes
CapabilityBoundingSet=
AmbientCapabilities=
ProtectSystem=strict
ProtectHome=${homeOf([...needed, ...applianceFiles(zone, lanes, service)])}
ReadWritePaths=${[...writablePaths(paths, service), ...appliance].join(" ")}
PrivateTmp=yes
PrivateDevices=yes
ProtectProc=invisible
ProtectClock=yes
ProtectHostname=yes
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectControlGroups=yes
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
RemoveIPC=yes
RestrictAddressFamilies=${familiesOf(service)}
${networkOf(service)}SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@mount @swap @reboot @obsolete
SystemCallErrorNumber=EPERM
# 不能用 MemoryDenyWriteExecute=：V8 的即时编译需要可写后可执行的内存。
# No MemoryDenyWriteExecute=: V8's compiler needs memory that was writable to become executable.

[Install]
WantedBy=${targetName(zone)}
`;
}

/** The database first; the log before those that write into it, so that it ends after them. */
function orderOf(zone: ZoneName, service: UnitService): string {
  const before: readonly UnitService[] =
    service === "postgres" ? [] : service === "audit" ? ["postgres"] : ["postgres", "audit"];
  if (before.length === 0) return "After=network.target\n";
  const names = before.map((name) => unitName(zone, name)).join(" ");
  // Wanted, not required: a service waits for the others, and goes on when they come back.
  return `Wants=${names}\nAfter=network.target ${names}\n`;
}

function startOf({ home, zone, paths, node, program }: UnitPlaces, service: UnitService): string {
  if (service === "postgres") {
    const entry = join(program, "deploy/src/setup/systemd/postgres-main.ts");
    return `${node} --disable-sigusr1 ${entry} --home ${home} --zone ${zone}`;
  }
  const config = join(paths.config, `${service}.json`);
  return `${node} --disable-sigusr1 ${join(program, SERVICE_ENTRIES[service])} --config ${config}`;
}

/** Folders of people are closed, unless the installation itself lies in one. */
function homeOf(paths: readonly string[]): string {
  return paths.some((path) => /^\/(home|root|run\/user)(\/|$)/.test(path)) ? "read-only" : "yes";
}

/** Only the two ends of the gate need anything beside TCP; all of it is IP. */
function familiesOf(service: UnitService): string {
  return service === "postgres" ? "AF_UNIX AF_INET" : "AF_UNIX AF_INET AF_INET6";
}

/** These speak to the zone's own services alone; the door and the gate reach further. */
function networkOf(service: UnitService): string {
  const inside: readonly UnitService[] = ["postgres", "audit", "policy", "seal"];
  return inside.includes(service) ? "IPAddressDeny=any\nIPAddressAllow=localhost\n" : "";
}
