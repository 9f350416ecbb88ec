/** Guarantee checked: as in pki-property.test.ts, over more changes than fit the quick suite. */
import { describe, it } from "vitest";
import { neverAccepted, readers } from "./pki-changes.ts";

describe("what is changed, at length", () => {
  it.each(readers)(
    "in a %s is never accepted",
    (_, bytes, accept) => {
      neverAccepted(bytes, accept, 30_000);
    },
    300_000,
  );
});
