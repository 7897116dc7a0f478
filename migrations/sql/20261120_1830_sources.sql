-- `settings`: pool, overflow, connect_s, statement_s, read_only, schemas and tables, where they are not as usual.
-- `server`: what the database says that it is; `down_since`: since when it does not answer, as the process knows that found it last.
alter table console.data_source
    add column settings jsonb not null default '{}',
    add column server text not null default '',
    add column paused_at timestamptz,
    add column looked_at timestamptz,
    add column checked_at timestamptz,
    add column down_since timestamptz;
