/** Guarantee: a database that is away while quotas are charged stands in the audit log, once when it goes and once when it is back. */
import type { Troubles } from "@lightferry/proto/service";
import type { Desk } from "../server/desk.ts";

const WORK = "charging quotas";

/** The same book; what it throws is told and thrown on. */
export function toldQuota(book: Desk["quota"], troubles: Troubles): Desk["quota"] {
  return {
    charge: async (charges, nowMs) => {
      try {
        const answers = await book.charge(charges, nowMs);
        if (charges.length > 0) await troubles.over(WORK);
        return answers;
      } catch (error) {
        await troubles.met(WORK, error);
        throw error;
      }
    },
  };
}
