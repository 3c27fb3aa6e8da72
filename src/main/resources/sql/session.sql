-- What a session of ours relies on, whatever postgresql.conf, the database, or the role says. It is sent
-- after the login, in the round trip of the first query. PgBouncer rejects start-up parameters that it does
-- not know, so none of these is one. "since" marks a setting that older servers lack.
--
-- Isolation comes first: a standby cannot take a snapshot in a transaction that is serializable by default.
SET transaction_isolation = 'read committed';
SET default_transaction_isolation = 'read committed';
-- The name of the setting is ours; probe.sql reads it.
SELECT pg_catalog.set_config('pgendpoints.read_only', pg_catalog.current_setting('default_transaction_read_only'), false);
SET default_transaction_read_only = on;
SET default_transaction_deferrable = off;
SET search_path = '';
SET TimeZone = 'GMT';
-- Milliseconds: a column that hangs leaves time for the others.
SET statement_timeout = %d;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
-- since 14
SET idle_session_timeout = 0;
-- since 17
SET transaction_timeout = 0;
SET client_min_messages = 'error';
SET jit = off;
-- A server frees the session of a manager whose machine is gone within 30 s. Seconds, and milliseconds.
SET tcp_keepalives_idle = 10;
SET tcp_keepalives_interval = 5;
SET tcp_keepalives_count = 3;
SET tcp_user_timeout = 25000;
