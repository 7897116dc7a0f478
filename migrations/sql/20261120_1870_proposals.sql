-- What was proposed, by whom or what, and what came of it. ai_call and ai_field are projections of proposal_requested, proposal_made, proposal_failed and
-- of the step that was handed in; names and enumerations stand readable, values only in the run and in the log.
alter table console.attempt add column proposal jsonb;

create table console.ai_call (
    id text primary key,
    at timestamptz not null,
    run text,
    n integer,
    step text,
    attempt integer,
    workflow text,
    version integer,
    team text,
    label text,
    person text,                -- for whom it was asked: with whose rights
    purpose text not null,
    mode text not null,         -- shadow, assist, blind, auto
    deadline_at timestamptz,
    status text not null,       -- pending, ok, declined, failed, off
    code text,
    provider text,
    model text,
    prompt_version text,
    schema_mode text,
    prompt_sha256 text,
    request_id text,
    from_cache boolean not null default false,
    input_tokens integer,
    cached_tokens integer,
    output_tokens integer,
    ms integer,
    cost numeric,
    reserved numeric,           -- estimate that is held while the call is under way
    price_version text,
    flags text[] not null default '{}',
    asked text[] not null default '{}',
    outcome text,               -- the proposed choice
    answered_at timestamptz,
    shown_at timestamptz,
    submitted_at timestamptz,
    submitted_by text,
    submitted_outcome text,
    handled_manually boolean,
    revised_at timestamptz,
    seconds numeric,            -- from the proposal being there to the step being handed in
    opened integer              -- sources that were opened before
);
create index ai_call_newest on console.ai_call (at desc, id desc);
create index ai_call_of_run on console.ai_call (run, at desc, id desc);
create index ai_call_of_step on console.ai_call (workflow, step, at desc);
create index ai_call_pending on console.ai_call (deadline_at) where status = 'pending';
create index ai_call_submitted on console.ai_call (submitted_by, submitted_at desc) where submitted_at is not null;

create table console.ai_field (
    call text not null references console.ai_call (id) on delete cascade,
    name text not null,         -- of the field; "outcome" for the choice
    confidence text,
    sources integer not null default 0,
    trusted boolean not null default false,
    dropped text,               -- why the guard did not let it through
    shown boolean not null default false,
    outcome text,               -- accepted, edited, small_edit, cleared, ignored, blind_equal, blind_different
    primary key (call, name)
);

-- Prompts and answers, sealed under the key of whom the run is about; they go with their time, or with the key.
create table console.ai_prompt (
    call text primary key,
    at timestamptz not null,
    subject text not null,
    kid text not null,
    nonce bytea not null,
    ct bytea not null
);
create index ai_prompt_at on console.ai_prompt (at);
create index ai_prompt_of_subject on console.ai_prompt (subject);

create table console.ai_cache (
    key text primary key,
    at timestamptz not null,
    call text not null,
    subject text not null,
    kid text not null,
    nonce bytea not null,
    ct bytea not null
);
create index ai_cache_at on console.ai_cache (at);
create index ai_cache_of_subject on console.ai_cache (subject);

-- Settings of the AI: the newest version is in force. Secrets are sealed in the document.
create table console.ai_setting (
    version integer primary key,
    at timestamptz not null,
    by text not null,
    note text not null default '',
    document jsonb not null
);

-- How far a step is trusted: shadow, assist or auto, with what it was decided on.
create table console.ai_ladder (
    id text primary key,
    workflow text not null,
    step text not null,
    at timestamptz not null,
    mode text not null,
    by text,                    -- null: stepped back by itself
    why text not null,
    fingerprint text not null,  -- of model, prompt version and form: another one steps back
    told jsonb not null default '{}'
);
create index ai_ladder_of_step on console.ai_ladder (workflow, step, at desc, id desc);

create table console.ai_feedback (
    call text not null,
    person text not null,
    at timestamptz not null,
    thumb text not null check (thumb in ('up', 'down')),
    subject text,
    kid text,
    nonce bytea,
    ct bytea,
    primary key (call, person)
);

create table console.ai_breaker (
    key text primary key,       -- provider and model
    state jsonb not null,
    at timestamptz not null
);

insert into console.version (name, number) values ('ai', 1) on conflict do nothing;

do $$
begin
    if not exists (select from pg_roles where rolname = 'console') or current_user = 'console' then
        return;
    end if;
    grant select, insert, update, delete on console.ai_call, console.ai_field, console.ai_prompt, console.ai_cache, console.ai_breaker, console.ai_feedback to console;
    grant select, insert on console.ai_setting, console.ai_ladder to console;
end $$;
