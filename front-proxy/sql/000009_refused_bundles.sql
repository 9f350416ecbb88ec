-- Bundles that were refused as a whole, unopened, though their signature was good (proto/SPEC.md §17.2): what still
-- has to be said of them; a row goes when it stands in a list.
CREATE TABLE receipt_due_bundle (
  bundle_id bytea  PRIMARY KEY CHECK (octet_length(bundle_id) = 16),
  lane      text   NOT NULL,
  code      text   NOT NULL,
  at_ms     bigint NOT NULL
);
CREATE INDEX receipt_due_bundle_oldest ON receipt_due_bundle (lane, at_ms);
