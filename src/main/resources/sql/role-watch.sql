-- Whether a session may hold the question of role-question.sql. Not behind a pooler, where it would take a
-- connection from others: there, the process that answers is not the one that accepted the login. Not where
-- our role may have few connections, nor without plpgsql. "longest" is how many milliseconds a statement may
-- take before the server logs it; -1 for any time.
SELECT
  pg_catalog.pg_backend_pid() AS pid,
  EXISTS (SELECT FROM pg_catalog.pg_roles
           WHERE rolname OPERATOR(pg_catalog.=) CURRENT_USER
             AND (rolconnlimit OPERATOR(pg_catalog.<) 0 OR rolconnlimit OPERATOR(pg_catalog.>) 5)) AS connections,
  EXISTS (SELECT FROM pg_catalog.pg_language
           WHERE lanname OPERATOR(pg_catalog.=) 'plpgsql'
             AND pg_catalog.has_language_privilege(oid, 'USAGE')) AS language,
  (SELECT CAST(setting AS integer) FROM pg_catalog.pg_settings
    WHERE name OPERATOR(pg_catalog.=) 'log_min_duration_statement') AS longest
