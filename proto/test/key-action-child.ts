/** Begins an operation with keys and is killed in it. */
import { withKeyAction } from "../src/service/index.ts";

const [keyFolder = ""] = process.argv.slice(2);
await withKeyAction({ keyFolder, verb: "keys destroy", operator: "child", about: {} }, () => {
  process.send?.("begun");
  return new Promise<never>(() => setInterval(() => undefined, 60_000));
});
