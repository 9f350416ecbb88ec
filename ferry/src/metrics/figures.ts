/**
 * Guarantee: a figure is declared once, with its name, type, labels and help, and read from the picture of the
 * program; METRICS.md is held to these declarations by a test.
 */
import type { Family, FamilyType, Sample } from "./exposition.ts";

/** Label values, in the order of the figure's labels, and the number; undefined is left out. */
export type Point = readonly [
  values: readonly (string | number)[],
  value: number | undefined | null,
];

export interface Figure<P> {
  readonly name: string;
  readonly type: FamilyType;
  readonly labels: readonly string[];
  readonly help: string;
  readonly points: (picture: P) => readonly Point[];
}

const PREFIX = "lightferry_ferry_";

type Read<P> = (picture: P) => readonly Point[];

/** A sum that only grows while the program runs. */
export function counter<P>(
  name: string,
  labels: readonly string[],
  help: string,
  points: Read<P>,
): Figure<P> {
  return { name: `${PREFIX}${name}_total`, type: "counter", labels, help, points };
}

/** What is now. */
export function gauge<P>(
  name: string,
  labels: readonly string[],
  help: string,
  points: Read<P>,
): Figure<P> {
  return { name: `${PREFIX}${name}`, type: "gauge", labels, help, points };
}

export function familyOf<P>({ name, type, labels, help, points }: Figure<P>, picture: P): Family {
  const samples = points(picture).flatMap(([values, value]): Sample[] => {
    if (value === undefined || value === null) return [];
    const pairs = labels.map((label, index) => [label, String(values[index] ?? "")] as const);
    return [{ labels: Object.fromEntries(pairs), value }];
  });
  return { name, type, help, samples };
}
