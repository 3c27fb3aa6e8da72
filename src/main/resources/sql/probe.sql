-- What one probe asks of a node, one block for each column. The blocks become one SELECT, so a probe is
-- one round trip. Only in_recovery decides the role. Any other column can fail without the others: a
-- column that our role may not read, or that raises an error, is left out (see ProbeQuery.java).
--
-- "needs" names a right that the column requires. PostgreSQL checks it even in a branch that is not
-- taken, so a column whose right is missing is not asked at all. "protects" names the protection that
-- is off without the column.
-- Every name is qualified: otherwise the search_path decides whose code runs with the rights of our role.

-- name: in_recovery
-- True on a standby, false on a primary. The other columns refer to it.
in_recovery

-- name: backend
-- needs: EXECUTE ON FUNCTION pg_catalog.pg_backend_pid()
-- The process that answers: if it also accepted the login, there is no pooler in between.
pg_catalog.pg_backend_pid()

-- name: system_identifier
-- needs: EXECUTE ON FUNCTION pg_catalog.pg_control_system()
-- protects: FOREIGN_NODES
-- The same on a primary and its standbys, different after any other initdb.
(SELECT CAST(system_identifier AS pg_catalog.text) FROM pg_catalog.pg_control_system())

-- name: started_at
-- needs: EXECUTE ON FUNCTION pg_catalog.pg_postmaster_start_time()
-- protects: ALIASES
-- Microseconds since 1970. Together with the system identifier, it shows whether two addresses are one
-- server. Before PostgreSQL 14, seconds are a double: the cast takes the nearest microsecond, which is
-- the correct one until 2100.
CAST(extract(epoch FROM pg_catalog.pg_postmaster_start_time()) OPERATOR(pg_catalog.*) 1000000 AS bigint)

-- name: timeline
-- needs: EXECUTE ON FUNCTION pg_catalog.pg_walfile_name(pg_catalog.pg_lsn)
-- needs: EXECUTE ON FUNCTION pg_catalog.pg_current_wal_lsn()
-- protects: STALE_PRIMARY
-- Of a primary, in hexadecimal: the first 8 digits of the WAL file that it writes. The control file keeps
-- the old timeline for minutes after a promotion, and pg_walfile_name() fails in recovery.
CASE WHEN NOT in_recovery
     THEN pg_catalog.substr(pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_lsn()), 1, 8) END

-- name: insert_lsn
-- needs: EXECUTE ON FUNCTION pg_catalog.pg_current_wal_insert_lsn()
-- protects: PRIMARY_POSITION
-- Of a primary: the end of its WAL. Not the position written: a standby that replays a switch of WAL is at
-- the end of that segment before the primary has filled it.
CASE WHEN NOT in_recovery THEN CAST(pg_catalog.pg_current_wal_insert_lsn() AS pg_catalog.text) END

-- name: replay_lsn
-- needs: EXECUTE ON FUNCTION pg_catalog.pg_last_wal_replay_lsn()
-- protects: STANDBY_POSITION
-- Of a standby: the position that it has replayed.
CASE WHEN in_recovery THEN CAST(pg_catalog.pg_last_wal_replay_lsn() AS pg_catalog.text) END

-- name: receiver
-- needs: SELECT ON TABLE pg_catalog.pg_stat_wal_receiver
-- protects: STREAMING
-- The process ID of the WAL receiver, null without one. A role without pg_monitor sees only this ID.
(SELECT pid FROM pg_catalog.pg_stat_wal_receiver)

-- name: receiver_status
-- needs: SELECT ON TABLE pg_catalog.pg_stat_wal_receiver
-- protects: SOURCE
(SELECT status FROM pg_catalog.pg_stat_wal_receiver)

-- name: received_tli
-- needs: SELECT ON TABLE pg_catalog.pg_stat_wal_receiver
-- protects: STANDBY_TIMELINE
-- The timeline of the WAL that a standby receives. A receiver that waits may report an older one, and the
-- next two columns lag behind. None of the three is ever ahead of the standby: the highest counts.
(SELECT received_tli FROM pg_catalog.pg_stat_wal_receiver)

-- name: checkpoint_tli
-- needs: EXECUTE ON FUNCTION pg_catalog.pg_control_checkpoint()
-- protects: STANDBY_TIMELINE
CASE WHEN in_recovery THEN (SELECT timeline_id FROM pg_catalog.pg_control_checkpoint()) END

-- name: recovery_tli
-- needs: EXECUTE ON FUNCTION pg_catalog.pg_control_recovery()
-- protects: STANDBY_TIMELINE
CASE WHEN in_recovery THEN (SELECT min_recovery_end_timeline FROM pg_catalog.pg_control_recovery()) END

-- name: source_host
-- needs: SELECT ON TABLE pg_catalog.pg_stat_wal_receiver
-- protects: SOURCE
-- The server that a standby streams from. A receiver that waits names a server that it does not follow.
(SELECT sender_host FROM pg_catalog.pg_stat_wal_receiver WHERE status OPERATOR(pg_catalog.=) 'streaming')

-- name: source_port
-- needs: SELECT ON TABLE pg_catalog.pg_stat_wal_receiver
-- protects: SOURCE
(SELECT sender_port FROM pg_catalog.pg_stat_wal_receiver WHERE status OPERATOR(pg_catalog.=) 'streaming')

-- name: monitor
-- Whether our role sees all of pg_stat_wal_receiver and pg_stat_replication.
pg_catalog.pg_has_role('pg_read_all_stats', 'USAGE')

-- name: replicas
-- needs: SELECT ON TABLE pg_catalog.pg_stat_replication
-- protects: REPLICAS
-- The addresses that stream from this server, separated by commas. Base backups and idle walsenders do not.
CASE WHEN pg_catalog.pg_has_role('pg_read_all_stats', 'USAGE')
     THEN (SELECT pg_catalog.string_agg(DISTINCT pg_catalog.host(client_addr), ',')
             FROM pg_catalog.pg_stat_replication WHERE state OPERATOR(pg_catalog.=) 'streaming') END

-- name: replication
-- Whether the role that logged in may open a replication connection, and the server has places for any.
EXISTS (SELECT FROM pg_catalog.pg_roles
         WHERE rolname OPERATOR(pg_catalog.=) SESSION_USER AND (rolreplication OR rolsuper))
  AND pg_catalog.current_setting('max_wal_senders') OPERATOR(pg_catalog.<>) '0'

-- name: history_file
-- Whether our role may read the file of a timeline's history.
pg_catalog.has_function_privilege('pg_catalog.pg_read_file(pg_catalog.text, bigint, bigint, boolean)', 'EXECUTE')

-- name: history_function
-- Whether the function of history-function.sql is there. It counts only if a superuser owns it: whoever may
-- create objects in public can neither run code with our rights nor invent a history.
EXISTS (SELECT FROM pg_catalog.pg_proc AS f
          JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) f.pronamespace
          JOIN pg_catalog.pg_roles AS owner ON owner.oid OPERATOR(pg_catalog.=) f.proowner
         WHERE n.nspname OPERATOR(pg_catalog.=) 'public'
           AND f.proname OPERATOR(pg_catalog.=) 'pgendpoints_history'
           AND CAST(f.proargtypes AS pg_catalog.text) OPERATOR(pg_catalog.=) '20'
           AND f.prosecdef AND owner.rolsuper
           AND pg_catalog.has_schema_privilege(n.oid, 'USAGE')
           AND pg_catalog.has_function_privilege(f.oid, 'EXECUTE'))

-- name: read_only
-- protects: READ_ONLY
-- Whether new transactions are read-only by default, apart from a setting of our own role.
CASE WHEN pg_catalog.current_setting('default_transaction_read_only') OPERATOR(pg_catalog.=) 'on'
     THEN NOT EXISTS (SELECT FROM pg_catalog.pg_db_role_setting AS own
                        JOIN pg_catalog.pg_roles AS r ON r.oid OPERATOR(pg_catalog.=) own.setrole
                       WHERE r.rolname OPERATOR(pg_catalog.=) SESSION_USER
                         AND pg_catalog.array_to_string(own.setconfig, ',')
                             OPERATOR(pg_catalog.~~) '%default_transaction_read_only=%')
     ELSE false END
