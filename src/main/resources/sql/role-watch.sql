-- Whether a session may run role-query.sql. Not behind a pooler, where it would take a
-- connection from others: there, the process that answers is not the one that accepted the login. Not where
-- our role, the database, or the server has few connections left, nor without plpgsql, nor on a standby that cancels a
-- query at once when it is in the way of replay. "longest" is how many milliseconds a statement may take
-- before the server logs it; NULL for any time.
SELECT
  pg_catalog.pg_backend_pid() AS pid,
  EXISTS (SELECT FROM pg_catalog.pg_roles
           WHERE rolname OPERATOR(pg_catalog.=) CURRENT_USER
             AND (rolconnlimit OPERATOR(pg_catalog.<) 0 OR rolconnlimit OPERATOR(pg_catalog.>) 5))
    AND EXISTS (SELECT FROM pg_catalog.pg_database
                 WHERE datname OPERATOR(pg_catalog.=) pg_catalog.current_database()
                   AND (datconnlimit OPERATOR(pg_catalog.<) 0 OR datconnlimit OPERATOR(pg_catalog.>) 5))
    AND CAST(pg_catalog.current_setting('max_connections') AS bigint)
        OPERATOR(pg_catalog.-) CAST(pg_catalog.current_setting('superuser_reserved_connections') AS bigint)
        OPERATOR(pg_catalog.>) (SELECT pg_catalog.sum(numbackends) OPERATOR(pg_catalog.+) 4 FROM pg_catalog.pg_stat_database)
    AS connections,
  EXISTS (SELECT FROM pg_catalog.pg_language
           WHERE lanname OPERATOR(pg_catalog.=) 'plpgsql'
             AND pg_catalog.has_language_privilege(oid, 'USAGE')) AS language,
  NOT EXISTS (SELECT FROM pg_catalog.pg_settings
               WHERE CASE WHEN name OPERATOR(pg_catalog.=) ANY (ARRAY['max_standby_streaming_delay', 'max_standby_archive_delay'])
                          THEN CAST(setting AS integer) OPERATOR(pg_catalog.>=) 0
                               AND CAST(setting AS integer) OPERATOR(pg_catalog.<) 200 END) AS patient,
  (SELECT pg_catalog.min(CASE WHEN name OPERATOR(pg_catalog.=) ANY (ARRAY['log_min_duration_statement', 'log_min_duration_sample', 'auto_explain.log_min_duration'])
                                   AND setting OPERATOR(pg_catalog.<>) '-1'
                              THEN CAST(setting AS integer) END)
     FROM pg_catalog.pg_settings) AS longest
