/**
 * Guarantee: a decryption key goes when nothing can be under way for it any
 * more, never while a bundle for it waits to be opened, and its end stands in
 * the log twice: the intent before, the outcome after, across a crash too.
 *
 *   journal key.destroying ─▶ row ─▶ overwrite and unlink ─▶ journal key.destroyed ─▶ row
 *   in a cipher machine:  journal key.destroy-due ─▶ row; its operator destroys it there
 *
 * Bundles have no forward secrecy: an old one can be read as long as the key it
 * was sealed for exists, so this is what makes an old bundle unreadable.
 */
import { GatewayError } from "@lightferry/proto/errors";
import { ringKeyIds } from "@lightferry/proto/keystore";
import { Troubles } from "@lightferry/proto/service";
import type { FrontProxyContext } from "../../context.ts";
import { query } from "../../database.ts";
import { describeFault } from "../failures.ts";
import { endOfKey, overlapMs } from "./end-of-key.ts";
import type { DecryptionRing } from "./own-keys.ts";

export interface KeyDesk {
  readonly context: FrontProxyContext;
  readonly ring: DecryptionRing;
}

export class KeyRetirement {
  readonly #desk: KeyDesk;
  readonly #troubles: Troubles;

  constructor(desk: KeyDesk) {
    this.#desk = desk;
    const { journal, log } = desk.context.shell;
    this.#troubles = new Troubles(journal, (error) =>
      log.error(describeFault(error), "trouble could not be journalled"),
    );
  }

  /**
   * One round; cheap when nothing has ended.
   * @param nowMs Unix milliseconds.
   * @throws GatewayError `database.unavailable`, `journal.full`: the next round takes it up again.
   */
  async round(nowMs: number): Promise<void> {
    await this.#tellOfMissing(nowMs);
    await this.#concludeBegun(nowMs);
    const { context, ring } = this.#desk;
    const { config } = context;
    const { node, zone } = config;
    const held = (keyId: string) => ring.has(keyId);
    const kept = overlapMs(context.registry().document.lanes, zone, config);
    // Where a successor ended before it, an older key is in force once more.
    const inForce = context.trust.current().active(node, "encrypt", nowMs, held, zone)?.keyId;
    for (const keyId of ring.keyIds()) {
      if (keyId === inForce) continue;
      const endedMs = endOfKey(context.trust.current(), {
        zone,
        node,
        keyId,
        has: held,
        lastUsedMs: undefined,
      });
      // Asked twice so that the table is only searched for a key whose time may have come.
      if (endedMs === undefined || nowMs < endedMs + kept) continue;
      if (await this.#stillNeeded(keyId, nowMs, kept)) continue;
      if (ring.inMachine?.(keyId) === true) await this.#tellDue(keyId, nowMs);
      else await this.#destroy(keyId, nowMs);
    }
  }

  /** Once for each key, across restarts: the machine's own tools destroy it, and its operator uses them. */
  async #tellDue(keyId: string, nowMs: number): Promise<void> {
    const { pool, shell } = this.#desk.context;
    const { rows } = await query<{ state: string }>(
      pool,
      "ingress.key-due",
      "SELECT state FROM ended_key WHERE key_id = $1",
      [keyId],
    );
    if (rows.length > 0) return;
    await this.#journal("key.destroy-due", keyId);
    await query(
      pool,
      "ingress.key-due-told",
      "INSERT INTO ended_key (key_id, state, begun_ms) VALUES ($1, 'due', $2) ON CONFLICT DO NOTHING",
      [keyId, nowMs],
    );
    shell.log.warn(
      { keyId },
      "the cipher machine holds a key whose time is over: destroy it there",
    );
  }

  async #stillNeeded(keyId: string, nowMs: number, kept: number): Promise<boolean> {
    const { context, ring } = this.#desk;
    const { rows } = await query<{ waits: boolean; last_ms: number | null }>(
      context.pool,
      "ingress.key-use",
      `SELECT EXISTS (SELECT 1 FROM inbox_bundle
                WHERE state = 'accepted' AND recipient_key_id IN ($1, '')) AS waits,
              (SELECT max(created_ms) FROM inbox_bundle WHERE recipient_key_id = $1) AS last_ms`,
      [keyId],
    );
    if (rows[0]?.waits !== false) return true;
    const endedMs = endOfKey(context.trust.current(), {
      zone: context.config.zone,
      node: context.config.node,
      keyId,
      has: (id) => ring.has(id),
      lastUsedMs: rows[0].last_ms ?? undefined,
    });
    return endedMs === undefined || nowMs < endedMs + kept;
  }

  async #destroy(keyId: string, nowMs: number): Promise<void> {
    const { context, ring } = this.#desk;
    const { rows } = await query<{ state: string }>(
      context.pool,
      "ingress.key-begun",
      "SELECT state FROM ended_key WHERE key_id = $1",
      [keyId],
    );
    // Begun before and cut short, or it failed: the intent stands in the log.
    if (rows[0]?.state !== "destroying") {
      await this.#journal("key.destroying", keyId);
      await query(
        context.pool,
        "ingress.key-begin",
        `INSERT INTO ended_key (key_id, state, begun_ms) VALUES ($1, 'destroying', $2)
         ON CONFLICT (key_id) DO UPDATE SET state = 'destroying', begun_ms = $2, ended_ms = NULL`,
        [keyId, nowMs],
      );
    }
    try {
      ring.destroy(keyId);
    } catch (error) {
      context.shell.log.error({ keyId, ...describeFault(error) }, "a key was not destroyed");
      await this.#troubles.met("destroying a key", error);
      return;
    }
    await this.#conclude(keyId, nowMs);
    await this.#troubles.over("destroying a key");
  }

  /** Keys that a crash or a fault left between intent and outcome. */
  async #concludeBegun(nowMs: number): Promise<void> {
    const { context, ring } = this.#desk;
    const { rows } = await query<{ key_id: string }>(
      context.pool,
      "ingress.keys-begun",
      "SELECT key_id FROM ended_key WHERE state = 'destroying'",
    );
    if (rows.length === 0) return;
    const { encryptKeysDir: dir } = context.config;
    const present = new Set(dir === undefined ? [] : ringKeyIds(dir));
    for (const { key_id: keyId } of rows) {
      if (!present.has(keyId)) await this.#conclude(keyId, nowMs);
      // Its handle is gone but its file is not: taken up again, so that this round destroys it.
      else if (!ring.has(keyId)) ring.refresh();
    }
  }

  async #conclude(keyId: string, nowMs: number): Promise<void> {
    await this.#journal("key.destroyed", keyId);
    await query(
      this.#desk.context.pool,
      "ingress.key-ended",
      "UPDATE ended_key SET state = 'destroyed', ended_ms = $2 WHERE key_id = $1",
      [keyId, nowMs],
    );
  }

  async #journal(
    type: "key.destroying" | "key.destroyed" | "key.destroy-due",
    keyId: string,
  ): Promise<void> {
    await this.#desk.context.shell.journal.record([
      {
        type,
        outcome: "ok",
        actor: "front-proxy",
        attributes: { key: keyId, use: "encrypt", why: "overlap-over" },
      },
    ]);
  }

  /** Senders seal for the newest certificate: without its key nothing that arrives can be opened. */
  async #tellOfMissing(nowMs: number): Promise<void> {
    const { context, ring } = this.#desk;
    const { node, zone } = context.config;
    const newest = context.trust.current().active(node, "encrypt", nowMs, undefined, zone);
    if (newest !== undefined && !ring.has(newest.keyId)) {
      try {
        ring.refresh();
      } catch (error) {
        await this.#troubles.met("opening", error);
        return;
      }
    }
    const missing = newest === undefined || !ring.has(newest.keyId);
    if (missing)
      await this.#troubles.met(
        "opening",
        new GatewayError("inbox.key-missing", { detail: newest?.keyId ?? "no valid certificate" }),
      );
    else await this.#troubles.over("opening");
  }
}
