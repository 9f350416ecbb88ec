/** Guarantee: what a lane over an appliance can carry is reckoned from its profile alone, as DIRECTORY.md §5 says. */
import { type Profile, partBytesOf } from "./profile.ts";

/** The last twentieth of the files is the inventories'. */
const FOR_BUNDLES = 0.95;

export interface Capacity {
  /** Of a full file, by the caps; 0 where there is none. */
  readonly secondsPerFile: number;
  /** Bytes of bundles where every pass keeps up; undefined without a cap: the target and the appliance decide. */
  readonly bytesPerSecond: number | undefined;
}

export function capacityOf(profile: Profile): Capacity {
  const { filesPerMinute, bytesPerSecond, maxFileBytes, dataParts, parityParts, passes } = profile;
  const secondsPerFile = Math.max(
    filesPerMinute === 0 ? 0 : 60 / filesPerMinute,
    bytesPerSecond === 0 ? 0 : maxFileBytes / bytesPerSecond,
  );
  const share = dataParts / (dataParts + parityParts) / passes;
  const rate = (partBytesOf(profile) / secondsPerFile) * share * FOR_BUNDLES;
  return { secondsPerFile, bytesPerSecond: secondsPerFile === 0 ? undefined : Math.floor(rate) };
}
