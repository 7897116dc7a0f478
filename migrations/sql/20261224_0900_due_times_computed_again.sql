-- Live runs whose due times are computed again because the clock of their workflow or inbox was changed: those up to `place` are.
create table console.due_recount (
    id text primary key,
    workflow text,
    inbox text,
    person text not null,
    status text not null,
    why text not null default '',
    place text not null default '',
    total bigint,
    done bigint not null default 0,
    ended_at timestamptz
);

do $$
begin
    if not exists (select from pg_roles where rolname = 'console') or current_user = 'console' then
        return;
    end if;
    grant select, insert, update, delete on console.due_recount to console;
end $$;
