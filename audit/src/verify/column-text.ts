/**
 * Guarantee: any text of an event fits into an indexed column. The column is a
 * search key; what was said in full stands in the event's bytes.
 */

/** A key of a PostgreSQL index must stay below 2,704 bytes, whatever the script. */
const MAX_COLUMN_CHARACTERS = 256;

/** The column for a text field: cut, and without the NUL that PostgreSQL refuses. */
export function columnText(field: string): string {
  if (field.length <= MAX_COLUMN_CHARACTERS && !field.includes("\0")) return field;
  return field.slice(0, MAX_COLUMN_CHARACTERS).replaceAll("\0", "\uFFFD").toWellFormed();
}
