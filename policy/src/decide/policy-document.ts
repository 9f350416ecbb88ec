/**
 * Guarantee: everything a decision reads besides the request and the facts is
 * in one immutable value: this node, the signed registry, the signed pack.
 */
import type { GrantEntry, Registry } from "@lightferry/proto/registry";
import type { Pack } from "../pack/document.ts";

export interface PolicyDocument {
  /** This node and its zone. */
  readonly node: string;
  readonly zone: string;
  readonly registry: Registry;
  readonly pack: Pack;
  /** Grants of a caller for a service on a lane, ascending by id. */
  grantsFor(caller: string, service: string, lane: string): readonly GrantEntry[];
}

export function policyDocument(
  identity: { readonly node: string; readonly zone: string },
  registry: Registry,
  pack: Pack,
): PolicyDocument {
  const index = new Map<string, GrantEntry[]>();
  const sorted = [...registry.document.grants].sort((a, b) => (a.id < b.id ? -1 : 1));
  for (const grant of sorted) {
    const key = `${grant.caller}\n${grant.service}\n${grant.lane}`;
    const known = index.get(key);
    if (known === undefined) index.set(key, [grant]);
    else known.push(grant);
  }
  return {
    ...identity,
    registry,
    pack,
    grantsFor: (caller, service, lane) => index.get(`${caller}\n${service}\n${lane}`) ?? [],
  };
}
