import { test } from "vitest";
import { crashDrill } from "./support/ingress-crash-drill.ts";
import { receivingZone } from "./support/receiving.ts";

receivingZone();

test.each([
  ["honours", true],
  ["does not honour", false],
])(
  "stopped dead after every single write, then started again; the target %s the key",
  async (_, idempotency) => {
    await crashDrill(idempotency, 1);
  },
  240_000,
);
