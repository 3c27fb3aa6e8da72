-- What a session of ours relies on, whatever postgresql.conf, the database, or the role says. It is sent
-- after the login, in the round trip of the first query. PgBouncer rejects start-up parameters that it does
-- not know, so none of these is one. A pooler may pass the session on to others, so that nothing is set here
-- that they would notice.

-- Since PostgreSQL 14 and 17; older servers are not sent them.
SET idle_session_timeout = 0;
SET transaction_timeout = 0;
-- A server frees the session of a manager whose machine is gone within 30 s. Seconds, and milliseconds.
SET tcp_keepalives_idle = 10;
SET tcp_keepalives_interval = 5;
SET tcp_keepalives_count = 3;
SET tcp_user_timeout = 25000;
