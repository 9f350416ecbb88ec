-- The sending side: callers' tokens, exchanges, uploads, the seal queue and the outbox.
-- Content and whatever describes it (path, headers, file name) stands here only SM4-encrypted
-- under the exchange's own key; that key only wrapped. Ids are UUIDv7: they ascend in time.

CREATE TABLE api_token (
  id          text   PRIMARY KEY,
  caller      text   NOT NULL,
  -- SM3 of the whole token; the token itself is shown once and never stored.
  secret_hash bytea  NOT NULL CHECK (octet_length(secret_hash) = 32),
  created_ms  bigint NOT NULL,
  expires_ms  bigint NOT NULL,
  revoked_ms  bigint,
  last_used_ms bigint,
  note        text   NOT NULL DEFAULT ''
);

CREATE TABLE exchange (
  id             uuid   PRIMARY KEY,
  kind           text   NOT NULL CHECK (kind IN ('request', 'file')),
  state          text   NOT NULL,
  caller         text   NOT NULL,
  lane           text   NOT NULL,
  service        text   NOT NULL,
  grade          text   NOT NULL,
  priority       text   NOT NULL CHECK (priority IN ('normal', 'bulk')),
  client_address text   NOT NULL,
  size           bigint NOT NULL,
  submitted_ms   bigint NOT NULL,
  updated_ms     bigint NOT NULL,
  -- After this moment it is no longer sealed or sent as it stands.
  expires_ms     bigint NOT NULL,
  -- How often it was decided; bounds deciding anew after expiry.
  decided        smallint NOT NULL DEFAULT 0,
  policy_version text   NOT NULL DEFAULT '',
  code           text   NOT NULL DEFAULT '',
  rule_id        text   NOT NULL DEFAULT '',
  reason         text   NOT NULL DEFAULT '',
  bundle_id      uuid,
  -- [[at_ms, state, code?, detail?], ...]: one row per exchange costs less than one per step.
  timeline       jsonb  NOT NULL,
  -- SM3 of the content, known once the whole of it has been read.
  digest         bytea,
  wrapped_key    bytea,
  -- Canonical audit.v1.AppendRequest: this exchange's own events, which ride in the bundle.
  trail          bytea,
  -- Encrypted policy.v1.Submission while undecided or held.
  submission     bytea,
  -- Encrypted seal.v1.SealMaterial once permitted, with the content when that is small.
  material       bytea,
  -- What the item will take of a bundle's header.
  header_bytes   integer NOT NULL DEFAULT 0,
  -- Canonical bundle.v1.VerdictBatch that the verdict belongs to.
  batch          bytea,
  -- Small content of what is held, encrypted; larger content is in the spool file `file`.
  content        bytea,
  file           text
);

-- Pages of one caller, newest first.
CREATE INDEX exchange_of_caller ON exchange (caller, id DESC);
-- The seal queue: what waits for one stream, oldest first.
CREATE INDEX exchange_waiting ON exchange (lane, priority, id) WHERE state = 'permitted';
-- Complete but not decided: files just uploaded, and whatever is decided anew.
CREATE INDEX exchange_undecided ON exchange (id) WHERE state = 'received';
-- What the sweep looks at: everything that still has an end to reach.
CREATE INDEX exchange_unfinished ON exchange (expires_ms)
  WHERE state IN ('received', 'held', 'permitted', 'expired');
-- Content that is kept for a person to retry.
CREATE INDEX exchange_failed ON exchange (updated_ms)
  WHERE state = 'failed' AND wrapped_key IS NOT NULL;
CREATE INDEX exchange_of_bundle ON exchange (bundle_id) WHERE bundle_id IS NOT NULL;

CREATE TABLE idempotency (
  caller      text   NOT NULL,
  -- SM3 of the key as the caller wrote it.
  key_digest  bytea  NOT NULL,
  -- SM3 over everything that makes two submissions the same.
  content_digest bytea NOT NULL,
  exchange_id uuid   NOT NULL,
  created_ms  bigint NOT NULL,
  PRIMARY KEY (caller, key_digest)
);
CREATE INDEX idempotency_age ON idempotency (created_ms);

-- An upload that is not complete. It becomes an exchange under the same id.
CREATE TABLE upload (
  id             uuid   PRIMARY KEY,
  caller         text   NOT NULL,
  lane           text   NOT NULL,
  service        text   NOT NULL,
  client_address text   NOT NULL,
  -- Whole length in bytes as announced; null = the end of the one request body is the end.
  length         bigint,
  -- Bytes that are durable.
  durable        bigint NOT NULL DEFAULT 0,
  created_ms     bigint NOT NULL,
  updated_ms     bigint NOT NULL,
  wrapped_key    bytea  NOT NULL,
  -- Encrypted policy.v1.Submission.
  submission     bytea  NOT NULL,
  -- SM3 that the caller announced for the whole content.
  expected_digest bytea,
  key_digest     bytea
);
CREATE INDEX upload_age ON upload (updated_ms);

-- The content of an upload, in encrypted files that are complete and fsynced.
CREATE TABLE upload_segment (
  upload_id   uuid   NOT NULL,
  number      integer NOT NULL,
  start       bigint NOT NULL,
  size        bigint NOT NULL,
  file        text   NOT NULL,
  wrapped_key bytea  NOT NULL,
  PRIMARY KEY (upload_id, number)
);

-- One row per stream: who may seal next, with which number.
CREATE TABLE seal_stream (
  stream          text   PRIMARY KEY,
  lane            text   NOT NULL,
  priority        text   NOT NULL,
  next_sequence   bigint NOT NULL DEFAULT 1,
  previous_digest bytea  NOT NULL,
  -- Rises with every lease; only the newest may commit.
  fence           bigint NOT NULL DEFAULT 0,
  lease_id        uuid,
  lease_worker    text   NOT NULL DEFAULT '',
  lease_expires_ms bigint NOT NULL DEFAULT 0,
  -- Size of the audit checkpoint that the last committed bundle carried, and of the one leased out.
  carried_size    bigint NOT NULL DEFAULT 0,
  lease_carries   bigint NOT NULL DEFAULT 0,
  UNIQUE (lane, priority)
);

CREATE TABLE outbox_bundle (
  bundle_id     uuid   PRIMARY KEY,
  lane          text   NOT NULL,
  stream        text   NOT NULL,
  sequence      bigint NOT NULL,
  priority      text   NOT NULL,
  file          text   NOT NULL UNIQUE,
  size          bigint NOT NULL,
  header_digest bytea  NOT NULL,
  item_root     bytea  NOT NULL,
  created_ms    bigint NOT NULL,
  expires_ms    bigint NOT NULL,
  state         text   NOT NULL CHECK (state IN ('waiting', 'leased', 'finished', 'refused', 'removed')),
  lease_id      uuid,
  lease_worker  text   NOT NULL DEFAULT '',
  lease_expires_ms bigint NOT NULL DEFAULT 0,
  passes_done   integer NOT NULL DEFAULT 0,
  emitted_ms    bigint,
  finished_ms   bigint,
  refuse_code   text   NOT NULL DEFAULT '',
  UNIQUE (stream, sequence)
);
CREATE INDEX outbox_open ON outbox_bundle (lane, priority DESC, created_ms)
  WHERE state IN ('waiting', 'leased');
CREATE INDEX outbox_kept ON outbox_bundle (finished_ms) WHERE state IN ('finished', 'refused');

-- A file taken from a watched folder: claimed under this id before it is read.
CREATE TABLE folder_claim (
  claim       text   PRIMARY KEY,
  folder      text   NOT NULL,
  name        text   NOT NULL,
  exchange_id uuid,
  claimed_ms  bigint NOT NULL,
  -- State last written to the fate file; empty = none yet.
  fate        text   NOT NULL DEFAULT '',
  done        boolean NOT NULL DEFAULT false
);
CREATE INDEX folder_claim_open ON folder_claim (claim) WHERE NOT done;
