/** Guarantee: a failure of one item says which item, so that the others can go on. */
import { type ErrorCode, GatewayError, type GatewayErrorOptions } from "../errors/index.ts";

export class BundleItemError extends GatewayError {
  /** Position in the manifest, from 0. */
  readonly itemIndex: number;

  constructor(code: ErrorCode, itemIndex: number, options: GatewayErrorOptions = {}) {
    const place = `item ${itemIndex}`;
    const detail = options.detail === undefined ? place : `${place}: ${options.detail}`;
    super(code, { ...options, detail });
    this.itemIndex = itemIndex;
  }
}
