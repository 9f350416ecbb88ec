/**
 * Guarantee: what operators do to tokens is journalled before it counts, and
 * takes effect at once in this process.
 */
import type { FrontProxyContext } from "../context.ts";
import { inTransaction } from "../database.ts";
import { CallerCheck } from "./caller-check.ts";
import {
  findToken,
  type IssuedToken,
  issueToken,
  listTokens,
  revokeToken,
  rotateToken,
  type TokenRow,
} from "./tokens.ts";

type Parts = Pick<FrontProxyContext, "shell" | "config" | "pool" | "registry">;

export class TokenDesk {
  readonly #parts: Parts;
  /** Recognises callers at the API. */
  readonly check: CallerCheck;

  constructor(parts: Parts) {
    this.#parts = parts;
    const { pool, shell, config, registry } = parts;
    this.check = new CallerCheck(pool, shell.provider, config.zone, registry);
  }

  /**
   * @param terms.days 1..366
   * @throws GatewayError `token.caller-unknown`, `token.terms-invalid`.
   */
  issue(
    terms: { readonly caller: string; readonly days: number; readonly note: string },
    actor: string,
  ): Promise<IssuedToken> {
    const { pool, shell, registry, config } = this.#parts;
    return inTransaction(pool, async (client) => {
      const issued = await issueToken(client, shell.provider, registry(), {
        ...terms,
        zone: config.zone,
      });
      await this.#journal("token.issued", actor, terms.caller, issued.tokenId);
      return issued;
    });
  }

  /**
   * @param terms.overlapSeconds 0..604800: how long the old token still works.
   * @throws GatewayError `token.not-found`, `token.revoked`, `token.terms-invalid`.
   */
  async rotate(
    terms: { readonly tokenId: string; readonly overlapSeconds: number; readonly days: number },
    actor: string,
  ): Promise<IssuedToken> {
    const { pool, shell, registry, config } = this.#parts;
    const issued = await inTransaction(pool, async (client) => {
      const successor = await rotateToken(client, shell.provider, registry(), {
        ...terms,
        zone: config.zone,
      });
      const caller = (await findToken(client, terms.tokenId))?.caller ?? "";
      await this.#journal("token.rotated", actor, caller, terms.tokenId, successor.tokenId);
      return successor;
    });
    this.check.forget(terms.tokenId);
    return issued;
  }

  /** @throws GatewayError `token.not-found`. */
  async revoke(tokenId: string, actor: string): Promise<void> {
    await inTransaction(this.#parts.pool, async (client) => {
      const { caller } = await revokeToken(client, tokenId);
      await this.#journal("token.revoked", actor, caller, tokenId);
    });
    this.check.forget(tokenId);
  }

  list(): Promise<readonly TokenRow[]> {
    return listTokens(this.#parts.pool);
  }

  async #journal(
    type: "token.issued" | "token.rotated" | "token.revoked",
    actor: string,
    caller: string,
    tokenId: string,
    successor?: string,
  ): Promise<void> {
    const attributes = {
      caller,
      token: tokenId,
      ...(successor === undefined ? {} : { successor }),
    };
    await this.#parts.shell.journal.record([{ type, outcome: "ok", actor, attributes }]);
  }
}
