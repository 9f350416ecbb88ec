/**
 * Guarantee: what was leased is opened under its own key, or the item that does
 * not open is named; nothing decrypted leaves this program but inside a bundle.
 */
import { BundleItemError } from "@lightferry/proto/bundle";
import { asGatewayError } from "@lightferry/proto/errors";
import { lightferry } from "@lightferry/proto/gen";
import type { PayloadKey, PayloadVault } from "@lightferry/proto/keystore";
import { readParts } from "../payload/parts.ts";
import { readSpoolFile } from "../payload/spool.ts";

const { SealMaterial } = lightferry.seal.v1;
type LeasedItem = lightferry.seal.v1.SealItem.$Properties;

export interface OpenedItem {
  readonly item: LeasedItem;
  readonly material: InstanceType<typeof SealMaterial>;
  /** The caller destroys it when the bundle is written. */
  readonly key: PayloadKey;
  content(): AsyncIterable<Uint8Array>;
}

const NOTHING = new Uint8Array();

/** @throws BundleItemError `sm.decrypt-failed`, `rpc.bad-message` naming the first that does not open. */
export function openItems(
  vault: PayloadVault,
  spoolDir: string,
  items: readonly LeasedItem[],
): readonly OpenedItem[] {
  const opened: OpenedItem[] = [];
  try {
    for (const item of items) opened.push(openItem(vault, spoolDir, item));
    return opened;
  } catch (error) {
    for (const { key } of opened) key.destroy();
    const { code, detail } = asGatewayError(error);
    throw new BundleItemError(code, opened.length, { detail, cause: error });
  }
}

function openItem(vault: PayloadVault, spoolDir: string, item: LeasedItem): OpenedItem {
  const exchangeId = item.exchangeId ?? NOTHING;
  const key = vault.unwrap(item.wrappedKey ?? NOTHING, exchangeId);
  const material = SealMaterial.decode(key.openBytes(item.material ?? NOTHING));
  const { file } = item;
  return {
    item,
    material,
    key,
    content: () => {
      const read = (name: string) => readSpoolFile(spoolDir, name);
      // Sealing takes each piece before it asks for the next.
      if (file) return key.decryptStream(read(file), { reuse: true });
      const parts = material.parts.map((part) => ({
        file: part.file ?? "",
        number: part.number ?? 0,
        size: part.size ?? 0,
        wrappedKey: part.wrappedKey ?? NOTHING,
      }));
      if (parts.length > 0) return readParts(vault, read, exchangeId, parts);
      return whole(material.content);
    },
  };
}

async function* whole(content: Uint8Array): AsyncGenerator<Uint8Array> {
  if (content.length > 0) yield content;
}
