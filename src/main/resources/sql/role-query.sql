-- Ends when the standby is promoted, and otherwise after some rounds of five pauses, in seconds. Each COMMIT
-- gives up the snapshot, so that replay waits for no more than a round and has no reason to cancel it.
DO $role$
BEGIN
  FOR round IN 1..%d LOOP
    PERFORM FROM pg_catalog.generate_series(1, 5) AS i, LATERAL (SELECT pg_catalog.pg_sleep(%s), i) AS pause
      WHERE NOT pg_catalog.pg_is_in_recovery() LIMIT 1;
    EXIT WHEN FOUND;
    COMMIT;
  END LOOP;
END $role$
