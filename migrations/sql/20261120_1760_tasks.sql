-- What is to be done beside a run, what people are asked, and what they are told. Texts are sealed under the key of the person that the run is about.
create table console.task (
    id text primary key,
    run text not null,
    n integer not null,
    run_team text not null,
    team text,
    assignee text,
    status text not null default 'open' check (status in ('open', 'done', 'not_done')),
    waits boolean not null default false,
    due_on date,
    created_at timestamptz not null,
    created_by text,
    closed_at timestamptz,
    closed_by text,
    subject text not null,
    kid text not null,
    nonce bytea not null,
    ct bytea not null
);
create index task_of_assignee on console.task (assignee, due_on, id) where status = 'open';
create index task_of_team on console.task (team, due_on, id) where status = 'open';
create index task_closed on console.task (closed_at desc, id desc) where status <> 'open';
create index task_of_run on console.task (run, n);

-- A question stands as long as its run waits for it: which ones do is said by `run.waiting`.
create table console.question (
    id text primary key,
    run text not null,
    n integer not null,
    people jsonb not null,
    needs integer not null,
    until timestamptz,
    asked_at timestamptz not null,
    subject text not null,
    kid text not null,
    nonce bytea not null,
    ct bytea not null
);
create index question_of_people on console.question using gin (people);
create index run_question on console.run ((waiting ->> 'key')) where status = 'waiting_event';
create table console.answer (
    question text not null references console.question (id),
    person text not null,
    outcome text not null,
    at timestamptz not null,
    kid text not null,
    nonce bytea not null,
    ct bytea not null,
    primary key (question, person)
);

create table console.notice (
    id text primary key,
    key text not null,
    person text not null,
    kind text not null,
    run text,
    by text,
    at timestamptz not null,
    read_at timestamptz,
    mail text check (mail in ('queued', 'sending', 'sent', 'failed', 'unknown')),
    link text,
    subject text,
    kid text,
    nonce bytea,
    ct bytea,
    unique (key, person)
);
create index notice_of_person on console.notice (person, at desc, id desc);
create index notice_unread on console.notice (person) where read_at is null;
create index notice_to_mail on console.notice (at) where mail = 'queued';

do $$
begin
    if not exists (select from pg_roles where rolname = 'console') or current_user = 'console' then
        return;
    end if;
    grant select, insert, update, delete on console.task, console.question, console.answer, console.notice to console;
end $$;
