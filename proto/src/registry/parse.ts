/**
 * Guarantee: a parsed document has every field of its type, within limits, no
 * unknown field, unique ids, and references that lead somewhere. The first
 * fault is named by its path.
 */
import { GatewayError } from "../errors/index.ts";
import {
  type CallerEntry,
  type GrantEntry,
  type LaneEntry,
  type LicenceEntry,
  type NodeEntry,
  REGISTRY_FORMAT,
  type RegistryDocument,
  type ServiceEntry,
} from "./document.ts";
import { type Grade, isGrade } from "./grades.ts";
import { ID_FORM } from "./id-form.ts";
import { isReceiptLane } from "./receipt-lane.ts";

/** 4 MiB: some ten thousand callers and grants; read whole by every service at start. */
export const MAX_REGISTRY_BYTES = 4 * 1024 * 1024;

const WHOLE = { min: 0, max: Number.MAX_SAFE_INTEGER };

/** Seconds. Below an hour a list would be late before it is brought; a leap year old it says nothing any more. */
const REVOCATION_FRESHNESS = { min: 3_600, max: 366 * 86_400 };

function invalid(path: string, why: string): never {
  throw new GatewayError("registry.invalid", { detail: `${path}: ${why}` });
}

/** Reads one object and at the end refuses the fields that nobody asked for. */
class Fields {
  readonly #object: Readonly<Record<string, unknown>>;
  readonly #path: string;
  readonly #asked = new Set<string>();

  constructor(value: unknown, path: string) {
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      invalid(path, "an object is needed");
    }
    this.#object = value as Readonly<Record<string, unknown>>;
    this.#path = path;
  }

  #take(name: string): unknown {
    this.#asked.add(name);
    return this.#object[name];
  }

  text(name: string, form?: RegExp): string {
    const value = this.#take(name);
    if (typeof value !== "string" || value.length > 1024 || form?.test(value) === false) {
      invalid(
        `${this.#path}.${name}`,
        form === undefined ? "a text is needed" : `must match ${form.source}`,
      );
    }
    return value;
  }

  id(name: string): string {
    return this.text(name, ID_FORM);
  }

  whole(name: string, { min, max } = WHOLE): number {
    const value = this.#take(name);
    if (typeof value !== "number" || !Number.isSafeInteger(value) || value < min || value > max) {
      const range = min === WHOLE.min && max === WHOLE.max ? "" : ` from ${min} to ${max}`;
      invalid(`${this.#path}.${name}`, `a whole number${range} is needed`);
    }
    return value;
  }

  flag(name: string): boolean {
    const value = this.#take(name);
    if (typeof value !== "boolean") invalid(`${this.#path}.${name}`, "true or false is needed");
    return value;
  }

  grade(name: string): Grade {
    const value = this.text(name);
    if (!isGrade(value)) invalid(`${this.#path}.${name}`, "not a grade");
    return value;
  }

  oneOf<T extends string>(name: string, allowed: readonly T[]): T {
    const value = this.text(name);
    const found = allowed.find((option) => option === value);
    if (found === undefined) invalid(`${this.#path}.${name}`, `one of ${allowed.join(", ")}`);
    return found;
  }

  texts(name: string): string[] {
    return this.list(name, (value, path) => {
      if (typeof value !== "string" || value.length > 1024) invalid(path, "a text is needed");
      return value;
    });
  }

  list<T>(name: string, read: (value: unknown, path: string) => T): T[] {
    const value = this.#take(name);
    const path = `${this.#path}.${name}`;
    if (!Array.isArray(value)) invalid(path, "a list is needed");
    return value.map((element, i) => read(element, `${path}[${i}]`));
  }

  nested<T>(name: string, read: (value: unknown, path: string) => T): T {
    return read(this.#take(name), `${this.#path}.${name}`);
  }

  /** What `read` makes of a field that may be absent; nothing where it is. */
  optional<T extends object>(name: string, read: () => T): T | object {
    return Object.hasOwn(this.#object, name) ? read() : {};
  }

  done(): void {
    for (const name of Object.keys(this.#object)) {
      if (!this.#asked.has(name)) invalid(`${this.#path}.${name}`, "unknown field");
    }
  }
}

function reader<T>(read: (fields: Fields) => T): (value: unknown, path: string) => T {
  return (value, path) => {
    const fields = new Fields(value, path);
    const result = read(fields);
    fields.done();
    return result;
  };
}

const readLicence = reader<LicenceEntry>((f) => ({
  number: f.text("number"),
  notBeforeMs: f.whole("notBeforeMs"),
  notAfterMs: f.whole("notAfterMs"),
  lanes: f.texts("lanes"),
  gradeCeiling: f.grade("gradeCeiling"),
}));

const readNode = reader<NodeEntry>((f) => ({
  id: f.id("id"),
  zone: f.id("zone"),
  organisation: f.text("organisation"),
  licence: f.nested("licence", readLicence),
}));

const readLane = reader<LaneEntry>((f) => ({
  id: f.id("id"),
  from: f.id("from"),
  to: f.id("to"),
  driver: f.oneOf("driver", ["udp", "directory", "media"]),
  state: f.oneOf("state", ["open", "media", "closed"]),
  kinds: f.texts("kinds"),
  gradeCeiling: f.grade("gradeCeiling"),
  expirySeconds: f.whole("expirySeconds"),
  revocationFreshnessSeconds: f.whole("revocationFreshnessSeconds", REVOCATION_FRESHNESS),
  maxRequestBytes: f.whole("maxRequestBytes"),
  maxFileBytes: f.whole("maxFileBytes"),
}));

const readService = reader<ServiceEntry>((f) => ({
  id: f.id("id"),
  zone: f.id("zone"),
  kind: f.oneOf("kind", ["request", "file", "receipt"]),
  methods: f.texts("methods"),
  paths: f.texts("paths"),
  maxBytes: f.whole("maxBytes"),
  ...f.optional("priority", () => ({ priority: f.oneOf("priority", ["urgent", "normal"]) })),
}));

const readCaller = reader<CallerEntry>((f) => ({
  id: f.id("id"),
  zone: f.id("zone"),
  organisation: f.text("organisation"),
  certificateSha256: f.texts("certificateSha256"),
}));

const readGrant = reader<GrantEntry>((f) => ({
  id: f.id("id"),
  caller: f.id("caller"),
  service: f.id("service"),
  lane: f.id("lane"),
  gradeCeiling: f.grade("gradeCeiling"),
  purpose: f.text("purpose"),
  notBeforeMs: f.whole("notBeforeMs"),
  notAfterMs: f.whole("notAfterMs"),
  perDay: f.whole("perDay"),
  bytesPerDay: f.whole("bytesPerDay"),
}));

const readDocument = reader<RegistryDocument>((f) => {
  if (f.text("format") !== REGISTRY_FORMAT) invalid("$.format", `must be ${REGISTRY_FORMAT}`);
  return {
    format: REGISTRY_FORMAT,
    number: f.whole("number"),
    issuedMs: f.whole("issuedMs"),
    demo: f.flag("demo"),
    nodes: f.list("nodes", readNode),
    lanes: f.list("lanes", readLane),
    services: f.list("services", readService),
    callers: f.list("callers", readCaller),
    grants: f.list("grants", readGrant),
  };
});

/** @throws GatewayError `registry.invalid` naming the first field that is wrong. */
export function parseRegistryDocument(bytes: Uint8Array): RegistryDocument {
  if (bytes.length > MAX_REGISTRY_BYTES) invalid("$", `larger than ${MAX_REGISTRY_BYTES} bytes`);
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new GatewayError("registry.invalid", { detail: "$: not JSON in UTF-8", cause });
  }
  const document = readDocument(json, "$");
  for (const list of ["nodes", "lanes", "services", "callers", "grants"] as const) {
    const seen = new Set<string>();
    for (const { id } of document[list]) {
      if (seen.has(id)) invalid(`$.${list}`, `${id} stands twice`);
      seen.add(id);
    }
  }
  checkReferences(document);
  return document;
}

function checkReferences(document: RegistryDocument): void {
  const has = (list: readonly { readonly id: string }[], id: string) =>
    list.some((entry) => entry.id === id);
  for (const lane of document.lanes) {
    if (lane.from === lane.to) invalid(`$.lanes.${lane.id}`, "leads back into its own zone");
    // It would look as if it had an online form.
    if (lane.driver === "media" && lane.state === "open") {
      invalid(`$.lanes.${lane.id}.state`, "a lane of driver media is media or closed");
    }
    // What leads back may carry nothing by which content could leave with it (SPEC §17.6).
    if (isReceiptLane(lane) && lane.kinds.length > 1) {
      invalid(`$.lanes.${lane.id}.kinds`, "receipts alone, or none");
    }
    for (const zone of [lane.from, lane.to]) {
      // A zone is never 电子政务内网 or any network that holds state secrets (DESIGN §2).
      if (/secret|neiwang|government-intranet/.test(zone))
        invalid(`$.lanes.${lane.id}`, `zone ${zone} is refused`);
      if (!document.nodes.some((node) => node.zone === zone)) {
        invalid(`$.lanes.${lane.id}`, `no node in zone ${zone}`);
      }
    }
  }
  for (const service of document.services) {
    // Files are bulk and receipts normal: a word that says otherwise would be believed by its reader alone.
    if (service.priority !== undefined && service.kind !== "request") {
      invalid(`$.services.${service.id}.priority`, "for requests alone");
    }
  }
  for (const grant of document.grants) {
    if (!has(document.callers, grant.caller))
      invalid(`$.grants.${grant.id}`, `no caller ${grant.caller}`);
    if (!has(document.services, grant.service))
      invalid(`$.grants.${grant.id}`, `no service ${grant.service}`);
    if (!has(document.lanes, grant.lane)) invalid(`$.grants.${grant.id}`, `no lane ${grant.lane}`);
  }
}
