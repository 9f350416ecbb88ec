/** What is urgent is the registry's word (SPEC §4.3): what is read, what is refused, and what follows for a submission. */
import { describe, expect, test } from "vitest";
import { loadRegistry, parseRegistryDocument, priorityOf } from "../src/registry/index.ts";
import { domainSeparated, loadProvider } from "../src/sm/index.ts";

const provider = loadProvider();

const service = (id: string, kind: string, more: object = {}) => ({
  ...{ id, kind, zone: "business", methods: [], paths: [], maxBytes: 1 },
  ...more,
});

const bytesOf = (...services: readonly object[]) =>
  Buffer.from(
    JSON.stringify({
      ...{ format: "lightferry-registry/1", number: 1, issuedMs: 1, demo: true },
      ...{ nodes: [], lanes: [], callers: [], grants: [], services },
    }),
  );

describe("a service's priority", () => {
  test.each(["urgent", "normal"])("%s is read", (priority) => {
    const read = parseRegistryDocument(bytesOf(service("warnings", "request", { priority })));
    expect(read.services[0]?.priority).toBe(priority);
  });

  test("absent stays absent", () => {
    const read = parseRegistryDocument(bytesOf(service("records", "request")));
    expect(read.services[0]).not.toHaveProperty("priority");
  });

  test.each([
    ["bulk", { priority: "bulk" }, "one of urgent, normal"],
    ["in capitals", { priority: "URGENT" }, "one of urgent, normal"],
    ["empty", { priority: "" }, "one of urgent, normal"],
    ["null", { priority: null }, "a text is needed"],
    ["a number", { priority: 0 }, "a text is needed"],
    ["a flag of another name", { urgent: true }, "unknown field"],
  ])("%s is refused", (_, more, why) => {
    const bytes = bytesOf(service("warnings", "request", more));
    expect(() => parseRegistryDocument(bytes)).toThrow(
      expect.objectContaining({
        code: "registry.invalid",
        detail: expect.stringMatching(new RegExp(`^\\$\\.services\\[0\\]\\..*${why}`)),
      }),
    );
  });

  test.each(["file", "receipt"])("is refused on a service of kind %s", (kind) => {
    const bytes = bytesOf(service("maps", kind, { priority: "urgent" }));
    expect(() => parseRegistryDocument(bytes)).toThrow(
      expect.objectContaining({
        code: "registry.invalid",
        detail: "$.services.maps.priority: for requests alone",
      }),
    );
  });
});

test("of a submission: requests by their service, files bulk, receipts normal", () => {
  const bytes = bytesOf(
    service("warnings", "request", { priority: "urgent" }),
    service("records", "request"),
    service("maps", "file"),
  );
  const authority = provider.generateSm2();
  const signature = provider.sm2Sign(authority, domainSeparated("registry/1", bytes));
  const registry = loadRegistry(provider, bytes, signature, authority.publicKey, { mode: "demo" });
  expect(priorityOf(registry, "request", "warnings")).toBe("urgent");
  expect(priorityOf(registry, "request", "records")).toBe("normal");
  expect(priorityOf(registry, "request", "nobody")).toBe("normal");
  expect(priorityOf(registry, "file", "maps")).toBe("bulk");
  // A submission of the wrong kind is refused; it is no way to be urgent.
  expect(priorityOf(registry, "file", "warnings")).toBe("bulk");
  expect(priorityOf(registry, "receipt", "warnings")).toBe("normal");
});
