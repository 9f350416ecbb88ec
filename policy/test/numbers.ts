/** Guarantee: well-formed identity numbers for tests, computed independently of the validator. */
import fc from "fast-check";

/** The check character computed the other way round: by ISO 7064 recursion, not by weights. */
export function checkCharacter(body: string): string {
  let product = 0;
  for (const digit of body) product = ((product + Number(digit)) * 2) % 11;
  const check = (12 - product) % 11;
  return check === 10 ? "X" : String(check);
}

const date = fc
  .date({ min: new Date("1900-01-01"), max: new Date("2026-12-31"), noInvalidDate: true })
  .map((d) => d.toISOString().slice(0, 10).replaceAll("-", ""));
export const residentId = fc
  .tuple(
    fc.constantFrom("110101", "510104", "513401", "440305", "659001", "810000"),
    date,
    fc.integer({ min: 0, max: 999 }),
  )
  .map(([area, born, serial]) => `${area}${born}${String(serial).padStart(3, "0")}`)
  .map((body) => body + checkCharacter(body));
