-- 256 hashes of one level of the tree, side by side; the last one of a level grows until it is full.
create table console.tile (
    level integer not null,
    index bigint not null,
    hashes bytea not null,
    primary key (level, index)
);
insert into console.version values ('tree', 0);

-- Signed heads of the tree (C2SP tlog-checkpoint): what anybody outside who holds one can check the log against.
create table console.checkpoint (
    size bigint primary key,
    note text not null,
    key text not null,
    at timestamptz not null default now()
);
create trigger checkpoint_append_only before update or delete on console.checkpoint for each row execute function console.refuse_change();
create trigger checkpoint_no_truncate before truncate on console.checkpoint for each statement execute function console.refuse_change();
alter table console.checkpoint enable always trigger checkpoint_append_only;
alter table console.checkpoint enable always trigger checkpoint_no_truncate;

do $$
begin
    if not exists (select from pg_roles where rolname = 'console') or current_user = 'console' then
        return;
    end if;
    grant select, insert, update on console.tile to console;
    grant select, insert on console.checkpoint to console;
end $$;
