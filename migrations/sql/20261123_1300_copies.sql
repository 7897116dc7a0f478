-- What tells this installation from a copy of it, by kind: the database, the data folder of an embedded server, the address. Only digests: a copy does not
-- learn where its original is. A value that is not here begins paused, because the same people would get the same messages once more.
create table console.installation_mark (
    kind text not null check (kind in ('database', 'folder', 'address')),
    value text not null,
    noted_at timestamptz not null default now(),
    primary key (kind, value)
);

-- Why everything is paused where nobody asked for it: 1 a backup was restored, 2 a copy was found; 0 else.
insert into console.version values ('paused_because', 0);

do $$
begin
    if not exists (select from pg_roles where rolname = 'console') or current_user = 'console' then
        return;
    end if;
    grant select, insert, delete on console.installation_mark to console;
end $$;
