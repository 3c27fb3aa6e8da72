-- What a node says of itself, in one row and one snapshot. Any role with LOGIN may ask all of it.
SELECT
-- true on a standby, false on a primary
  pg_is_in_recovery() AS in_recovery,
-- the same on a primary and its standbys, different after any other initdb
  (SELECT CAST(system_identifier AS text) FROM pg_control_system()) AS system_identifier,
-- with the system identifier: whether two addresses are one server
  CAST(pg_postmaster_start_time() AS text) AS started_at,
-- primary: the first 8 hex digits of the WAL file being written; the control file still names the old
-- timeline for minutes after a promotion, and pg_walfile_name() fails in recovery.
-- standby: of the WAL it streams, which only pg_monitor is told
  CASE WHEN NOT pg_is_in_recovery() THEN substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8)
       ELSE (SELECT to_hex(received_tli) FROM pg_stat_wal_receiver) END AS timeline,
-- the position written on a primary, replayed on a standby
  CAST(CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END AS text) AS lsn,
-- whether there is a WAL receiver; its row has only a pid for roles without pg_monitor
  EXISTS (SELECT FROM pg_stat_wal_receiver) AS streaming
