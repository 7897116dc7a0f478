-- What a channel costs, and the funnels of simulated contacts that somebody asked for: for that person alone, sealed under their key, and kept for a day.
alter table console.channel add column price jsonb;

create table console.funnel (
    id text primary key,
    person text not null,
    workflow text not null,
    subject text not null,
    kid text not null,
    nonce bytea not null,
    ct bytea not null,
    status text not null default 'waiting',
    why text not null default '',
    done integer not null default 0,
    total integer,
    result_nonce bytea,
    result_ct bytea,
    created_at timestamptz not null,
    expires_at timestamptz not null
);
create index funnel_of on console.funnel (person, workflow, created_at);

do $$
begin
    if not exists (select from pg_roles where rolname = 'console') or current_user = 'console' then
        return;
    end if;
    grant select, insert, update, delete on console.funnel to console;
end $$;
