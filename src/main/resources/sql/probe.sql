-- What a node says of itself, in one row. Any role with LOGIN may ask all of it, unless the server's
-- owner has taken that right away, as managed PostgreSQL does: then the column is null.
-- A right is checked before a query runs, also in a branch that is not taken. So what needs one stands
-- in a query of its own, as text, that query_to_xml() runs only where the right is there.
SELECT
-- true on a standby, false on a primary
  pg_is_in_recovery() AS in_recovery,
-- the same on a primary and its standbys, different after any other initdb
  CASE WHEN has_function_privilege('pg_control_system()', 'EXECUTE')
       THEN substring(CAST(query_to_xml('SELECT system_identifier AS v FROM pg_control_system()', false, true, '') AS text)
                      FROM '<v>([^<]*)</v>') END AS system_identifier,
-- with the system identifier: whether two addresses are one server
  CAST(pg_postmaster_start_time() AS text) AS started_at,
-- primary: the first 8 hex digits of the WAL file being written; the control file still names the old
-- timeline for minutes after a promotion, and pg_walfile_name() fails in recovery.
-- standby: of the WAL it streams, which only pg_monitor is told
  CASE WHEN pg_is_in_recovery() THEN (SELECT to_hex(received_tli) FROM pg_stat_wal_receiver)
       WHEN has_function_privilege('pg_walfile_name(pg_lsn)', 'EXECUTE')
        AND has_function_privilege('pg_current_wal_lsn()', 'EXECUTE')
       THEN substring(CAST(query_to_xml('SELECT substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) AS v', false, true, '') AS text)
                      FROM '<v>([^<]*)</v>') END AS timeline,
-- the end of WAL on a primary, the position replayed on a standby. Not what the primary has written: a
-- standby that replays a switch of WAL is at the end of that segment before the primary has filled it up
  CASE WHEN has_function_privilege(CASE WHEN pg_is_in_recovery() THEN 'pg_last_wal_replay_lsn()'
                                        ELSE 'pg_current_wal_insert_lsn()' END, 'EXECUTE')
       THEN substring(CAST(query_to_xml(CASE WHEN pg_is_in_recovery() THEN 'SELECT pg_last_wal_replay_lsn() AS v'
                                             ELSE 'SELECT pg_current_wal_insert_lsn() AS v' END, false, true, '') AS text)
                      FROM '<v>([^<]*)</v>') END AS lsn,
-- whether there is a WAL receiver; its row has only a pid for roles without pg_monitor
  EXISTS (SELECT FROM pg_stat_wal_receiver) AS streaming
