/**
 * Guarantee: receipts of both directions have one desk: what arrived here is
 * signed and sent back, what was sent from here is matched with what comes back.
 * See README.md of this folder.
 */
import { asGatewayError } from "@lightferry/proto/errors";
import type { lightferry } from "@lightferry/proto/gen";
import { AGE_MAX_MS } from "@lightferry/proto/receipt";
import type { CallContext } from "@lightferry/proto/rpc";
import type { FrontProxyContext } from "../context.ts";
import { PokedWork } from "../ingress/poked-work.ts";
import { carryReceipts, type Handover } from "./carrier.ts";
import { pruneTaken } from "./exchange-rows.ts";
import { confirmExport, type Exported, type ExportWish, exportReceipts } from "./export.ts";
import { type ImportWish, importReceipts } from "./import.ts";
import { pruneLists } from "./list-rows.ts";
import type { ImportReport } from "./report.ts";
import { ReceiptSigning } from "./signing-queue.ts";
import { type ReceiptStatus, readReceiptStatus } from "./status.ts";

type Seal = typeof lightferry.seal.v1;

/** A lane may open, a refused list wait, a record grow old: looked at this often. */
const LOOK_MS = 60_000;
/** After a fault: services of one zone restart in a second or two. */
const REST_MS = 2_000;
/** Rows of one round of forgetting. */
const PRUNE_ROWS = 1_000;

/** What seal, an operator and the receiving side ask. */
export interface ReceiptDesk {
  lease(
    request: InstanceType<Seal["LeaseReceiptsRequest"]>,
    call: CallContext,
  ): Promise<lightferry.seal.v1.LeaseReceiptsResponse.$Properties>;
  commit(request: InstanceType<Seal["CommitReceiptsRequest"]>): Promise<object>;
  export(wish: ExportWish): Promise<Exported>;
  confirm(
    lists: readonly { readonly lane: string; readonly number: number }[],
    digest: Uint8Array,
    actor: string,
  ): Promise<void>;
  import(file: Uint8Array, wish: ImportWish): Promise<ImportReport>;
  status(): Promise<ReceiptStatus>;
}

/** Takes up what a crash left; ends with the shell. */
export function startReceipts(context: FrontProxyContext, handover: Handover): ReceiptDesk {
  const { shell, pool } = context;
  const carrying = new PokedWork({
    round: () => carryReceipts(context, handover),
    pauseMs: REST_MS,
    failed: (error) => {
      const { code, detail } = asGatewayError(error);
      shell.log.warn({ code, detail, err: error }, "receipts could not be handed to their lane");
    },
  });
  const signing = new ReceiptSigning(context, () => carrying.poke());
  const forget = async () => {
    const beforeMs = Date.now() - AGE_MAX_MS;
    await pruneLists(pool, beforeMs, PRUNE_ROWS);
    await pruneTaken(pool, beforeMs, PRUNE_ROWS);
  };
  let forgetting = Promise.resolve();
  const looking = setInterval(() => {
    carrying.poke();
    forgetting = forgetting.then(forget).catch((error: unknown) => {
      const { code, detail } = asGatewayError(error);
      shell.log.warn({ code, detail }, "old receipts could not be removed");
    });
  }, LOOK_MS);
  carrying.poke();
  shell.onClose(async () => {
    clearInterval(looking);
    await forgetting;
    await carrying.stop();
  });
  return {
    lease: (request, call) => signing.lease(request, call),
    commit: (request) => signing.commit(request),
    export: (wish) => exportReceipts(context, wish),
    confirm: (lists, digest, actor) => confirmExport(context, lists, digest, actor),
    import: (file, wish) => importReceipts(context, file, wish),
    status: () => readReceiptStatus(context),
  };
}
