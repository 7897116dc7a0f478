-- Every filter of the activity list has an index that ends with the place: a page is read from one end of one of them.
create index activity_of_team on console.activity (team, pos desc);
create index activity_of_collection on console.activity (collection, pos desc);
drop index console.activity_at;

-- The first place whose event happened at that moment or later, the place after the last one where none did; null while the list is empty.
-- Places follow moments but for what was under way at the same time, so whoever asks allows for some time before and after.
create function console.place_of(moment timestamptz) returns bigint language plpgsql stable as $$
declare
    low bigint;
    high bigint;
    middle bigint;
    seen timestamptz;
begin
    select min(pos), max(pos) + 1 into low, high from console.activity;
    while low < high loop
        middle := (low + high) / 2;
        select a.at into seen from console.activity a where a.pos >= middle order by a.pos limit 1;
        if seen < moment then
            low := middle + 1;
        else
            high := middle;
        end if;
    end loop;
    return low;
end $$;

revoke execute on function console.place_of from public;
do $$
begin
    if exists (select from pg_roles where rolname = 'console') and current_user <> 'console' then
        grant execute on function console.place_of to console;
    end if;
end $$;
