/** Guarantee: reads the settings, joins the parts, says ready once the log takes events; nothing else. */
import { asGatewayError, type ErrorCode } from "@lightferry/proto/errors";
import { createClient, PolicyService } from "@lightferry/proto/rpc";
import {
  activeKey,
  followZoneTrust,
  openRing,
  renewWithTrust,
  runService,
  Troubles,
} from "@lightferry/proto/service";
import { readAuditConfig } from "./config.ts";
import { startAuditService } from "./service.ts";

const WORK = "logging";
/** Faults under which events wait in their journals until somebody acts. */
const WAITS: readonly ErrorCode[] = ["audit.database-unavailable", "certificate.unknown"];

await runService({
  name: "audit",
  parse: readAuditConfig,
  start: async (shell) => {
    const { config, log, journal, provider, hsm, closing, onClose, ready } = shell;
    const { zone, tls } = config;
    // The ring stays open until the process ends, like the session that writes: "stopped" still goes in.
    const ring = hsm?.signKeys ?? openRing(config, config.auditKeysDir, "audit-sign");
    const policy = createClient(PolicyService, {
      ...{ address: config.policy, tls, zone, peer: "policy" },
    });
    onClose(() => policy.close());
    const { source: trust } = await followZoneTrust(shell, config.policy);
    renewWithTrust(shell, trust, ring);
    // Into this service's own journal: it goes into the log as soon as the log takes events again.
    const troubles = new Troubles(journal, (error) =>
      log.error({ code: asGatewayError(error).code }, "trouble could not be journalled"),
    );
    const service = await startAuditService({
      ...config,
      ...{ provider, log, policy, trust: () => trust.current() },
      keyAt: (loggedMs) => activeKey(config, "audit", ring, trust.current(), loggedMs),
      onFault: (fault) => {
        if (WAITS.includes(fault.code)) void troubles.met(WORK, fault);
      },
    });
    onClose(() => service.close());
    // From here on the journal of this service, "started" first, goes into the log.
    journal.forwardTo({
      append: async (request) => {
        await service.sink.append(request);
        void troubles.over(WORK);
      },
    });
    await journal.drained(closing);
    ready({ port: service.port, keyIds: ring.keyIds() });
  },
});
