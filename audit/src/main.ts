/** Guarantee: reads the settings, joins the parts, says ready once the log takes events; nothing else. */
import { GatewayError } from "@lightferry/proto/errors";
import { loadKeyFile } from "@lightferry/proto/keystore";
import { createClient, PolicyService } from "@lightferry/proto/rpc";
import { runService } from "@lightferry/proto/service";
import { readAuditConfig } from "./config.ts";
import { startAuditService } from "./service.ts";

await runService({
  name: "audit",
  parse: readAuditConfig,
  start: async ({ config, log, journal, provider, closing, onClose, ready }) => {
    const signing = loadKeyFile(config.auditKeyPath, config.unlockPath, "audit-sign");
    if (signing.demo && config.mode === "production") {
      throw new GatewayError("registry.demo-in-production", { detail: "audit key" });
    }
    const policy = createClient(PolicyService, {
      ...{ address: config.policy, tls: config.tls, zone: config.zone, peer: "policy" },
    });
    onClose(() => policy.close());
    const service = await startAuditService({
      ...config,
      ...{ provider, log, policy, auditKey: signing.key },
    });
    onClose(() => service.close());
    // From here on the journal of this service, "started" first, goes into the log. The session
    // that writes and the key that signs stay until the process ends: "stopped" still goes in.
    journal.forwardTo(service.sink);
    await journal.drained(closing);
    ready({ port: service.port, keyId: signing.keyId });
  },
});
