/** Guarantee: reads the settings, joins the parts, says ready once the log takes events; nothing else. */
import { asGatewayError, GatewayError } from "@lightferry/proto/errors";
import { loadKeyFile } from "@lightferry/proto/keystore";
import { createClient, PolicyService } from "@lightferry/proto/rpc";
import { runService, Troubles } from "@lightferry/proto/service";
import { readAuditConfig } from "./config.ts";
import { startAuditService } from "./service.ts";

const WORK = "logging";

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
    // Into this service's own journal: it goes into the log as soon as the log takes events again.
    const troubles = new Troubles(journal, (error) =>
      log.error({ code: asGatewayError(error).code }, "trouble could not be journalled"),
    );
    const service = await startAuditService({
      ...config,
      ...{ provider, log, policy, auditKey: signing.key },
      onFault: (fault) => {
        if (fault.code === "audit.database-unavailable") void troubles.met(WORK, fault);
      },
    });
    onClose(() => service.close());
    // From here on the journal of this service, "started" first, goes into the log. The session
    // that writes and the key that signs stay until the process ends: "stopped" still goes in.
    journal.forwardTo({
      append: async (request) => {
        await service.sink.append(request);
        void troubles.over(WORK);
      },
    });
    await journal.drained(closing);
    ready({ port: service.port, keyId: signing.keyId });
  },
});
