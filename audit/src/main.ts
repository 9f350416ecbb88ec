/** Guarantee: reads the settings, joins the parts, says ready once the log takes events; nothing else. */
import { asGatewayError, type ErrorCode } from "@lightferry/proto/errors";
import { KeyRing } from "@lightferry/proto/keystore";
import { createClient, PolicyService, TrustService } from "@lightferry/proto/rpc";
import { invalidField, requireUnlock, runService, Troubles } from "@lightferry/proto/service";
import { followTrust } from "@lightferry/proto/trust";
import { activeAuditKey } from "./checkpoint/sign.ts";
import { readAuditConfig } from "./config.ts";
import { startAuditService } from "./service.ts";

const WORK = "logging";
/** Faults under which events wait in their journals until somebody acts. */
const WAITS: readonly ErrorCode[] = ["audit.database-unavailable", "certificate.unknown"];

await runService({
  name: "audit",
  parse: readAuditConfig,
  start: async ({ config, log, journal, provider, hsm, closing, onClose, ready }) => {
    const { mode, zone, tls } = config;
    // The ring stays open until the process ends, like the session that writes: "stopped" still goes in.
    const ring =
      hsm?.signKeys ??
      KeyRing.open({
        ...{ dir: config.auditKeysDir ?? invalidField("auditKeysDir", "is needed"), mode },
        ...{ unlock: requireUnlock(config), use: "audit-sign" },
      });
    const peer = { address: config.policy, tls, zone, peer: "policy" } as const;
    const policy = createClient(PolicyService, peer);
    onClose(() => policy.close());
    const trustService = createClient(TrustService, peer);
    onClose(() => trustService.close());
    const trust = await followTrust(
      trustService,
      provider,
      { rootPath: config.trustRootPath, mode },
      {
        signal: closing,
        onError: (error) => log.warn({ code: asGatewayError(error).code }, "trust not refreshed"),
      },
    );
    trust.changed(() => {
      // A certificate comes after its key was made: the ring may hold a new one now.
      try {
        ring.refresh();
      } catch (error) {
        log.error({ code: asGatewayError(error).code }, "an audit key cannot be used");
      }
    });
    const current = () => trust.current();
    // Into this service's own journal: it goes into the log as soon as the log takes events again.
    const troubles = new Troubles(journal, (error) =>
      log.error({ code: asGatewayError(error).code }, "trouble could not be journalled"),
    );
    const service = await startAuditService({
      ...config,
      ...{ provider, log, policy, trust: current, keyAt: activeAuditKey(config, ring, current) },
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
