/**
 * Guarantee: a pass sends every part of every group that is not over yet; a group that is over is noted before the
 * next one begins. A full disk or journal costs time and nothing else.
 */
import { asGatewayError, GatewayError } from "@lightferry/proto/errors";
import type { Troubles } from "@lightferry/proto/service";
import type { Log } from "../../events.ts";
import type { TxLane } from "../../picture.ts";
import { untilAnswered } from "../../retry.ts";
import { asStorageFault } from "../../storage-fault.ts";
import type { CheckContext } from "../../tx/check.ts";
import { Plan } from "../plan.ts";
import { Content } from "./content.ts";
import type { Groups } from "./groups.ts";
import type { Shipment, ShipmentJournal } from "./journal.ts";
import { REPEAT_CLASS } from "./line.ts";
import type { Outlet } from "./outlet.ts";

export interface PassParts {
  readonly journal: ShipmentJournal;
  readonly groups: Groups;
  readonly outlet: Pick<Outlet, "send">;
  readonly troubles: Troubles;
  readonly log: Log;
  readonly check: () => CheckContext;
  readonly signal: AbortSignal;
}

export class Passes {
  readonly #parts: PassParts;
  /** Under way, by shipment. */
  readonly #running = new Map<string, { readonly shipment: Shipment; bytes: number }>();

  constructor(parts: PassParts) {
    this.#parts = parts;
  }

  picture(): TxLane["passes"] {
    return [...this.#running.values()].flatMap(({ shipment, bytes }) =>
      shipment.bundles.slice(0, 1).map(({ bundleId }) => ({
        bundle: bundleId,
        ...{ shipment: shipment.id, bundles: shipment.bundles.length },
        ...{ pass: shipment.passes + 1, bytes, size: shipment.plan.size },
      })),
    );
  }

  /** @returns why its content could not be read, or undefined when all of it is with the appliance */
  async send(shipment: Shipment): Promise<GatewayError | undefined> {
    const { journal, check } = this.#parts;
    const plan = new Plan(shipment.plan);
    const content = new Content(check().outboxDir, shipment);
    const state = { shipment, bytes: Math.min(shipment.groups * plan.groupBytes, plan.facts.size) };
    this.#running.set(shipment.id, state);
    try {
      for (let group = shipment.groups; group < plan.groups; group += 1) {
        await this.#group(shipment, plan, group, content);
        state.bytes = Math.min((group + 1) * plan.groupBytes, plan.facts.size);
        if (group + 1 < plan.groups) {
          await this.persist(() => journal.groupOver(shipment.id, group + 1));
        }
      }
      return undefined;
    } catch (error) {
      if (error instanceof GatewayError && error.code === "ferry.file-invalid") return error;
      throw error;
    } finally {
      this.#running.delete(shipment.id);
      await content.close();
    }
  }

  async #group(shipment: Shipment, plan: Plan, group: number, content: Content): Promise<void> {
    const { groups, outlet } = this.#parts;
    const serviceClass = shipment.passes > 0 ? REPEAT_CLASS : shipment.serviceClass;
    const shipmentId = Buffer.from(shipment.id, "hex");
    const k = plan.dataParts(group);
    const name = String(serviceClass);
    const made = await this.persist(() => groups.make(plan, group, content, name));
    try {
      for (const { index, digest, length, pieces } of made.parts) {
        const part = { ...plan.facts, shipmentId, group, index, digest };
        await outlet.send({ head: { part }, length, parity: index >= k, pieces }, serviceClass);
      }
    } finally {
      await made.close();
    }
  }

  /** Does it until it is done. @throws GatewayError `ferry.file-invalid`; the reason of the abort */
  async persist<T>(work: () => Promise<T>): Promise<T> {
    const { signal, troubles, log, check } = this.#parts;
    const { lane } = check();
    const done = await untilAnswered(work, signal, (error) => {
      const fault = asStorageFault(error);
      const { code, detail } = asGatewayError(fault);
      if (code === "ferry.file-invalid") return false;
      log.error({ code, detail }, "not written, tried again");
      void troubles.met("storing", fault, { lane });
      return true;
    });
    await troubles.over("storing", { lane });
    return done;
  }
}
