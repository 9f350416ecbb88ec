/**
 * Guarantee: what overtakes what is the signed registry's word, never a caller's
 * wish (proto/SPEC.md §4.3): files are bulk, receipts normal, and a request is
 * urgent exactly where its service says so.
 */
import type { ServiceEntry } from "./document.ts";
import type { Registry } from "./registry.ts";

/** From the first to leave to the last. */
export const PRIORITIES = ["urgent", "normal", "bulk"] as const;
export type Priority = (typeof PRIORITIES)[number];

export function isPriority(text: string): text is Priority {
  return (PRIORITIES as readonly string[]).includes(text);
}

/** Of what is submitted to a service; one that the registry does not know is refused anyhow. */
export function priorityOf(
  registry: Registry,
  kind: ServiceEntry["kind"],
  service: string,
): Priority {
  if (kind === "file") return "bulk";
  if (kind === "receipt") return "normal";
  return registry.service(service)?.priority ?? "normal";
}
