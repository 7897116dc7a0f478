-- The records of what is done to many, one row each: of a whole list they may be a hundred thousand. `seen` is a digest of what a change by hand was looked at with.
create table console.bulk_item (
    bulk text not null references console.bulk on delete cascade,
    number integer not null,
    key text not null,
    state text not null,
    why text not null default '',
    run text,
    seen text,
    primary key (bulk, number)
);
create index bulk_item_state on console.bulk_item (bulk, state, number);

-- `looking`: nothing is done yet, the records are only looked at. `query`: the list whose records are still to be added, and how far that has come.
alter table console.bulk add column looking boolean not null default false, add column query jsonb, alter column items set default '[]';

-- No sample of what was asked for, and of why it was refused, is kept by the server: neither outlives the person.
alter table console.bulk alter column query set statistics 0;
alter table console.bulk_item alter column why set statistics 0;

insert into console.bulk_item (bulk, number, key, state, why, run)
select b.id, i.number - 1, i.item ->> 'key', i.item ->> 'state', coalesce(i.item ->> 'why', ''), i.item ->> 'run'
from console.bulk b, jsonb_array_elements(b.items) with ordinality as i (item, number);
update console.bulk set items = '[]';

do $$
begin
    if not exists (select from pg_roles where rolname = 'console') or current_user = 'console' then
        return;
    end if;
    grant select, insert, update, delete on console.bulk_item to console;
end $$;
