/**
 * Guarantee: a token is shown once and stored only as its SM3 hash; it is good
 * for one caller, until it expires or is revoked, and a wrong one takes as long
 * to refuse as a right one to accept.
 *
 *   lft_<16 hex: id>_<43 base64url: 32 random bytes>
 */
import { randomBytes, timingSafeEqual } from "node:crypto";
import { GatewayError } from "@lightferry/proto/errors";
import type { Registry } from "@lightferry/proto/registry";
import type { SmProvider } from "@lightferry/proto/sm";
import type pg from "pg";
import { query } from "../database.ts";

const TOKEN_FORM = /^lft_([0-9a-f]{16})_[0-9A-Za-z_-]{43}$/;
const ID_BYTES = 8;
/** 256 bits: no guessing, so one hash without salt or stretching is enough. */
const SECRET_BYTES = 32;
const DAY_MS = 24 * 3_600_000;
/** A year and a day: a token must be rotated at least yearly. */
const MAX_DAYS = 366;
/** Long enough to roll a token out everywhere, short enough not to become two tokens. */
const MAX_OVERLAP_SECONDS = 7 * 24 * 3_600;
const MAX_NOTE_CHARS = 200;

export interface IssuedToken {
  readonly tokenId: string;
  /** The only time it is seen. */
  readonly token: string;
  readonly expiresMs: number;
}

export interface TokenRow extends pg.QueryResultRow {
  readonly id: string;
  readonly caller: string;
  readonly secret_hash: Buffer;
  readonly created_ms: number;
  readonly expires_ms: number;
  readonly revoked_ms: number | null;
  readonly last_used_ms: number | null;
  readonly note: string;
}

export function hashToken(provider: SmProvider, token: string): Uint8Array {
  return provider.sm3(Buffer.from(token, "utf8"));
}

/** The id part of a well-formed token. */
export function tokenIdOf(token: string): string | undefined {
  return TOKEN_FORM.exec(token)?.[1];
}

/**
 * Issues a token for a registered caller of this zone.
 * @param terms.days 1..366
 * @throws GatewayError `token.caller-unknown`, `token.terms-invalid`.
 */
export async function issueToken(
  on: pg.Pool | pg.PoolClient,
  provider: SmProvider,
  registry: Registry,
  terms: {
    readonly zone: string;
    readonly caller: string;
    readonly days: number;
    readonly note: string;
  },
): Promise<IssuedToken> {
  const caller = registry.caller(terms.caller);
  if (caller === undefined || caller.zone !== terms.zone) {
    throw new GatewayError("token.caller-unknown", { detail: terms.caller });
  }
  const wellTermed = Number.isInteger(terms.days) && terms.days >= 1 && terms.days <= MAX_DAYS;
  if (!wellTermed || terms.note.length > MAX_NOTE_CHARS) {
    throw new GatewayError("token.terms-invalid", { detail: `days ${terms.days}` });
  }
  const tokenId = randomBytes(ID_BYTES).toString("hex");
  const token = `lft_${tokenId}_${randomBytes(SECRET_BYTES).toString("base64url")}`;
  const now = Date.now();
  const expiresMs = now + terms.days * DAY_MS;
  await query(
    on,
    "token-issue",
    `INSERT INTO api_token (id, caller, secret_hash, created_ms, expires_ms, note)
     VALUES ($1, $2, $3, $4, $5, $6)`,
    [tokenId, terms.caller, hashToken(provider, token), now, expiresMs, terms.note],
  );
  return { tokenId, token, expiresMs };
}

/**
 * Issues a successor for the same caller; the old token works for the overlap, then no more.
 * @param terms.overlapSeconds 0..604800
 * @throws GatewayError `token.not-found`, `token.revoked`, `token.terms-invalid`.
 */
export async function rotateToken(
  client: pg.PoolClient,
  provider: SmProvider,
  registry: Registry,
  terms: {
    readonly zone: string;
    readonly tokenId: string;
    readonly overlapSeconds: number;
    readonly days: number;
  },
): Promise<IssuedToken> {
  const { overlapSeconds } = terms;
  if (
    !Number.isInteger(overlapSeconds) ||
    overlapSeconds < 0 ||
    overlapSeconds > MAX_OVERLAP_SECONDS
  ) {
    throw new GatewayError("token.terms-invalid", { detail: `overlap ${overlapSeconds} s` });
  }
  const found = await query<TokenRow>(
    client,
    "token-lock",
    "SELECT * FROM api_token WHERE id = $1 FOR UPDATE",
    [terms.tokenId],
  );
  const old = found.rows[0];
  if (old === undefined) throw new GatewayError("token.not-found", { detail: terms.tokenId });
  if (old.revoked_ms !== null) throw new GatewayError("token.revoked", { detail: terms.tokenId });
  await query(
    client,
    "token-shorten",
    "UPDATE api_token SET expires_ms = least(expires_ms, $2) WHERE id = $1",
    [terms.tokenId, Date.now() + overlapSeconds * 1_000],
  );
  return issueToken(client, provider, registry, {
    zone: terms.zone,
    caller: old.caller,
    days: terms.days,
    note: old.note,
  });
}

/** Ends a token at once; a second time changes nothing. @throws GatewayError `token.not-found`. */
export async function revokeToken(
  on: pg.Pool | pg.PoolClient,
  tokenId: string,
): Promise<{ readonly caller: string }> {
  const result = await query<{ caller: string }>(
    on,
    "token-revoke",
    `UPDATE api_token SET revoked_ms = coalesce(revoked_ms, $2) WHERE id = $1 RETURNING caller`,
    [tokenId, Date.now()],
  );
  const row = result.rows[0];
  if (row === undefined) throw new GatewayError("token.not-found", { detail: tokenId });
  return row;
}

/** Newest first. */
export async function listTokens(on: pg.Pool | pg.PoolClient): Promise<readonly TokenRow[]> {
  const result = await query<TokenRow>(
    on,
    "token-list",
    "SELECT * FROM api_token ORDER BY created_ms DESC, id",
  );
  return result.rows;
}

export async function findToken(
  on: pg.Pool | pg.PoolClient,
  tokenId: string,
): Promise<TokenRow | undefined> {
  const result = await query<TokenRow>(on, "token-find", "SELECT * FROM api_token WHERE id = $1", [
    tokenId,
  ]);
  return result.rows[0];
}

/** Constant-time comparison of a presented token with its row. */
export function tokenMatches(provider: SmProvider, token: string, row: TokenRow): boolean {
  return timingSafeEqual(hashToken(provider, token), row.secret_hash);
}

/** Notes when tokens were last used, many at once. */
export async function touchTokens(
  on: pg.Pool | pg.PoolClient,
  used: ReadonlyMap<string, number>,
): Promise<void> {
  await query(
    on,
    "token-touch",
    `UPDATE api_token t SET last_used_ms = greatest(coalesce(t.last_used_ms, 0), u.at)
       FROM unnest($1::text[], $2::bigint[]) AS u (id, at) WHERE t.id = u.id`,
    [[...used.keys()], [...used.values()]],
  );
}
