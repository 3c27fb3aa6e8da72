-- Lets a role read the history of a timeline, and no other file. To be run by a superuser on the primary,
-- in PGDATABASE; standbys get it by replication. Then: GRANT EXECUTE ON FUNCTION
-- public.pgendpoints_history(bigint) TO the role in PGUSER. It counts only while a superuser owns it.
CREATE OR REPLACE FUNCTION public.pgendpoints_history(bigint) RETURNS text
  LANGUAGE sql STABLE STRICT SECURITY DEFINER
  SET search_path = pg_catalog
  AS $$ SELECT pg_read_file('pg_wal/' || lpad(upper(to_hex($1)), 8, '0') || '.history', 0, 65537, true) $$;
REVOKE ALL ON FUNCTION public.pgendpoints_history(bigint) FROM PUBLIC;
