import { afterEach, beforeEach, test } from "vitest";
import { type HttpTargetServer, httpTarget } from "./support/http-target.ts";
import { crashDrill } from "./support/ingress-crash-drill.ts";
import { createWorld, type World } from "./support/ingress-world.ts";

let world: World;
let target: HttpTargetServer;

beforeEach(async () => {
  [world, target] = await Promise.all([createWorld(), httpTarget()]);
});

afterEach(async () => {
  await world.close();
  await target.close();
});

test.each([
  ["honours", true],
  ["does not honour", false],
])(
  "stopped dead after every single write, then started again; the target %s the key",
  async (_, idempotency) => {
    await crashDrill(world, target, idempotency, 1);
  },
  240_000,
);
