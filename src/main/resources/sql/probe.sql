-- What a node says of itself, in one row. Any role with LOGIN may ask all of it, unless the server's
-- owner has taken that right away, as managed PostgreSQL does: then the column is null.
-- A right is checked before a query runs, also in a branch that is not taken. So what needs one stands
-- in a query of its own, as text, that query_to_xml() runs only where the right is there.
-- All is called by its full name: else a role's search_path decides whose code runs with its rights.
WITH role AS (
  SELECT
    pg_catalog.pg_is_in_recovery() AS in_recovery,
    pg_catalog.pg_has_role('pg_read_all_stats', 'USAGE') AS monitor,
-- of the role that logged in; a walsender that the server has no place for is not worth a login
    EXISTS (SELECT FROM pg_catalog.pg_roles
             WHERE rolname OPERATOR(pg_catalog.=) SESSION_USER AND (rolreplication OR rolsuper))
      AND pg_catalog.current_setting('max_wal_senders') OPERATOR(pg_catalog.<>) '0' AS replication
)
SELECT
-- true on a standby, false on a primary
  in_recovery,
-- the same on a primary and its standbys, different after any other initdb
  CASE WHEN pg_catalog.has_function_privilege('pg_catalog.pg_control_system()', 'EXECUTE')
       THEN substring(CAST(pg_catalog.query_to_xml(
              'SELECT system_identifier AS v FROM pg_catalog.pg_control_system()',
              false, true, '') AS pg_catalog.text) FROM '<v>([^<]*)</v>') END AS system_identifier,
-- microseconds since 1970; with the system identifier: whether two addresses are one server. Before
-- PostgreSQL 14 seconds are a double, of which this takes the nearest microsecond, the right one until 2100
  CASE WHEN pg_catalog.has_function_privilege('pg_catalog.pg_postmaster_start_time()', 'EXECUTE')
       THEN CAST(substring(CAST(pg_catalog.query_to_xml(
              'SELECT CAST(extract(epoch FROM pg_catalog.pg_postmaster_start_time()) OPERATOR(pg_catalog.*) 1000000 AS bigint) AS v',
              false, true, '') AS pg_catalog.text) FROM '<v>([^<]*)</v>') AS bigint) END AS started_at,
-- in hex. primary: the first 8 digits of the WAL file being written; the control file still names the
-- old timeline for minutes after a promotion, and pg_walfile_name() fails in recovery.
-- standby: of the WAL it receives, which only pg_monitor is told. A receiver that waits may say what it
-- received before; the control file lags. None of them is ever ahead of the standby: the highest counts
  CASE WHEN in_recovery
       THEN CASE WHEN receiver.received_tli IS NOT NULL
                 THEN pg_catalog.to_hex(GREATEST(
                      receiver.received_tli,
                      CASE WHEN pg_catalog.has_function_privilege('pg_catalog.pg_control_checkpoint()', 'EXECUTE')
                           THEN CAST(substring(CAST(pg_catalog.query_to_xml(
                                  'SELECT timeline_id AS v FROM pg_catalog.pg_control_checkpoint()',
                                  false, true, '') AS pg_catalog.text) FROM '<v>([^<]*)</v>') AS integer) END,
                      CASE WHEN pg_catalog.has_function_privilege('pg_catalog.pg_control_recovery()', 'EXECUTE')
                           THEN CAST(substring(CAST(pg_catalog.query_to_xml(
                                  'SELECT min_recovery_end_timeline AS v FROM pg_catalog.pg_control_recovery()',
                                  false, true, '') AS pg_catalog.text) FROM '<v>([^<]*)</v>') AS integer) END)) END
       WHEN pg_catalog.has_function_privilege('pg_catalog.pg_walfile_name(pg_catalog.pg_lsn)', 'EXECUTE')
        AND pg_catalog.has_function_privilege('pg_catalog.pg_current_wal_lsn()', 'EXECUTE')
       THEN substring(CAST(pg_catalog.query_to_xml(
              'SELECT pg_catalog.substr(pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_lsn()), 1, 8) AS v',
              false, true, '') AS pg_catalog.text) FROM '<v>([^<]*)</v>') END AS timeline,
-- the end of WAL on a primary, the position replayed on a standby. Not what the primary has written: a
-- standby that replays a switch of WAL is at the end of that segment before the primary has filled it up
  CASE WHEN pg_catalog.has_function_privilege(
              CASE WHEN in_recovery THEN 'pg_catalog.pg_last_wal_replay_lsn()'
                   ELSE 'pg_catalog.pg_current_wal_insert_lsn()' END, 'EXECUTE')
       THEN substring(CAST(pg_catalog.query_to_xml(
              CASE WHEN in_recovery THEN 'SELECT pg_catalog.pg_last_wal_replay_lsn() AS v'
                   ELSE 'SELECT pg_catalog.pg_current_wal_insert_lsn() AS v' END,
              false, true, '') AS pg_catalog.text) FROM '<v>([^<]*)</v>') END AS lsn,
-- whether there is a WAL receiver, and which; its row has only a pid for roles without pg_monitor
  receiver.pid IS NOT NULL AS streaming,
  receiver.pid AS receiver,
-- whom it receives from now; a receiver that waits names the server that it does not follow
  CASE WHEN receiver.status OPERATOR(pg_catalog.=) 'streaming' THEN receiver.sender_host END AS source_host,
  CASE WHEN receiver.status OPERATOR(pg_catalog.=) 'streaming' THEN receiver.sender_port END AS source_port,
-- who receives from it, as addresses with commas between; a base backup or an idle walsender does not
  CASE WHEN monitor AND pg_catalog.has_table_privilege('pg_catalog.pg_stat_replication', 'SELECT')
       THEN substring(CAST(pg_catalog.query_to_xml(
              'SELECT pg_catalog.string_agg(DISTINCT pg_catalog.host(client_addr), '','') AS v'
              ' FROM pg_catalog.pg_stat_replication WHERE state OPERATOR(pg_catalog.=) ''streaming''',
              false, true, '') AS pg_catalog.text) FROM '<v>([^<]*)</v>') END AS replicas,
  monitor,
-- the three ways to the history of a timeline. The function counts only where a superuser made it: who
-- may create in public shall neither run code as our role nor invent a history
  replication
    OR pg_catalog.has_function_privilege('pg_catalog.pg_read_file(pg_catalog.text, bigint, bigint, boolean)', 'EXECUTE')
    OR EXISTS (SELECT FROM pg_catalog.pg_proc AS f
                 JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) f.pronamespace
                 JOIN pg_catalog.pg_roles AS owner ON owner.oid OPERATOR(pg_catalog.=) f.proowner
                WHERE n.nspname OPERATOR(pg_catalog.=) 'public'
                  AND f.proname OPERATOR(pg_catalog.=) 'pgendpoints_history'
                  AND CAST(f.proargtypes AS pg_catalog.text) OPERATOR(pg_catalog.=) '20'
                  AND f.prosecdef AND owner.rolsuper
                  AND pg_catalog.has_schema_privilege(n.oid, 'USAGE')
                  AND pg_catalog.has_function_privilege(f.oid, 'EXECUTE')) AS history,
-- whether IDENTIFY_SYSTEM has to tell the timeline, and may
  in_recovery AND replication
    AND (receiver.received_tli IS NULL OR receiver.status OPERATOR(pg_catalog.<>) 'streaming') AS identify
FROM role LEFT JOIN pg_catalog.pg_stat_wal_receiver AS receiver ON true
