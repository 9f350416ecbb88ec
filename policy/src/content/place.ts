/** Guarantee: a place is named without showing content: a column by its number, a field only if it looks like a name. */

const COMMA = 0x2c;
const QUOTE = 0x22;
const LINE_FEED = 0x0a;

/** Text kept for places asked about late; a digit run held back longer gets the place it ended in. */
const LOOK_BACK = 8 * 1024;

/** Names the place at an offset, in UTF-16 units from the beginning of the text. */
export type Where = (offset: number) => string;

/** Follows the columns of a CSV file (RFC 4180) as its text flows by in pieces. */
export class CsvPlace {
  #column = 1;
  #quoted = false;
  #text = "";
  /** Offset of the first unit of #text; everything before it is counted. */
  #offset = 0;

  feed(piece: string): void {
    this.#countTo(this.#offset + this.#text.length - LOOK_BACK);
    this.#text += piece;
  }

  /** The header line is not quoted: in a file without one it would be a person's data. */
  at(offset: number): string {
    this.#countTo(offset);
    return `column ${this.#column}`;
  }

  #countTo(offset: number): void {
    const units = Math.min(offset - this.#offset, this.#text.length);
    if (units <= 0) return;
    for (let i = 0; i < units; i += 1) {
      const unit = this.#text.charCodeAt(i);
      if (unit === QUOTE) this.#quoted = !this.#quoted;
      else if (this.#quoted) continue;
      else if (unit === COMMA) this.#column += 1;
      else if (unit === LINE_FEED) this.#column = 1;
    }
    this.#text = this.#text.slice(units);
    this.#offset += units;
  }
}

const FIELD_NAME = /^[\p{L}_$][\p{L}\p{N}_$.-]{0,39}$/u;
const MANY_DIGITS = /[0-9]{4}/;

/** The key itself when it is shaped like a field name, else only that it is one. */
export function fieldName(key: string): string {
  return FIELD_NAME.test(key) && !MANY_DIGITS.test(key) ? key : "field";
}
