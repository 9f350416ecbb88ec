/** Guarantee: a database with the front-proxy's schema, as `migrate` leaves it, that no other test sees. */
import { type TestDatabase, testDatabase } from "@lightferry/proto/testing";
import { migrate, openPool } from "../../src/database.ts";

/** A database that is only slow, because every core is busy with tests, is no fault of what is tested. */
export const CONNECT_MS = 20_000;

export function migratedDatabase(): Promise<TestDatabase> {
  return testDatabase({
    template: {
      name: "front_proxy",
      prepare: async (url) => {
        const pool = openPool(url, () => undefined, CONNECT_MS);
        try {
          await migrate(pool);
        } finally {
          await pool.end();
        }
      },
    },
  });
}
