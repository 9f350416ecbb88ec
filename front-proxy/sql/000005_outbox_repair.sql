-- What may be sent again: inventory of what was emitted, recall for a repair ticket (ferry/SPEC.md).

ALTER TABLE outbox_bundle
  -- Recalled: to be sent once more although it was finished.
  ADD COLUMN repair boolean NOT NULL DEFAULT false,
  -- What an inventory says of the number. NULL: not emitted yet, or emitted and no more to be had.
  -- What was emitted and then refused may be missing on the far side, so it is not given up: it is gone.
  ADD COLUMN inventory text GENERATED ALWAYS AS (CASE
    WHEN emitted_ms IS NOT NULL AND state IN ('waiting', 'leased', 'finished') THEN 'held'
    WHEN emitted_ms IS NULL AND refuse_code <> '' THEN 'given-up'
  END) STORED;

-- The ends of what a stream holds, and the numbers that are missing between them.
CREATE INDEX outbox_held ON outbox_bundle (lane, stream, sequence) WHERE inventory = 'held';
CREATE INDEX outbox_not_held ON outbox_bundle (lane, stream, sequence)
  WHERE inventory IS DISTINCT FROM 'held';
CREATE INDEX outbox_given_up ON outbox_bundle (lane, stream, sequence)
  WHERE inventory = 'given-up';
CREATE INDEX outbox_emitted ON outbox_bundle (lane, emitted_ms)
  INCLUDE (stream, sequence, size) WHERE inventory = 'held';

-- Repairs go after what was never sent, like second passes.
DROP INDEX outbox_open;
CREATE INDEX outbox_open ON outbox_bundle (lane, priority DESC, repair, created_ms, sequence)
  INCLUDE (size, expires_ms, emitted_ms) WHERE state IN ('waiting', 'leased');
DROP INDEX outbox_kept;
CREATE INDEX outbox_kept ON outbox_bundle (lane, finished_ms)
  INCLUDE (size, state) WHERE state IN ('finished', 'refused');

-- A ticket brings a bundle back once, however often it is shown.
CREATE TABLE outbox_recall (
  bundle_id   uuid   NOT NULL REFERENCES outbox_bundle ON DELETE CASCADE,
  ticket      text   NOT NULL,
  recalled_ms bigint NOT NULL,
  PRIMARY KEY (bundle_id, ticket)
);
