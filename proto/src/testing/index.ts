/** Guarantee: what tests of every folder may use; never imported by a program. */

export { runCaptured, type Said } from "./captured.ts";
export { type DatabaseTemplate, type TestDatabase, testDatabase } from "./database.ts";
export { familiarPki } from "./familiar-pki.ts";
export { type DraftItem, permittedItems } from "./permitted-items.ts";
export { type TestPki, type TestPkiOptions, testPki } from "./pki.ts";
export { type TestZone, testZone } from "./zone.ts";
