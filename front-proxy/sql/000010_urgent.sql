-- A service's requests may be urgent: the registry says which (proto/SPEC.md §4.3).

ALTER TABLE exchange DROP CONSTRAINT exchange_priority_check;
ALTER TABLE exchange ADD CONSTRAINT exchange_priority_check CHECK (priority IN ('urgent', 'normal', 'bulk'));
