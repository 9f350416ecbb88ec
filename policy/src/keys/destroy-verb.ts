/**
 * Guarantee: `keys destroy` destroys a private key only when nothing can need it
 * any more: its certificate ended and the overlap is over, or it is compromised.
 */
import type { CliContext, CliVerb } from "@lightferry/proto/cli";
import { GatewayError } from "@lightferry/proto/errors";
import { destroyRingKey } from "@lightferry/proto/keystore";
import { answered, clock, example, flagged, OPTIONS } from "./options.ts";
import { OVERLAP_AFTER_END_MS } from "./state.ts";
import { confirm } from "./terminal.ts";
import { readTrust } from "./trust-call.ts";
import { onRecord, ringInfos, useOf, zoneKeys } from "./zone-keys.ts";

/** @throws GatewayError `key.still-needed` */
async function assertOver(context: CliContext, keyId: string): Promise<void> {
  const { store } = await readTrust(context);
  const ends = store.certificates
    .filter((certificate) => certificate.keyId === keyId)
    .map(({ notAfterMs }) => notAfterMs);
  if (ends.length === 0) {
    throw new GatewayError("key.still-needed", { detail: `${keyId}: its certificate is awaited` });
  }
  const over = Math.max(...ends) + OVERLAP_AFTER_END_MS;
  if (Date.now() < over)
    throw new GatewayError("key.still-needed", { detail: `${keyId}: ${clock(over)}` });
}

export const destroyVerb: CliVerb = {
  name: "destroy",
  summary: {
    zh: "销毁重叠期已过的私钥：覆写、落盘、删除",
    en: "destroy a private key after its overlap: overwritten, synced, removed",
  },
  usage: "<key-id> --use USE [--compromised] [--zone ZONE] [--yes]",
  args: [
    {
      name: "key-id",
      summary: { zh: "密钥编号（keys list 可查）", en: "id of the key (see keys list)" },
    },
  ],
  options: {
    use: OPTIONS.use,
    compromised: flagged(
      "密钥已泄露：立即销毁，在途数据将无法解开",
      "the key is compromised: destroy it now; what is in flight will not open",
    ),
    operator: OPTIONS.operator,
    yes: OPTIONS.yes,
  },
  examples: [
    example(
      "keys destroy 3f9c2a7d11e0b654a1b2c3d4e5f60718 --zone extranet --use encrypt",
      "销毁上上月的加密密钥",
      "an encryption key of the month before last",
    ),
  ],
  run: async (context, input) => {
    const [keyId = ""] = input.positionals;
    const use = useOf(input.text("use"));
    const keys = zoneKeys(context);
    if (!ringInfos(keys, use).some((info) => info.keyId === keyId)) {
      throw new GatewayError("key.unknown", { detail: `${keyId} in ${keys.ringDir(use)}` });
    }
    if (!input.flag("compromised")) await assertOver(context, keyId);
    await confirm(input, context, {
      zh: `销毁后无法恢复。销毁 ${use} 密钥 ${keyId}？`,
      en: `This cannot be undone. Destroy ${use} key ${keyId}?`,
    });
    const about = { use, why: input.flag("compromised") ? "compromised" : "overlap over" };
    await onRecord(input, keys, "destroy", about, (action) => {
      action.note({ keys: [keyId] });
      destroyRingKey(keys.ringDir(use), keyId);
    });
    const words = { zh: `${keyId} 已销毁`, en: `${keyId} is destroyed` };
    return answered(context, { keyId, use, destroyed: true }, words);
  },
};
