-- Questions about a case: a run, or a record by its collection and key. The question and the answer (sentences with their sources) are sealed
-- under the key of whom the case is about.
create table console.case_question (
    id text primary key,
    run text,
    collection text,
    record text,
    person text not null,
    at timestamptz not null,
    deadline_at timestamptz not null,
    status text not null check (status in ('pending', 'ready')),
    subject text not null,
    kid text not null,
    nonce bytea not null,
    ct bytea not null,
    answer_nonce bytea,
    answer_ct bytea,
    check ((run is null) <> (record is null))
);
create index case_question_of_person on console.case_question (person, at desc, id desc);
create index case_question_of_run on console.case_question (run, at) where run is not null;
create index case_question_of_subject on console.case_question (subject);
create index case_question_at on console.case_question (at);

-- what one person used of a budget
create index ai_call_of_person on console.ai_call (person, at desc);

do $$
begin
    if not exists (select from pg_roles where rolname = 'console') or current_user = 'console' then
        return;
    end if;
    grant select, insert, update, delete on console.case_question to console;
end $$;
