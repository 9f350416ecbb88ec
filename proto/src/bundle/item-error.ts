/** Guarantee: a failure of one item says which item, so that the others can go on. */
import { type ErrorCode, GatewayError, type GatewayErrorOptions } from "../errors/index.ts";

export class BundleItemError extends GatewayError {
  /** Position in the manifest, from 0. */
  readonly itemIndex: number;

  constructor(code: ErrorCode, itemIndex: number, options: GatewayErrorOptions = {}) {
    const place = `item ${itemIndex}`;
    const detail = options.detail ? `${place}: ${options.detail}` : place;
    super(code, { ...options, detail });
    this.itemIndex = itemIndex;
  }
}

/** Does the work for one item; what it throws then says which. */
export function forItem<T>(itemIndex: number, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    throw new BundleItemError(error.code, itemIndex, { detail: error.detail, cause: error });
  }
}
