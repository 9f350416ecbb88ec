/** Guarantee: when several items of a lease cannot be sealed for one reason, the error names all of them. */
import { type ErrorCode, GatewayError } from "@lightferry/proto/errors";

export class ItemsError extends GatewayError {
  /** Positions in the lease, from 0. */
  readonly itemIndexes: readonly number[];

  constructor(code: ErrorCode, itemIndexes: readonly number[], detail: string) {
    super(code, { detail: `${itemIndexes.length} items: ${detail}` });
    this.itemIndexes = itemIndexes;
  }
}
