-- The history of the timeline a primary writes: a line an ancestor, its number and where it ended;
-- NULL on timeline 1, which has none. Roles that may not read server files get an error.
SELECT pg_read_file('pg_wal/' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) || '.history', 0, 65536, true)
