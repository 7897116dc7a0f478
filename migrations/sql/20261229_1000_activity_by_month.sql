-- The list of events in partitions, one a month, by place: places grow with time, so a page is still read from one end, and whoever follows
-- the log reads the newest partition alone. The table of before becomes the first partition; no row is copied.
do $$
declare
    part text := 'activity_' || to_char(coalesce((select a.at from console.activity a order by a.pos limit 1), now()) at time zone 'UTC', 'YYYY_MM');
    found record;
begin
    execute format('alter table console.activity rename to %I', part);
    for found in select c.relname as name from pg_index i join pg_class c on c.oid = i.indexrelid where i.indrelid = format('console.%I', part)::regclass loop
        execute format('alter index console.%I rename to %I', found.name, replace(found.name, 'activity', part));
    end loop;
    -- No constraint over all partitions can say that an event has one place alone, as partitions are by place: each says it of its own. Over all it holds
    -- because console.sequence takes events from console.log_pending, where each stands once, and the check of the log compares each place with the tree.
    -- A constraint of the former name stays, as pages of the former release look for it while they serve beside newer ones.
    execute format('alter table console.%I add constraint activity_event_key check (event is not null)', part);
    execute format('create table console.activity (like console.%I including constraints) partition by range (pos)', part);
    alter table console.activity add constraint activity_pkey primary key (pos);
    create index activity_of_actor on console.activity (actor, pos desc);
    create index activity_of_team on console.activity (team, pos desc);
    create index activity_of_collection on console.activity (collection, pos desc);
    create index activity_of_record on console.activity (record, pos desc);
    create index activity_of_kind on console.activity (kind, pos desc);
    create index activity_of_run on console.activity (run, pos desc);
    create index activity_labelled on console.activity (pos) where label is not null;
    execute format('alter table console.activity attach partition console.%I for values from (minvalue) to (maxvalue)', part);
    for found in
        select x.privilege_type as act, case x.grantee when 0 then 'public' else quote_ident(pg_get_userbyid(x.grantee)) end as role,
            case when x.is_grantable then ' with grant option' else '' end as further
        from pg_class c cross join lateral aclexplode(c.relacl) x where c.oid = format('console.%I', part)::regclass and x.grantee <> c.relowner
    loop
        execute format('grant %s on console.activity to %s%s', found.act, found.role, found.further);
    end loop;
end $$;
analyze console.activity;

-- The partitions in their order: first and last place, `last` null for the one that grows.
create function console.activity_parts() returns table (name text, first bigint, last bigint) language sql stable set search_path = pg_catalog, pg_temp as $$
    select c.relname::text, coalesce(substring(b.bound from 'FROM \(''(\d+)''\)')::bigint, 1), substring(b.bound from 'TO \(''(\d+)''\)')::bigint - 1
    from pg_inherits i join pg_class c on c.oid = i.inhrelid cross join lateral (select pg_get_expr(c.relpartbound, c.oid) as bound) b
    where i.inhparent = 'console.activity'::regclass order by 2
$$;

-- Closes the partition of a month that is over, and begins that of the present one; answers whether it did. It begins with a tile of the tree, so
-- up to 255 events of the new month still stand in the former partition.
create function console.begin_month() returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp set lock_timeout = '2s' as $$
declare
    part text;
    month text := 'activity_' || to_char(now() at time zone 'UTC', 'YYYY_MM');
    low bigint;
    bound bigint;
    found record;
begin
    select p.name into part from console.activity_parts() p where p.last is null;
    if part >= month then
        return false;
    end if;
    perform pg_advisory_xact_lock(hashtext('console.sequence'));
    select p.name, p.first into part, low from console.activity_parts() p where p.last is null;  -- another process may have been here
    if part >= month then
        return false;
    end if;
    select (coalesce(max(a.pos), 0) + 255) / 256 * 256 + 1 into bound from console.activity a;
    if bound <= low then  -- nothing in it
        execute format('alter table console.%I rename to %I', part, month);
        return true;
    end if;
    execute format('alter table console.%I add constraint month check (pos >= %s and pos < %s)', part, low, bound);  -- so that nothing is looked at twice
    execute format('alter table console.activity detach partition console.%I', part);
    execute format('alter table console.activity attach partition console.%I for values from (%s) to (%s)',
                   part, case low when 1 then 'minvalue' else low::text end, bound);
    execute format('alter table console.%I drop constraint month', part);
    execute format('create table console.%I partition of console.activity for values from (%s) to (maxvalue)', month, bound);
    execute format('alter table console.%I add unique (event)', month);
    for found in select r.rolname as role from pg_class c cross join lateral aclexplode(c.relacl) x join pg_roles r on r.oid = x.grantee
                 where c.oid = 'console.activity'::regclass and x.grantee <> c.relowner and x.privilege_type = 'SELECT' loop
        execute format('grant select on console.%I to %I', month, found.role);
    end loop;
    return true;
end $$;

-- Events whose rows of the list were taken away: their places, 256 together as in a tile of the tree; 0 where the row is in the list.
-- With the events themselves that is all that the rows were made of.
create table console.archived_place (
    index bigint primary key,
    events bigint[] not null,
    span int8range not null  -- of the events, for who looks for one of them
);
alter table console.archived_place alter column events set storage plain, alter column events set statistics 0;
create index archived_place_of_event on console.archived_place using gist (span);

-- Events that have one of these places, of those that are archived.
create function console.archived(p_first bigint, p_last bigint) returns table (pos bigint, event bigint) language sql stable as $$
    select p.index * 256 + e.n, e.event from console.archived_place p cross join lateral unnest(p.events) with ordinality e (event, n)
    where p.index between (p_first - 1) / 256 and (p_last - 1) / 256 and e.event > 0 and p.index * 256 + e.n between p_first and p_last
$$;

-- The places of these events, of those that are archived.
create function console.archived_events(p_events bigint[]) returns table (pos bigint, event bigint) language sql stable as $$
    select p.index * 256 + array_position(p.events, w.event), w.event
    from unnest(p_events) w (event) join console.archived_place p on p.span @> w.event and array_position(p.events, w.event) is not null
$$;

-- What the list would say of the archived events of these places, and of these archived events.
create function console.archived_rows(p_first bigint, p_last bigint) returns table (
    pos bigint, event bigint, at timestamptz, kind text, actor text, team text, collection text, record text, run text, workflow text, origin text, label text
) language sql stable as $$
    select p.pos, e.id, l.at, l.kind, l.actor, l.team, l.collection, l.record, e.run, l.workflow, l.origin, l.label
    from console.archived(p_first, p_last) p join console.event e on e.id = p.event cross join lateral console.listed(e.body) l
$$;
create function console.archived_rows_of(p_events bigint[]) returns table (
    pos bigint, event bigint, at timestamptz, kind text, actor text, team text, collection text, record text, run text, workflow text, origin text, label text
) language sql stable as $$
    select p.pos, e.id, l.at, l.kind, l.actor, l.team, l.collection, l.record, e.run, l.workflow, l.origin, l.label
    from console.archived_events(p_events) p join console.event e on e.id = p.event cross join lateral console.listed(e.body) l
$$;

-- Events that have one of these places, archived or in the list.
create function console.places(p_first bigint, p_last bigint) returns table (pos bigint, event bigint) language sql stable as $$
    select a.pos, a.event from console.activity a where a.pos between p_first and p_last
    union all
    select p.pos, p.event from console.archived(p_first, p_last) p
$$;

-- Rows of the list that may be taken away: those of these kinds in runs that have ended, about the run's own record alone; and outside runs those of
-- `p_looks` that have no value which could expire. Never the first, by which a log is known, nor the newest, by which the next one gets its place.
create function console.archivable(p_first bigint, p_last bigint, p_kinds text[], p_looks text[]) returns table (pos bigint, event bigint) language sql stable as $$
    select a.pos, a.event from console.activity a
    where a.pos between greatest(p_first, 2) and least(p_last, (select max(b.pos) - 1 from console.activity b))
    and case when starts_with(a.run, 'run_') then a.kind = any(p_kinds) and exists (
            select from console.run r where r.id = a.run and r.ended_at is not null and (a.record is null or (a.collection, a.record) = (r.collection, r.record)))
        else a.kind = any(p_looks) and not exists (select from console.event_value v where v.event = a.event and v.sub <> 'expired') end
$$;

-- Takes such rows out of the list, and keeps their places; answers how many.
create function console.archive_places(p_first bigint, p_last bigint, p_kinds text[], p_looks text[]) returns bigint
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    taken bigint;
begin
    perform pg_advisory_xact_lock(hashtext('console.sequence'));
    with gone as (
        delete from console.activity a using console.archivable(p_first, p_last, p_kinds, p_looks) g where a.pos = g.pos and a.pos between p_first and p_last
        returning a.pos, a.event
    ), blocks as (
        insert into console.archived_place as p (index, events, span)
        select b.index, array(select coalesce(g.event, 0) from generate_series(1, 256) n left join gone g on g.pos = b.index * 256 + n order by n), b.span
        from (select (g.pos - 1) / 256 as index, int8range(min(g.event), max(g.event), '[]') as span from gone g group by 1) b
        on conflict (index) do update set span = range_merge(p.span, excluded.span),
            events = array(select greatest(u.was, u.more) from unnest(p.events, excluded.events) with ordinality u (was, more, n) order by u.n)
    )
    select count(*) into taken from gone;
    return taken;
end $$;

-- Puts rows of these places back into the list, as the events say; answers how many. Whole tiles.
create function console.attach_places(p_first bigint, p_last bigint) returns bigint language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    back bigint;
begin
    perform pg_advisory_xact_lock(hashtext('console.sequence'));
    with taken as (
        delete from console.archived_place p where p.index between (p_first - 1) / 256 and (p_last - 1) / 256 returning p.index, p.events
    )
    insert into console.activity (pos, event, at, kind, actor, team, collection, record, run, workflow, origin, label)
    select t.index * 256 + u.n, e.id, l.at, l.kind, l.actor, l.team, l.collection, l.record, e.run, l.workflow, l.origin, l.label
    from taken t cross join lateral unnest(t.events) with ordinality u (event, n) join console.event e on e.id = u.event cross join lateral console.listed(e.body) l;
    get diagnostics back = row_count;
    return back;
end $$;

-- As before, of archived events too.
create or replace function console.place_of(moment timestamptz) returns bigint language plpgsql stable as $$
declare
    low bigint;
    high bigint;
    middle bigint;
    seen timestamptz;
begin
    select min(pos), max(pos) + 1 into low, high from console.activity;
    while low < high loop
        middle := (low + high) / 2;
        select a.at into seen from console.archived_rows(middle, middle) a;
        if not found then
            select a.at into seen from console.activity a where a.pos >= middle order by a.pos limit 1;
        end if;
        if seen < moment then
            low := middle + 1;
        else
            high := middle;
        end if;
    end loop;
    return low;
end $$;

-- As before, of archived events too.
create or replace function console.grow_tree(p_anew boolean default false) returns bigint language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
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
              from console.places(size + 1, size + 100000) a join console.event e on e.id = a.event) p where p.pos = size + p.n;
        exit when upto = size;
        insert into console.tile as t (level, index, hashes)
        select 0, (a.pos - 1) / 256, string_agg(e.leaf, ''::bytea order by a.pos)
        from console.places(size + 1, upto) a join console.event e on e.id = a.event group by 2
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

-- As before; an event that is archived under its place is in order.
create or replace function console.relist(p_mend boolean) returns table (place bigint, problem text)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    wrong record;
begin
    perform pg_advisory_xact_lock(hashtext('console.sequence'));
    create temporary table console_relisted on commit drop as
    with kept as materialized (
        select t.index * 256 + i as pos, substr(t.hashes, 32 * (i - 1) + 1, 32) as leaf
        from console.tile t cross join lateral generate_series(1, length(t.hashes) / 32) i where t.level = 0
    ), archived as materialized (
        select p.index * 256 + u.n as pos, u.event from console.archived_place p cross join lateral unnest(p.events) with ordinality u (event, n) where u.event > 0
    ), wanted as (
        select k.pos, e.id as event from kept k join console.event e on e.leaf = k.leaf
        union all
        select a.pos, a.event from console.activity a join console.event e on e.id = a.event
        where a.pos > (select count(*) from kept) and not exists (select from kept k where k.leaf = e.leaf)
    ), told as (
        select w.pos, w.event, l.at, l.kind, l.actor, l.team, l.collection, l.record, e.run, l.workflow, l.origin, l.label
        from wanted w join console.event e on e.id = w.event left join archived p on p.pos = w.pos and p.event = w.event
        cross join lateral console.listed(e.body) l where p.pos is null
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
        for wrong in select p.index, u.n from console.archived_place p cross join lateral unnest(p.events) with ordinality u (event, n)
                     join console_relisted r on r.at_place = p.index * 256 + u.n or r.to_be = u.event loop
            update console.archived_place p set events[wrong.n] = 0 where p.index = wrong.index;
        end loop;
        delete from console.activity a using console_relisted r where a.pos = r.at_place or a.event = r.to_be;
        insert into console.activity (pos, event, at, kind, actor, team, collection, record, run, workflow, origin, label)
        select r.at_place, r.to_be, r.at, r.kind, r.actor, r.team, r.collection, r.record, r.run, r.workflow, r.origin, r.label
        from console_relisted r where r.to_be is not null;
    end if;
    return query select r.at_place, r.said from console_relisted r order by r.at_place;
end $$;

revoke execute on function console.activity_parts, console.begin_month, console.archived, console.archived_events, console.archived_rows,
    console.archived_rows_of, console.places, console.archivable, console.archive_places, console.attach_places from public;
do $$
begin
    if not exists (select from pg_roles where rolname = 'console') or current_user = 'console' then
        return;
    end if;
    grant select on console.archived_place to console;
    grant execute on function console.activity_parts, console.begin_month, console.archived, console.archived_events,
        console.archived_rows, console.archived_rows_of, console.places, console.archivable to console;
end $$;
