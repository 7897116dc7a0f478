-- A rule about an API key never did anything, neither an allow nor a deny: such rules are refused now, and those that were written go.
do $$
declare
    gone jsonb;
    made bigint;
begin
    with deleted as (delete from console.policy where sub like 'key:%' returning ptype, sub, dom, obj, act, eft, expression)
    select jsonb_agg(jsonb_build_array(ptype, sub, dom, obj, act, eft, expression)) into gone from deleted;
    if gone is not null then
        update console.version set number = number + 1 where name = 'policy' returning number into made;
        insert into console.policy_version (number, note, added, removed)
        values (made, 'Rules about API keys, which did nothing, were taken away', '[]', gone) on conflict do nothing;
    end if;
end $$;
