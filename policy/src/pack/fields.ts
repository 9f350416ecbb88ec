/** Guarantee: each field of a pack is asked for by name and type; one that nobody asked for is an error. */
import { GatewayError } from "@lightferry/proto/errors";

/** No text in a pack is longer: titles, reasons, phrases. */
const TEXT_MAX = 512;
const ID_FORM = /^[a-z0-9][a-z0-9.-]{0,62}$/;

export function packInvalid(path: string, why: string): never {
  throw new GatewayError("policy.pack-invalid", { detail: `${path}: ${why}` });
}

export class PackFields {
  readonly path: string;
  readonly #object: Readonly<Record<string, unknown>>;
  readonly #asked = new Set<string>();

  constructor(value: unknown, path: string) {
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      packInvalid(path, "a mapping is needed");
    }
    this.#object = value as Readonly<Record<string, unknown>>;
    this.path = path;
  }

  has(name: string): boolean {
    return Object.hasOwn(this.#object, name);
  }

  take(name: string): unknown {
    this.#asked.add(name);
    return this.has(name) ? this.#object[name] : undefined;
  }

  text(name: string): string {
    const value = this.take(name);
    if (typeof value !== "string" || value === "" || value.length > TEXT_MAX) {
      packInvalid(`${this.path}.${name}`, "a text is needed");
    }
    return value;
  }

  id(name: string): string {
    const value = this.text(name);
    if (!ID_FORM.test(value)) packInvalid(`${this.path}.${name}`, "not an id");
    return value;
  }

  flag(name: string): boolean {
    const value = this.take(name);
    if (typeof value !== "boolean") packInvalid(`${this.path}.${name}`, "true or false is needed");
    return value;
  }

  whole(name: string): number {
    const value = this.take(name);
    if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 1) {
      packInvalid(`${this.path}.${name}`, "a whole number from 1 on is needed");
    }
    return value;
  }

  oneOf<T extends string>(name: string, allowed: readonly T[]): T {
    const value = this.take(name);
    const found = allowed.find((option) => option === value);
    if (found === undefined) packInvalid(`${this.path}.${name}`, `one of ${allowed.join(", ")}`);
    return found;
  }

  /** An absent list is empty. */
  list<T>(name: string, read: (value: unknown, path: string) => T): T[] {
    const value = this.take(name) ?? [];
    const path = `${this.path}.${name}`;
    if (!Array.isArray(value)) packInvalid(path, "a list is needed");
    return value.map((element, i) => read(element, `${path}[${i}]`));
  }

  /** The members of a mapping, by name. */
  members<T>(name: string, read: (value: unknown, path: string) => T): Map<string, T> {
    const nested = new PackFields(this.take(name), `${this.path}.${name}`);
    const result = new Map<string, T>();
    for (const key of Object.keys(nested.#object)) {
      if (!ID_FORM.test(key)) packInvalid(nested.path, `${JSON.stringify(key)} is not an id`);
      result.set(key, read(nested.take(key), `${nested.path}.${key}`));
    }
    return result;
  }

  /** @throws GatewayError `policy.pack-invalid` naming the first field nobody asked for. */
  done(): void {
    for (const name of Object.keys(this.#object)) {
      if (!this.#asked.has(name)) packInvalid(`${this.path}.${name}`, "unknown field");
    }
  }
}
