-- What the list says of an event, from its body: the one place that tells which column holds what.
create function console.listed(body bytea) returns table (
    at timestamptz, kind text, actor text, team text, collection text, record text, workflow text, origin text, label text
) language sql stable set search_path = pg_catalog, pg_temp as $$
    select (b->>'at')::timestamptz, b->>'type', b->'actor'->>'id', b->'actor'->>'team', b->'target'->>'coll', b->'target'->>'key', b->'wf'->>'id',
           b->'actor'->>'kind', b->>'label'
    from (select convert_from(body, 'UTF8')::jsonb as b offset 0) d  -- offset 0: parsed once, not once a column
$$;

-- Gives committed events their place in the one order of the whole log, without gaps, and fills the activity list.
-- One at a time over all processes (-1: another is at it); answers how many it placed.
create or replace function console.sequence(p_limit integer) returns integer language plpgsql security definer set search_path = console, pg_temp as $$
declare
    base bigint;
    placed integer;
begin
    if not pg_try_advisory_xact_lock(hashtext('console.sequence')) then
        return -1;
    end if;
    select coalesce(max(pos), 0) into base from console.activity;
    with taken as (
        delete from console.log_pending
        where id in (select id from console.log_pending where xid < pg_snapshot_xmin(pg_current_snapshot()) order by xid, id limit p_limit)
        returning xid, id
    ), numbered as (
        select base + row_number() over (order by xid, id) as pos, id from taken
    )
    insert into console.activity (pos, event, at, kind, actor, team, collection, record, run, workflow, origin, label)
    select n.pos, n.id, l.at, l.kind, l.actor, l.team, l.collection, l.record, e.run, l.workflow, l.origin, l.label
    from numbered n join console.event e on e.id = n.id cross join lateral console.listed(e.body) l;
    get diagnostics placed = row_count;
    return placed;
end $$;

-- The root over the 256 hashes of a whole tile.
create function console.tile_root(p_hashes bytea) returns bytea language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
declare
    hashes bytea := p_hashes;
begin
    while length(hashes) > 32 loop
        select string_agg(sha256('\x01'::bytea || substr(hashes, 1 + 64 * i, 64)), ''::bytea order by i) into hashes
        from generate_series(0, length(hashes) / 64 - 1) i;
    end loop;
    return hashes;
end $$;

-- The tree of the log with everything that has a place, up to the first place without an event; answers how many leaves it has.
-- Leaves come from the events alone, so that whoever may call this can put nothing else into the tree. p_anew: the tiles that are there do not count.
create function console.grow_tree(p_anew boolean default false) returns bigint language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    size bigint;
    upto bigint;
    reached bigint;
    height integer;
begin
    perform pg_advisory_xact_lock(hashtext('console.tree'));
    if p_anew then
        delete from console.tile;
    end if;
    select t.index * 256 + length(t.hashes) / 32 into size from console.tile t where t.level = 0 order by t.index desc limit 1;
    size := coalesce(size, 0);
    select coalesce(max(pos), 0) into reached from console.activity;
    while size < reached loop
        select size + count(*) into upto
        from (select a.pos, row_number() over (order by a.pos) as n
              from console.activity a join console.event e on e.id = a.event where a.pos > size and a.pos <= size + 100000) p where p.pos = size + p.n;
        exit when upto = size;
        insert into console.tile as t (level, index, hashes)
        select 0, (a.pos - 1) / 256, string_agg(e.leaf, ''::bytea order by a.pos)
        from console.activity a join console.event e on e.id = a.event where a.pos > size and a.pos <= upto group by 2
        on conflict (level, index) do update set hashes = substr(t.hashes, 1, (32 * greatest(0, size - t.index * 256))::integer) || excluded.hashes;
        height := 0;
        while size >> 8 * (height + 1) < upto >> 8 * (height + 1) loop  -- tiles that are whole now and were not before
            insert into console.tile as t (level, index, hashes)
            select height + 1, below.index / 256, string_agg(console.tile_root(below.hashes), ''::bytea order by below.index)
            from console.tile below
            where below.level = height and below.index >= size >> 8 * (height + 1) and below.index < upto >> 8 * (height + 1) group by 2
            on conflict (level, index) do update
            set hashes = substr(t.hashes, 1, (32 * greatest(0, (size >> 8 * (height + 1)) - t.index * 256))::integer) || excluded.hashes;
            height := height + 1;
        end loop;
        size := upto;
    end loop;
    return size;
end $$;

-- Rows of the list that are not what the events say, with what is wrong: in the order that the tree has, after its end as they stand.
-- An event that is gone stays as it stands in the list: nothing here can tell what it was. p_mend: written as the events say.
create function console.relist(p_mend boolean) returns table (place bigint, problem text)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform pg_advisory_xact_lock(hashtext('console.sequence'));
    create temporary table console_relisted on commit drop as
    with kept as materialized (
        select t.index * 256 + i as pos, substr(t.hashes, 32 * (i - 1) + 1, 32) as leaf
        from console.tile t cross join lateral generate_series(1, length(t.hashes) / 32) i where t.level = 0
    ), wanted as (
        select k.pos, e.id as event from kept k join console.event e on e.leaf = k.leaf
        union all
        select a.pos, a.event from console.activity a join console.event e on e.id = a.event
        where a.pos > (select count(*) from kept) and not exists (select from kept k where k.leaf = e.leaf)
    ), told as (
        select w.pos, w.event, l.at, l.kind, l.actor, l.team, l.collection, l.record, e.run, l.workflow, l.origin, l.label
        from wanted w join console.event e on e.id = w.event cross join lateral console.listed(e.body) l
    )
    select coalesce(t.pos, a.pos) as at_place, t.event as to_be, t.at, t.kind, t.actor, t.team, t.collection, t.record, t.run, t.workflow, t.origin, t.label,
           case when a.pos is null then 'missing' when t.pos is null then 'no event' when a.event <> t.event then 'another event' else concat_ws(', ',
               case when a.at is distinct from t.at then 'at' end, case when a.kind is distinct from t.kind then 'kind' end,
               case when a.actor is distinct from t.actor then 'actor' end, case when a.team is distinct from t.team then 'team' end,
               case when a.collection is distinct from t.collection then 'collection' end, case when a.record is distinct from t.record then 'record' end,
               case when a.run is distinct from t.run then 'run' end, case when a.workflow is distinct from t.workflow then 'workflow' end,
               case when a.origin is distinct from t.origin then 'origin' end, case when a.label is distinct from t.label then 'label' end) end as said
    from told t full join console.activity a on a.pos = t.pos
    where (a.pos, a.event, a.at, a.kind, a.actor, a.team, a.collection, a.record, a.run, a.workflow, a.origin, a.label)
        is distinct from (t.pos, t.event, t.at, t.kind, t.actor, t.team, t.collection, t.record, t.run, t.workflow, t.origin, t.label)
      and (t.pos is not null or a.pos > (select count(*) from kept));
    if p_mend then
        delete from console.activity a using console_relisted r where a.pos = r.at_place or a.event = r.to_be;
        insert into console.activity (pos, event, at, kind, actor, team, collection, record, run, workflow, origin, label)
        select r.at_place, r.to_be, r.at, r.kind, r.actor, r.team, r.collection, r.record, r.run, r.workflow, r.origin, r.label
        from console_relisted r where r.to_be is not null;
    end if;
    return query select r.at_place, r.said from console_relisted r order by r.at_place;
end $$;

-- The size of the tree is told by its tiles.
delete from console.version where name = 'tree';

-- What the look at the log remembers from one part of a round to the next: values that are gone and not yet accounted for
-- ({"erased": [first place, events]}), how many signed heads it has seen in this round, and in the last whole one; and the alarm that people were told.
alter table console.log_check add column owed jsonb not null default '{}', add column heads bigint not null default 0, add column heads_before bigint not null default 0,
    add column alarm text;

revoke execute on function console.listed, console.tile_root, console.grow_tree, console.relist from public;
do $$
begin
    if not exists (select from pg_roles where rolname = 'console') or current_user = 'console' then
        return;
    end if;
    revoke insert, update, delete, truncate on console.activity from console;
    revoke insert, update, delete on console.tile from console;
    grant execute on function console.listed, console.tile_root, console.grow_tree, console.relist to console;
end $$;
