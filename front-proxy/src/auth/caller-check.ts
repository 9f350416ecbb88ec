/**
 * Guarantee: a request has a caller only when a token in force or a registered
 * certificate of this zone says so; every other case has its own code.
 */
import { GatewayError } from "@lightferry/proto/errors";
import type { Registry } from "@lightferry/proto/registry";
import type { SmProvider } from "@lightferry/proto/sm";
import type pg from "pg";
import { findToken, type TokenRow, tokenIdOf, tokenMatches, touchTokens } from "./tokens.ts";

/**
 * How long a token row may be remembered: a revocation made through another front-proxy
 * of the zone takes effect within this time; one made here takes effect at once.
 */
const REMEMBER_MS = 2_000;
/** Rows remembered; tokens are few, this only bounds memory against guessing. */
const REMEMBER_MAX = 1_024;
/** `last_used_ms` is a hint for people; a write per request would cost more than it tells. */
const TOUCH_EVERY_MS = 30_000;

/** What the transport knows about the peer. */
export interface Credentials {
  /** The Authorization header as sent. */
  readonly authorization: string | undefined;
  /** SHA-256 of the client certificate, lower-case hex; only when its chain was verified. */
  readonly certificateSha256: string | undefined;
}

interface Remembered {
  readonly row: TokenRow | undefined;
  readonly atMs: number;
}

export class CallerCheck {
  readonly #pool: pg.Pool;
  readonly #provider: SmProvider;
  readonly #zone: string;
  readonly #registry: () => Registry;
  readonly #rows = new Map<string, Remembered>();
  #used = new Map<string, number>();
  readonly #timer: NodeJS.Timeout;

  constructor(pool: pg.Pool, provider: SmProvider, zone: string, registry: () => Registry) {
    this.#pool = pool;
    this.#provider = provider;
    this.#zone = zone;
    this.#registry = registry;
    this.#timer = setInterval(() => void this.flush(), TOUCH_EVERY_MS);
    this.#timer.unref();
  }

  /**
   * The caller's id.
   * @throws GatewayError `token.missing`, `token.unknown`, `token.expired`, `token.revoked`,
   *   `token.certificate-unknown`, `token.caller-unknown`, `database.unavailable`.
   */
  async identify(credentials: Credentials): Promise<string> {
    const { authorization, certificateSha256 } = credentials;
    if (authorization !== undefined) return this.#byToken(authorization);
    if (certificateSha256 !== undefined) return this.#byCertificate(certificateSha256);
    throw new GatewayError("token.missing");
  }

  /** Forgets a row at once, after it was revoked or rotated here. */
  forget(tokenId: string): void {
    this.#rows.delete(tokenId);
  }

  /** Writes out when tokens were last used. */
  async flush(): Promise<void> {
    const used = this.#used;
    if (used.size === 0) return;
    this.#used = new Map();
    // A hint that could not be written is not worth a failure.
    await touchTokens(this.#pool, used).catch(() => undefined);
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.flush();
  }

  async #byToken(authorization: string): Promise<string> {
    const token = /^Bearer +(\S+)$/i.exec(authorization)?.[1];
    const id = token === undefined ? undefined : tokenIdOf(token);
    if (token === undefined || id === undefined) throw new GatewayError("token.unknown");
    const row = await this.#row(id);
    if (row === undefined || !tokenMatches(this.#provider, token, row)) {
      throw new GatewayError("token.unknown");
    }
    const now = Date.now();
    if (row.revoked_ms !== null) throw new GatewayError("token.revoked", { detail: id });
    if (row.expires_ms <= now) throw new GatewayError("token.expired", { detail: id });
    this.#used.set(id, now);
    return this.#registered(row.caller);
  }

  #byCertificate(sha256: string): string {
    const caller = this.#registry().document.callers.find((entry) =>
      entry.certificateSha256.includes(sha256),
    );
    if (caller === undefined) throw new GatewayError("token.certificate-unknown");
    return this.#registered(caller.id);
  }

  #registered(caller: string): string {
    if (this.#registry().caller(caller)?.zone !== this.#zone) {
      throw new GatewayError("token.caller-unknown", { detail: caller });
    }
    return caller;
  }

  async #row(id: string): Promise<TokenRow | undefined> {
    const now = performance.now();
    const known = this.#rows.get(id);
    if (known !== undefined && now - known.atMs < REMEMBER_MS) return known.row;
    const row = await findToken(this.#pool, id);
    if (this.#rows.size >= REMEMBER_MAX) this.#rows.clear();
    this.#rows.set(id, { row, atMs: now });
    return row;
  }
}
