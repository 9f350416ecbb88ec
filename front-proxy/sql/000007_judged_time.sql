-- By what time a refused bundle was judged: the sender's as its heartbeats told it (proto/SPEC.md §8.2). What is judged
-- anew when trust changes is judged by the same.

ALTER TABLE quarantined_bundle ADD COLUMN judged_ms bigint;
UPDATE quarantined_bundle SET judged_ms = refused_ms;
ALTER TABLE quarantined_bundle ALTER COLUMN judged_ms SET NOT NULL;
