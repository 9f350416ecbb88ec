/** Guarantee: tests that each begin anew have a PKI of their own each, and its keys are made once for all of them. */
import { tmpdir } from "node:os";
import { dirname } from "node:path";
import { TestPki, type TestPkiOptions } from "./pki.ts";
import { SOCKET_VARIABLE } from "./protocol.ts";

interface Original {
  readonly wish: string;
  readonly madeMs: number;
  readonly pki: Promise<TestPki>;
}

const originals: Original[] = [];
/** Its lists are of when it was made: a test with a clock elsewhere gets another. */
const ORIGINAL_LIFE_MS = 60 * 60 * 1000;

/**
 * As `testPki`, but the keys are those of every other call in this process with the same options and about the
 * same time: for tests that each begin anew and meet no strangers. A dozen keys and certificates are then made once,
 * not for each test.
 */
export async function familiarPki(options: TestPkiOptions): Promise<TestPki> {
  const wish = JSON.stringify(options);
  const now = Date.now();
  let original = originals.find(
    (one) => one.wish === wish && one.madeMs <= now && now - one.madeMs < ORIGINAL_LIFE_MS,
  );
  if (original === undefined) {
    original = { wish, madeMs: now, pki: makeOriginal(options) };
    originals.push(original);
  }
  return (await original.pki).copy();
}

async function makeOriginal(options: TestPkiOptions): Promise<TestPki> {
  // Goes with the run's folder: nothing here hears of the end of a test file.
  const socket = process.env[SOCKET_VARIABLE];
  const original = await TestPki.make(options, socket === undefined ? tmpdir() : dirname(socket));
  // Verified here, and not once more in each copy.
  void original.store;
  return original;
}
