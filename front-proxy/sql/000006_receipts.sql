-- Receipts: what became of an exchange at the far side (proto/SPEC.md §17).

-- Sending side. What the far side said stands beside the state of this side and never changes it.
ALTER TABLE exchange DROP CONSTRAINT exchange_kind_check;
ALTER TABLE exchange ADD CONSTRAINT exchange_kind_check CHECK (kind IN ('request', 'file', 'receipt'));
ALTER TABLE exchange
  ADD COLUMN receipt_state text,
  ADD COLUMN receipt_code text,
  -- By the far side's clock.
  ADD COLUMN receipt_at_ms bigint,
  -- Of the list that said it.
  ADD COLUMN receipt_number bigint;
-- How many have no receipt yet, and since when.
CREATE INDEX exchange_unreceipted ON exchange (lane, updated_ms)
  WHERE state = 'emitted' AND receipt_state IS NULL AND kind <> 'receipt';

-- Lists that were taken: the guard against replay, and against two lists under one number.
CREATE TABLE receipt_taken (
  lane       text   NOT NULL,
  receiver   text   NOT NULL,
  number     bigint NOT NULL,
  digest     bytea  NOT NULL CHECK (octet_length(digest) = 32),
  created_ms bigint NOT NULL,
  taken_ms   bigint NOT NULL,
  PRIMARY KEY (lane, receiver, number)
);
CREATE INDEX receipt_taken_age ON receipt_taken (created_ms);
-- Exchanges by what was last said of them, so that nobody has to count millions.
CREATE TABLE receipt_tally (
  lane      text   NOT NULL,
  state     text   NOT NULL,
  exchanges bigint NOT NULL,
  PRIMARY KEY (lane, state)
);

-- Receiving side. What still has to be said; a row goes when it stands in a list.
CREATE TABLE receipt_due (
  exchange_id bytea  PRIMARY KEY,
  lane        text   NOT NULL,
  state       text   NOT NULL,
  code        text   NOT NULL,
  at_ms       bigint NOT NULL
);
CREATE INDEX receipt_due_oldest ON receipt_due (lane, at_ms);

CREATE TABLE receipt_number (
  lane text   PRIMARY KEY,
  last bigint NOT NULL
);

CREATE TABLE receipt_list (
  lane        text   NOT NULL,
  number      bigint NOT NULL,
  created_ms  bigint NOT NULL,
  receipts    integer NOT NULL,
  -- Canonical receipt.v1.ReceiptList; dated anew until it is signed.
  list        bytea  NOT NULL,
  -- Canonical receipt.v1.SignedReceipts.
  signed      bytea,
  -- The exchange that carries it on a lane in the opposite direction.
  exchange_id uuid,
  -- First written to a file or shown as QR codes.
  exported_ms bigint,
  PRIMARY KEY (lane, number)
);
CREATE INDEX receipt_list_unsigned ON receipt_list (lane, number) WHERE signed IS NULL;
CREATE INDEX receipt_list_here ON receipt_list (lane, number) WHERE exported_ms IS NULL;
CREATE INDEX receipt_list_age ON receipt_list (created_ms);

-- A trigger, so that no way by which a delivery reaches an end can forget its receipt. Receipts themselves
-- get none. Only a change of state counts: retention touches rows, too.
CREATE FUNCTION receipt_due_from_insert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO receipt_due (exchange_id, lane, state, code, at_ms)
  SELECT exchange_id, lane, state, coalesce(code, ''), updated_ms FROM fresh
   WHERE kind <> 'receipt' AND state IN ('quarantined', 'failed', 'delivered', 'in-doubt', 'returned')
  ON CONFLICT (exchange_id) DO UPDATE
     SET state = excluded.state, code = excluded.code, at_ms = excluded.at_ms;
  RETURN NULL;
END $$;
CREATE FUNCTION receipt_due_from_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO receipt_due (exchange_id, lane, state, code, at_ms)
  SELECT f.exchange_id, f.lane, f.state, coalesce(f.code, ''), f.updated_ms
    FROM fresh f JOIN before b USING (exchange_id)
   WHERE f.kind <> 'receipt' AND f.state <> b.state
     AND f.state IN ('quarantined', 'failed', 'delivered', 'in-doubt', 'returned')
  ON CONFLICT (exchange_id) DO UPDATE
     SET state = excluded.state, code = excluded.code, at_ms = excluded.at_ms;
  RETURN NULL;
END $$;
CREATE TRIGGER delivery_receipt_insert AFTER INSERT ON delivery
  REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION receipt_due_from_insert();
CREATE TRIGGER delivery_receipt_update AFTER UPDATE ON delivery
  REFERENCING OLD TABLE AS before NEW TABLE AS fresh
  FOR EACH STATEMENT EXECUTE FUNCTION receipt_due_from_update();

-- What ended before receipts were kept.
INSERT INTO receipt_due (exchange_id, lane, state, code, at_ms)
SELECT exchange_id, lane, state, coalesce(code, ''), updated_ms FROM delivery
 WHERE state IN ('quarantined', 'failed', 'delivered', 'in-doubt', 'returned');
