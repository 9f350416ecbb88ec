/** Guarantee: what an appliance's link takes on of one class is what two shipments hold, whatever the other classes have. */
import { type ClassLimits, LEASE_CLASSES } from "../../tx/places.ts";
import { type Profile, partBytesOf } from "../profile.ts";

/** Two shipments of the smallest bundles, so that the next is filled while one is sent. */
const BUNDLES = 1_024;
/** One larger than a shipment is alone in one: it and the next. */
const ANY_SIZE = 2;
/** With those waiting for their next pass: about 1 KB of memory each. */
const HELD = 50_000;

/** By class. */
export function applianceLimits(profile: Profile): readonly ClassLimits[] {
  const bytes = 2 * partBytesOf(profile) * profile.dataParts;
  return LEASE_CLASSES.map(() => ({ bundles: BUNDLES, anySize: ANY_SIZE, bytes, held: HELD }));
}
