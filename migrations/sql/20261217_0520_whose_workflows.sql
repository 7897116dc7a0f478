-- A workflow is the organisation's, or personal: then `owner` is the person whose it is. `place` orders lists; those without one follow by title.
alter table console.workflow add column owner text, add column place integer;

-- Whose a workflow is, and in whose name its runs act, is part of the policy: every process follows within a second.
create or replace function console.note_label() returns trigger language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    made bigint;
begin
    update console.version set number = number + 1 where name = 'policy' returning number into made;
    insert into console.policy_version (number, note, added, removed)
    values (made, coalesce(tg_argv[0], 'A label was given or taken'), '[]', '[]') on conflict do nothing;
    perform pg_notify('policy', made::text);
    return null;
end $$;
create trigger workflow_owner_new after insert on console.workflow for each row
    when (new.owner is not null) execute function console.note_label('A personal workflow was made');
create trigger workflow_owner_gone after delete on console.workflow for each row
    when (old.owner is not null) execute function console.note_label('A personal workflow was deleted');
create trigger workflow_owner_changed after update on console.workflow for each row
    when (new.owner is distinct from old.owner or (new.owner is not null and (new.slug, new.team, new.live_version, new.draft ->> 'run_as')
        is distinct from (old.slug, old.team, old.live_version, old.draft ->> 'run_as')))
    execute function console.note_label('A personal workflow was changed, or given to somebody else');
