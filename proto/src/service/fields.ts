/**
 * Guarantee: a setting is read once, checked, and has its type afterwards; a
 * wrong or missing one is named by its full path in `config.invalid`.
 */
import { GatewayError } from "../errors/index.ts";

/** Longer than any path or URL in use; keeps a mistaken file out of memory and logs. */
const MAX_STRING = 4_096;
const MAX_PORT = 65_535;

/** @throws GatewayError `config.invalid` with the field and what is expected there */
export function invalidField(path: string, expected: string): never {
  throw new GatewayError("config.invalid", { detail: `${path}: ${expected}` });
}

/** The value at a dotted path, or undefined where any step is missing. */
export function readField(source: unknown, path: string): unknown {
  let value: unknown = source;
  for (const step of path.split(".")) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, step)) {
      return undefined;
    }
    value = (value as Record<string, unknown>)[step];
  }
  return value;
}

/** A non-empty string. */
export function readString(source: unknown, path: string): string {
  const value = readField(source, path);
  if (typeof value !== "string" || value === "" || value.length > MAX_STRING) {
    invalidField(path, "a non-empty text is expected");
  }
  return value;
}

export function readOptionalString(source: unknown, path: string): string | undefined {
  return readField(source, path) === undefined ? undefined : readString(source, path);
}

/** One of the given words. */
export function readOneOf<T extends string>(source: unknown, path: string, words: readonly T[]): T {
  const value = readField(source, path);
  const found = words.find((word) => word === value);
  return found ?? invalidField(path, `one of ${words.join(", ")} is expected`);
}

/** A whole number within limits, both included. */
export function readInteger(
  source: unknown,
  path: string,
  limits: { readonly min: number; readonly max: number },
): number {
  const value = readField(source, path);
  if (
    typeof value !== "number" ||
    !Number.isSafeInteger(value) ||
    value < limits.min ||
    value > limits.max
  ) {
    invalidField(path, `a whole number from ${limits.min} to ${limits.max} is expected`);
  }
  return value;
}

export function readOptionalInteger(
  source: unknown,
  path: string,
  limits: { readonly min: number; readonly max: number },
): number | undefined {
  return readField(source, path) === undefined ? undefined : readInteger(source, path, limits);
}

export function readBoolean(source: unknown, path: string): boolean {
  const value = readField(source, path);
  return typeof value === "boolean" ? value : invalidField(path, "true or false is expected");
}

/** A plain object, neither null nor a list. */
export function readObject(source: unknown, path: string): Readonly<Record<string, unknown>> {
  const value = readField(source, path);
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    invalidField(path, "a group of settings is expected");
  }
  return value as Readonly<Record<string, unknown>>;
}

/** A list; its elements are unchecked. */
export function readList(source: unknown, path: string): readonly unknown[] {
  const value = readField(source, path);
  return Array.isArray(value) ? value : invalidField(path, "a list is expected");
}

/** `{ host, port }`; port 0 lets the system choose. */
export function readListen(source: unknown, path: string): { host: string; port: number } {
  return {
    host: readString(source, `${path}.host`),
    port: readInteger(source, `${path}.port`, { min: 0, max: MAX_PORT }),
  };
}

/** `host:port` with a port from 1. */
export function readAddress(source: unknown, path: string): string {
  const value = readString(source, path);
  const port = Number(/^[^\s/]+:(\d{1,5})$/.exec(value)?.[1] ?? "0");
  if (port < 1 || port > MAX_PORT) invalidField(path, "host:port is expected");
  return value;
}

/** `{ ca, cert, key }`, paths of PEM files. */
export function readTlsFiles(
  source: unknown,
  path: string,
): { ca: string; cert: string; key: string } {
  return {
    ca: readString(source, `${path}.ca`),
    cert: readString(source, `${path}.cert`),
    key: readString(source, `${path}.key`),
  };
}

/** Refuses settings that nobody reads: a misspelt one would otherwise silently not apply. */
export function refuseUnknownFields(source: unknown, path: string, known: readonly string[]): void {
  const value = path === "" ? source : readField(source, path);
  for (const name of Object.keys(Object(value))) {
    if (!known.includes(name)) {
      invalidField(path === "" ? name : `${path}.${name}`, "no such setting");
    }
  }
}
