-- What the list says of an event, from its body: the one place that tells which column holds what.
-- It sets no search path (its callers do), so that the server can write it into the statement that calls it; else each event costs a call.
create or replace function console.listed(body bytea) returns table (
    at timestamptz, kind text, actor text, team text, collection text, record text, workflow text, origin text, label text
) language sql stable as $$
    select (b->>'at')::pg_catalog.timestamptz, b->>'type', b->'actor'->>'id', b->'actor'->>'team', b->'target'->>'coll', b->'target'->>'key', b->'wf'->>'id',
           b->'actor'->>'kind', b->>'label'
    from (select pg_catalog.convert_from(body, 'UTF8')::pg_catalog.jsonb as b offset 0) d  -- offset 0: parsed once, not once a column
$$;

-- What became of jobs is told to nobody and may be lost where the server crashes ("balanced", as PgQueuer calls it); the jobs themselves may not.
alter table queue.pgqueuer_log set unlogged;
alter table queue.pgqueuer_statistics set unlogged;

-- Files of lists are encrypted another way; they are kept for a day, and asked for again.
delete from console.list_export;
