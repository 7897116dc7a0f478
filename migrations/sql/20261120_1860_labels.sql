-- Labels: what is confidential exists only for those who are cleared for its label. One column beside the team in every list, so that a
-- list leaves it out in the statement that reads the list.
alter table console.workflow add column label text;
alter table console.run add column label text;
alter table console.approval add column label text;
alter table console.activity add column label text;
create index run_labelled on console.run (label, created_at desc, id desc) where label is not null;
create index activity_labelled on console.activity (pos) where label is not null;

-- Which workflows and collections have a label is part of the policy: every process follows within a second.
create function console.note_label() returns trigger language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    made bigint;
begin
    update console.version set number = number + 1 where name = 'policy' returning number into made;
    insert into console.policy_version (number, note, added, removed) values (made, 'A label was given or taken', '[]', '[]') on conflict do nothing;
    perform pg_notify('policy', made::text);
    return null;
end $$;
create trigger workflow_label_new after insert on console.workflow for each row
    when (new.label is not null) execute function console.note_label();
create trigger workflow_label_changed after update on console.workflow for each row
    when (new.label is distinct from old.label or (new.slug <> old.slug and new.label is not null)) execute function console.note_label();
create trigger collection_label_new after insert on console.collection for each row
    when (new.document ? 'clearance') execute function console.note_label();
create trigger collection_label_changed after update on console.collection for each row
    when ((new.document -> 'clearance') is distinct from (old.document -> 'clearance')) execute function console.note_label();

-- Clearance for a time: asked for by one, agreed to by another, who holds the label.
create table console.clearance (
    id text primary key,
    label text not null,
    person text not null,
    since timestamptz not null,
    until timestamptz not null,
    reason text not null,
    asked_by text not null,
    asked_at timestamptz not null default now(),
    answered_by text,
    answered_at timestamptz,
    status text not null check (status in ('asked', 'granted', 'refused', 'revoked')),
    revoked_by text,
    revoked_at timestamptz,
    check (since < until)
);
create index clearance_of_label on console.clearance (label, asked_at desc);

revoke execute on function console.note_label() from public;
do $$
begin
    if not exists (select from pg_roles where rolname = 'console') or current_user = 'console' then
        return;
    end if;
    grant select, insert, update on console.clearance to console;
    revoke execute on function console.note_label() from console;
end $$;
