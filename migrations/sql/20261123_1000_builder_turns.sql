-- Turns of the talk about a workflow's draft. The question (wish, draft, names within reach) and the answer (words, changes) are sealed under
-- the key of who asked. `taken` is all, some or none: what that person made of the changes.
create table console.builder_turn (
    id text primary key,
    workflow text not null references console.workflow (id) on delete cascade,
    person text not null,
    at timestamptz not null,
    deadline_at timestamptz not null,
    status text not null check (status in ('pending', 'ready', 'failed', 'stopped')),
    code text,
    revision integer not null,
    rounds integer not null default 0,
    taken text check (taken in ('all', 'some', 'none')),
    subject text not null,
    kid text not null,
    nonce bytea not null,
    ct bytea not null,
    answer_nonce bytea,
    answer_ct bytea
);
create index builder_turn_of_person on console.builder_turn (workflow, person, at desc, id desc);
create index builder_turn_of_subject on console.builder_turn (subject);
create index builder_turn_at on console.builder_turn (at);

do $$
begin
    if not exists (select from pg_roles where rolname = 'console') or current_user = 'console' then
        return;
    end if;
    grant select, insert, update, delete on console.builder_turn to console;
end $$;
