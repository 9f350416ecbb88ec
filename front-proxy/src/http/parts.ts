/** Guarantee: what the API may reach of the rest of the program; nothing else. */
import type { EgressDesk, IngressDesk } from "../context.ts";
import type { SendingRoom } from "../egress/room.ts";
import type { Submitter } from "../egress/submit.ts";
import type { Uploads } from "../egress/uploads.ts";

export interface ApiParts {
  readonly submitter: Submitter;
  readonly uploads: Uploads;
  readonly room: Pick<SendingRoom, "retryAfterSeconds">;
  readonly egress: EgressDesk;
  readonly ingress: IngressDesk;
}
