-- The receiving side: what has been accepted, what guards against replay, what is on its way to targets.

-- One row per stream of bundles. Locked while a bundle of the stream is accepted.
CREATE TABLE ingress_stream (
  stream            text PRIMARY KEY,
  lane              text NOT NULL,
  sender            text NOT NULL,
  -- Every number up to here is settled: taken, or given up when the window moved past it.
  low_water         bigint NOT NULL DEFAULT 0 CHECK (low_water >= 0),
  highest           bigint NOT NULL DEFAULT 0,
  -- Bit i (least significant first) = number low_water + 1 + i was taken.
  taken             bytea NOT NULL DEFAULT '',
  duplicates        bigint NOT NULL DEFAULT 0,
  quarantined_ms    bigint,
  quarantine_code   text
);

-- One row per accepted bundle; its keys are the replay guard and outlive the file.
CREATE TABLE inbox_bundle (
  bundle_id      bytea PRIMARY KEY CHECK (octet_length(bundle_id) = 16),
  accept_order   bigint GENERATED ALWAYS AS IDENTITY,
  header_digest  bytea NOT NULL CHECK (octet_length(header_digest) = 32),
  file           text NOT NULL,
  lane           text NOT NULL,
  stream         text NOT NULL REFERENCES ingress_stream,
  sequence       bigint NOT NULL,
  sender         text NOT NULL,
  size           bigint NOT NULL,
  created_ms     bigint NOT NULL,
  expires_ms     bigint NOT NULL,
  received_ms    bigint NOT NULL,
  accepted_ms    bigint NOT NULL,
  state          text NOT NULL CHECK (state IN ('accepted', 'opened', 'quarantined')),
  code           text,
  file_gone      boolean NOT NULL DEFAULT false,
  -- The sender's audit checkpoint until our audit service has witnessed it.
  checkpoint     bytea,
  UNIQUE (stream, sequence)
);
CREATE INDEX inbox_bundle_unopened ON inbox_bundle (accept_order) WHERE state = 'accepted';
CREATE INDEX inbox_bundle_unwitnessed ON inbox_bundle (accept_order) WHERE checkpoint IS NOT NULL;
CREATE INDEX inbox_bundle_file ON inbox_bundle (expires_ms) WHERE NOT file_gone;

-- A verdict is good for one use. Rows may go when the verdict could no longer pass its expiry check.
CREATE TABLE used_verdict (
  verdict_id  bytea PRIMARY KEY CHECK (octet_length(verdict_id) = 16),
  bundle_id   bytea NOT NULL,
  expires_ms  bigint NOT NULL
);
CREATE INDEX used_verdict_expiry ON used_verdict (expires_ms);

-- Refused files, kept for examination. Not unique by bundle id: a forger may claim any id.
CREATE TABLE quarantined_bundle (
  id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  bundle_id      bytea NOT NULL,
  header_digest  bytea NOT NULL,
  file           text NOT NULL,
  lane           text NOT NULL,
  stream         text NOT NULL,
  sequence       bigint NOT NULL,
  code           text NOT NULL,
  refused_ms     bigint NOT NULL,
  file_gone      boolean NOT NULL DEFAULT false
);
CREATE INDEX quarantined_bundle_key ON quarantined_bundle (bundle_id, header_digest);

-- One row per exchange that came out of an accepted bundle. The primary key is the
-- replay guard for exchanges.
CREATE TABLE delivery (
  exchange_id     bytea PRIMARY KEY CHECK (octet_length(exchange_id) = 16),
  bundle_id       bytea NOT NULL REFERENCES inbox_bundle,
  item_index      integer NOT NULL,
  lane            text NOT NULL,
  stream          text NOT NULL,
  sequence        bigint NOT NULL,
  bundle_expires_ms bigint NOT NULL,
  kind            text NOT NULL,
  service         text NOT NULL,
  caller          text NOT NULL,
  grade           text NOT NULL,
  ordering_key    text NOT NULL,
  entry           bytea NOT NULL,
  size            bigint NOT NULL,
  digest          bytea NOT NULL,
  submitted_ms    bigint NOT NULL,
  updated_ms      bigint NOT NULL,
  state           text NOT NULL CHECK (state IN
    ('quarantined', 'permitted', 'dispatched', 'delivered', 'in-doubt', 'failed', 'returned')),
  code            text,
  rule            text,
  reason          text,
  attempts        integer NOT NULL DEFAULT 0,
  next_attempt_ms bigint NOT NULL DEFAULT 0,
  -- Content under a key of its own; NULL once shredded.
  wrapped_key     bytea,
  ciphertext      bytea,
  staged_file     text,
  timeline        jsonb NOT NULL
);
CREATE INDEX delivery_ready ON delivery (service, next_attempt_ms, exchange_id)
  WHERE state = 'permitted';
CREATE INDEX delivery_ordered ON delivery (lane, caller, ordering_key, exchange_id)
  WHERE ordering_key <> '' AND state IN ('permitted', 'dispatched', 'in-doubt');
CREATE INDEX delivery_dispatched ON delivery (service) WHERE state = 'dispatched';
CREATE INDEX delivery_staged ON delivery (bundle_expires_ms) WHERE wrapped_key IS NOT NULL;
CREATE INDEX delivery_state ON delivery (state, exchange_id);
