/** Guarantee: what a command answers as JSON; one that fails is a failed test that shows all it said. */
import { expect } from "vitest";
import { cli } from "../drills/cli.ts";

/** @param home of the zones @param words of the command, without `--json` */
export async function told<T>(home: string, ...words: string[]): Promise<T> {
  const { code, out, err } = await cli(home, [...words, "--json"]);
  expect(code, `${words.join(" ")}\n${out}${err}`).toBe(0);
  return JSON.parse(out) as T;
}
