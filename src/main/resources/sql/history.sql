-- The history of a timeline: a line an ancestor, its number and where it ended; NULL where there is no
-- such file. Timeline 1 has none. One byte more than the 64 KiB that are believed shows what is cut off.
-- As in probe.sql a right that is missing leaves a way out, and all is called by its full name.
WITH file AS (
  SELECT pg_catalog.has_function_privilege('pg_catalog.pg_read_file(pg_catalog.text, bigint, bigint, boolean)', 'EXECUTE') AS granted
), function AS (
  SELECT EXISTS (SELECT FROM pg_catalog.pg_proc AS f
                   JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) f.pronamespace
                   JOIN pg_catalog.pg_roles AS owner ON owner.oid OPERATOR(pg_catalog.=) f.proowner
                  WHERE n.nspname OPERATOR(pg_catalog.=) 'public'
                    AND f.proname OPERATOR(pg_catalog.=) 'pgendpoints_history'
                    AND CAST(f.proargtypes AS pg_catalog.text) OPERATOR(pg_catalog.=) '20'
                    AND f.prosecdef AND owner.rolsuper
                    AND pg_catalog.has_schema_privilege(n.oid, 'USAGE')
                    AND pg_catalog.has_function_privilege(f.oid, 'EXECUTE')) AS granted
)
SELECT
-- whether SQL may tell it at all
  file.granted OR function.granted AS granted,
-- whether TIMELINE_HISTORY may, too: of the role that logged in
  EXISTS (SELECT FROM pg_catalog.pg_roles
           WHERE rolname OPERATOR(pg_catalog.=) SESSION_USER AND (rolreplication OR rolsuper))
    AND pg_catalog.current_setting('max_wal_senders') OPERATOR(pg_catalog.<>) '0' AS replication,
  substring(CAST(pg_catalog.query_to_xml(
      CASE WHEN file.granted
           THEN pg_catalog.format('SELECT pg_catalog.pg_read_file(''pg_wal/%s.history'', 0, 65537, true) AS v',
                                  pg_catalog.lpad(pg_catalog.upper(pg_catalog.to_hex(t.timeline)), 8, '0'))
           WHEN function.granted
           THEN pg_catalog.format('SELECT public.pgendpoints_history(%s) AS v', t.timeline)
           ELSE 'SELECT' END,
      false, true, '') AS pg_catalog.text) FROM '<v>([^<]*)</v>') AS history
FROM file, function, (VALUES (CAST(? AS bigint))) AS t (timeline)
