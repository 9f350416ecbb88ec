/**
 * Guarantee: says what a cipher machine is and which keys it has without a
 * password and without the use of a private key, so that a look costs nothing
 * and needs no record.
 */
import { formatKeyId } from "../signing-input.ts";
import { openSdfLibrary } from "./binding.ts";
import { SDR_OK, sdfError } from "./codes.ts";
import { exportKey, type SdfKeyKind, SdfSession, type SdfSettings } from "./device.ts";
import { DEVICE_INFO_BYTES, deviceInfoOf, type SdfDeviceInfo } from "./structures.ts";

export interface SdfProbe {
  readonly info: SdfDeviceInfo;
  readonly keys: readonly {
    readonly kind: SdfKeyKind;
    readonly index: number;
    readonly keyId: string;
  }[];
}

/**
 * Opens library, device and session, asks, and closes them again.
 * @throws GatewayError `sm.hsm-*`
 */
export function probeSdf(settings: Pick<SdfSettings, "library" | "keys">): SdfProbe {
  const native = openSdfLibrary(settings.library);
  const device: [bigint | null] = [null];
  const opened = native.openDevice(device);
  if (opened !== SDR_OK || device[0] === null) throw sdfError("SDF_OpenDevice", opened);
  try {
    const handle: [bigint | null] = [null];
    const started = native.openSession(device[0], handle);
    if (started !== SDR_OK || handle[0] === null) throw sdfError("SDF_OpenSession", started);
    const session = new SdfSession(native, device[0], handle[0]);
    try {
      const info = Buffer.alloc(DEVICE_INFO_BYTES);
      session.must("SDF_GetDeviceInfo", native.deviceInfo(session.handle, info));
      const keys = (["sign", "encrypt"] as const).flatMap((kind) =>
        (settings.keys[kind] ?? []).map(({ index }) => ({
          ...{ kind, index, keyId: formatKeyId(exportKey(session, kind, index)) },
        })),
      );
      return { info: deviceInfoOf(info), keys };
    } finally {
      native.closeSession(session.handle);
    }
  } finally {
    native.closeDevice(device[0]);
  }
}
