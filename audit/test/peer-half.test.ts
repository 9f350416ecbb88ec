/** Guarantee tested: what the other zone says in its half is shown as its word about this exchange, or not at all. */
import { encodeCanonical } from "@lightferry/proto/canonical";
import { lightferry } from "@lightferry/proto/gen";
import { formatId, newId } from "@lightferry/proto/ids";
import { expect, test } from "vitest";
import { peerHalf } from "../cli/peer-half.ts";

const exchangeId = newId();
const exchange = formatId(exchangeId);

function event(sequence: number, change: lightferry.audit.v1.Event.$Properties = {}): Uint8Array {
  return encodeCanonical(lightferry.audit.v1.Event, {
    eventId: newId(),
    timeMs: 1_000 - sequence,
    zone: "extranet",
    node: "node-extranet",
    emitter: "front-proxy",
    emitterSequence: sequence,
    type: "exchange.received",
    outcome: "ok",
    exchangeId,
    ...change,
  });
}
const half = (...events: Uint8Array[]) => [{ zone: "extranet", exchangeId, events }];

test("events of that zone about this exchange are shown once, by time", () => {
  const { views, unusable } = peerHalf([...half(event(1), event(2)), ...half(event(1))], exchange);
  expect(views.map((view) => view.emitterSequence)).toEqual([2, 1]);
  expect(unusable).toBe(0);
});

test("bytes that are no event, another zone's name and another exchange are counted only", () => {
  const { views, unusable } = peerHalf(
    half(
      Uint8Array.of(0xff, 1, 2),
      event(3, { zone: "business", node: "node-business", type: "exchange.delivered" }),
      event(4, { exchangeId: newId() }),
      event(5, { exchangeId: new Uint8Array(), type: "bundle.sealed" }),
    ),
    exchange,
  );
  expect(views.map((view) => view.emitterSequence)).toEqual([5]);
  expect(unusable).toBe(3);
});
