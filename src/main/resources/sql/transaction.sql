-- What each query of ours relies on: sent before it, in the same transaction, and gone with it. Isolation
-- comes first: a standby cannot take a snapshot in a transaction that is serializable by default.
SET transaction_isolation = 'read committed';
-- The time-out is in milliseconds: a column that hangs leaves time for the others.
SELECT pg_catalog.set_config('search_path', '', true), pg_catalog.set_config('TimeZone', 'GMT', true), pg_catalog.set_config('transaction_read_only', 'on', true), pg_catalog.set_config('statement_timeout', '%d', true), pg_catalog.set_config('lock_timeout', '0', true), pg_catalog.set_config('client_min_messages', 'error', true), pg_catalog.set_config('jit', 'off', true);
