-- What gives a role to a person: by hand, by an invitation, or by the groups of one of their identities. A role that several give goes with the last.
create table console.role_source (
    policy bigint not null references console.policy (id) on delete cascade,
    source text not null,
    primary key (policy, source)
);

-- What the provider last said of an identity, and which sessions it opened, in which session at the provider. `withheld_at`: at the last sign-in the provider did not tell the groups.
alter table console.identity
    add column id text not null unique default 'idn_' || replace(gen_random_uuid()::text, '-', ''),
    add column email text not null default '',
    add column name text not null default '',
    add column withheld_at timestamptz;
alter table console.session add column identity text, add column provider_session text;
update console.session s set identity = i.id from console.identity i
    where i.person = s.person and s.method = 'oidc' and s.ended_at is null
      and not exists (select from console.identity o where o.person = i.person and o.id <> i.id);

-- Who joined a team only because a group gave a role in it leaves it with that role.
alter table console.person_team add column by_group boolean not null default false;

alter table console.one_time drop constraint one_time_kind_check,
    add constraint one_time_kind_check check (kind in ('code', 'enrol', 'reset', 'letter', 'state', 'kept', 'identity'));

-- The roles so far: those that groups gave at the last sign-in come from that identity. What was last given by somebody is by hand too, and so is all else.
insert into console.role_source (policy, source)
    select p.id, 'identity:' || i.id
    from console.identity i cross join lateral jsonb_array_elements(i.roles) given
    join console.policy p on p.ptype = 'g' and p.sub = 'user:' || i.person and p.obj = 'role:' || (given ->> 0)
        and p.dom = case given ->> 1 when '*' then '*' else 't:' || (given ->> 1) end
    on conflict do nothing;
insert into console.role_source (policy, source)
    select p.id, 'hand' from console.policy p
    where p.ptype = 'g' and p.sub like 'user:%' and (
        not exists (select from console.role_source s where s.policy = p.id)
        or coalesce((
            select v.by from console.policy_version v
            where v.added @> jsonb_build_array(jsonb_build_array(p.ptype, p.sub, p.dom, p.obj, p.act, p.eft, p.expression))
            order by v.number desc limit 1
        ), '') not in ('', 'sys_sign_in')
    );
update console.person_team t set by_group = true
    where exists (select from console.policy p join console.role_source s on s.policy = p.id
                  where p.sub = 'user:' || t.person and p.dom = 't:' || t.team and s.source like 'identity:%')
      and not exists (select from console.policy p join console.role_source s on s.policy = p.id
                      where p.sub = 'user:' || t.person and p.dom = 't:' || t.team and s.source not like 'identity:%');

do $$
begin
    if not exists (select from pg_roles where rolname = 'console') or current_user = 'console' then
        return;
    end if;
    grant select, insert, update, delete on console.role_source to console;
end $$;
