-- Certificates instead of registered keys: what a bundle brought to vouch for its keys, and for which
-- of our decryption keys it was made.

ALTER TABLE inbox_bundle
  -- Certificates of its header, for our audit service; NULL as soon as the checkpoint was witnessed.
  ADD COLUMN certificates bytea[],
  -- Empty: accepted before this column was there, so for an unknown one of our keys.
  ADD COLUMN recipient_key_id text NOT NULL DEFAULT '';
-- When a key was last used, asked once for each key whose end may have come.
CREATE INDEX inbox_bundle_key ON inbox_bundle (recipient_key_id, created_ms);

-- Decryption keys whose end was begun: intent and outcome are both journalled, even across a crash.
CREATE TABLE ended_key (
  key_id    text   PRIMARY KEY,
  state     text   NOT NULL CHECK (state IN ('destroying', 'destroyed')),
  begun_ms  bigint NOT NULL,
  ended_ms  bigint
);
