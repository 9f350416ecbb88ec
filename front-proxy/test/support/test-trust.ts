/**
 * Guarantee: a trust source for tests that holds what a test PKI has issued, as
 * policy would hand it out; it changes only when the test says so.
 */
import type { lightferry } from "@lightferry/proto/gen";
import { loadProvider } from "@lightferry/proto/sm";
import { familiarPki, type TestPki } from "@lightferry/proto/testing";
import { type TrustSource, TrustStore } from "@lightferry/proto/trust";

type ImportRequest = lightferry.policy.v1.ImportTrustRequest.$Properties;

/** As `front-proxy` and `seal` are given it. Zones extranet and business, one node each. */
export class TestTrust implements TrustSource {
  readonly pki: TestPki;
  /** What came in by ImportTrust. */
  readonly imports: ImportRequest[] = [];
  /** Set: ImportTrust fails with it. */
  importFault: Error | undefined;
  readonly #denied = new Map<string, string>();
  readonly #listeners: ((store: TrustStore) => void)[] = [];
  #version = 0;
  #store: TrustStore;

  private constructor(pki: TestPki) {
    this.pki = pki;
    this.#store = this.#build();
  }

  static async make(mode: "demo" | "production" = "demo"): Promise<TestTrust> {
    const zones = { extranet: "node-extranet", business: "node-business" };
    return new TestTrust(await familiarPki({ zones, mode }));
  }

  get set(): lightferry.policy.v1.TrustSet.$Properties {
    const denials = [...this.#denied].map(([keyId, reason]) => ({
      keyId,
      deniedMs: 1,
      reason,
      actor: "test",
    }));
    return { ...this.pki.set, version: this.#version, denials };
  }

  current(): TrustStore {
    return this.#store;
  }

  changed(listener: (store: TrustStore) => void): void {
    this.#listeners.push(listener);
  }

  /** Makes what the PKI has issued since known. */
  renew(): void {
    this.#store = this.#build();
    for (const listener of this.#listeners) listener(this.#store);
  }

  deny(keyId: string): void {
    this.#denied.set(keyId, "test");
    this.renew();
  }

  lift(keyId: string): void {
    this.#denied.delete(keyId);
    this.renew();
  }

  async importTrust(request: ImportRequest) {
    if (this.importFault !== undefined) throw this.importFault;
    this.imports.push(request);
    return {
      version: this.#version,
      results: (request.items ?? []).map(() => ({ kind: "certificate", status: "new" })),
    } as unknown as lightferry.policy.v1.ImportTrustResponse;
  }

  #build(): TrustStore {
    this.#version += 1;
    const { root, mode } = this.pki;
    return TrustStore.build(loadProvider(), { root, set: this.set, mode });
  }
}
