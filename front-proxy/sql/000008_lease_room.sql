-- What a ferry has room for is asked class by class (ferry/SPEC.md §12).

ALTER TABLE outbox_bundle
  -- 0 urgent, 1 normal, 2 bulk; from 3 on the same of what left before, or was recalled for a repair.
  ADD COLUMN lease_order smallint NOT NULL GENERATED ALWAYS AS (
    CASE WHEN repair OR passes_done > 0 THEN 3 ELSE 0 END
    + CASE priority WHEN 'urgent' THEN 0 WHEN 'normal' THEN 1 ELSE 2 END) STORED;

-- What may be given out, oldest first. What is under way, and may be tens of thousands, is not in the way.
CREATE INDEX outbox_free ON outbox_bundle (lane, lease_order, created_ms, sequence)
  WHERE state = 'waiting';
-- A lease that ran out is its holder's until somebody else is given the bundle.
CREATE INDEX outbox_lease ON outbox_bundle (lane, lease_id)
  WHERE lease_id IS NOT NULL AND state IN ('waiting', 'leased');
DROP INDEX outbox_open;
CREATE INDEX outbox_open ON outbox_bundle (lane, lease_order, created_ms, sequence)
  INCLUDE (size, expires_ms, emitted_ms, priority, repair) WHERE state IN ('waiting', 'leased');
