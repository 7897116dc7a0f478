-- The log: written by console.transition and console.sequence only.
create table console.event (
    id bigint generated always as identity primary key,
    run text not null,
    run_seq integer not null check (run_seq > 0),
    leaf bytea not null,
    body bytea not null,
    constraint event_leaf_is_hash check (leaf = sha256('\x00'::bytea || body)),
    constraint event_once unique (run, run_seq)
);
alter table console.event alter column body set storage external;

create table console.event_value (
    event bigint not null,
    sub text not null,
    kid text not null,
    nonce bytea not null,
    ct bytea not null,
    primary key (event, sub)
);
create index event_value_of_subject on console.event_value (sub);

create table console.log_pending (
    id bigint primary key,
    run text not null,
    run_seq integer not null,
    xid xid8 not null,
    unique (run, run_seq)
);

create table console.activity (
    pos bigint primary key,
    event bigint not null unique,
    at timestamptz not null,
    kind text not null,
    actor text,
    team text,
    collection text,
    record text,
    run text not null,
    workflow text,
    origin text not null
);
create index activity_of_actor on console.activity (actor, pos desc);
create index activity_of_record on console.activity (record, pos desc);
create index activity_of_kind on console.activity (kind, pos desc);
create index activity_of_run on console.activity (run, pos desc);
create index activity_at on console.activity using brin (at);

-- Chains outside runs: a session, a key, the configuration, failed sign-ins of one process.
create table console.chain (
    id text primary key,
    seq integer not null,
    head bytea not null
);

-- What an idempotency key has already done, written in the transaction that did it.
create table console.request_done (
    key text primary key,
    chain text not null,
    seq integer not null,
    at timestamptz not null default now()
);

create table console.idempotency (
    key text primary key,
    fingerprint bytea not null,
    status integer,
    body bytea,
    at timestamptz not null default now()
);
create index idempotency_at on console.idempotency (at);

create table console.subject (
    id text primary key,
    collection text not null,
    record text not null,
    kid text not null,
    wrapped bytea not null,
    created_at timestamptz not null default now(),
    unique (collection, record)
);

-- Runs: a bounded head, attempts, context. Projections of the log, written by console.transition only: no foreign keys are checked there.
create table console.run (
    id text primary key,
    workflow text not null,
    version integer not null,
    status text not null,
    revision integer not null,
    run_seq integer not null,
    head bytea not null,
    collection text,
    record text,
    team text not null,
    subject text,
    current integer,
    attempts integer not null default 0,
    visits jsonb not null default '{}',
    holder text,
    last_holder text,
    active_at timestamptz not null,
    started_by text not null,
    waiting jsonb,
    take_over jsonb,
    automatic integer not null default 0,
    input jsonb not null default '{}',
    reason text,
    ending text,
    exclusive_key text,
    linked_to text,
    created_at timestamptz not null,
    ended_at timestamptz
) with (fillfactor = 70);  -- a step changes no indexed column: the row is rewritten in its page
create unique index run_one_live on console.run (exclusive_key) where ended_at is null;
create index run_of_record on console.run (collection, record, created_at desc);
create index run_of_holder on console.run (holder) where ended_at is null;
create index run_of_workflow on console.run (workflow, created_at desc, id desc);
create index run_newest on console.run (created_at desc, id desc);
create index run_moving on console.run (id) where ended_at is null and status in ('running', 'waiting_event');

create table console.attempt (
    run text not null,
    n integer not null,
    step text not null,
    attempt integer not null,
    status text not null,
    entered_at timestamptz not null,
    completed_at timestamptz,
    by text,
    outcome text,
    "values" jsonb not null default '{}',
    output jsonb,
    handled_manually boolean not null default false,
    replaces integer,
    revised boolean not null default false,
    defaults jsonb,
    errors jsonb,
    primary key (run, n)
) with (fillfactor = 85);

create table console.run_context (
    run text not null,
    step text not null,
    output jsonb not null,
    primary key (run, step)
);

create table console.effect (
    id text primary key,
    run text not null,
    n integer not null,
    number integer not null,
    kind text not null,
    status text not null,
    summary text not null,
    request jsonb not null,
    result jsonb,
    requested_at timestamptz not null,
    settled_at timestamptz,
    unique (run, n, number)
);
create index effect_open on console.effect (requested_at) where status in ('requested', 'unknown');

create table console.shown (
    run text not null,
    n integer not null,
    person text not null,
    digest bytea not null,
    screen jsonb not null,
    run_seq integer not null,
    primary key (run, n, person)
);

create table console.draft (
    run text not null,
    n integer not null,
    person text not null,
    kid text not null,
    nonce bytea not null,
    ct bytea not null,
    saved_at timestamptz not null,
    primary key (run, n, person)
);

-- People, teams and rights.
create table console.person (
    id text primary key,
    email text not null unique check (email = lower(email)),
    name text not null,
    password_hash text,
    tags jsonb not null default '{}',
    locale text not null default 'en',
    zone text not null default 'UTC',
    theme text not null default 'system' check (theme in ('system', 'light', 'dark')),
    preferences jsonb not null default '{}',
    disabled_at timestamptz,
    created_at timestamptz not null default now()
);
create table console.team (id text primary key, name text not null);
create table console.person_team (
    person text not null references console.person (id),
    team text not null references console.team (id),
    primary key (person, team)
);
create table console.session (
    id text primary key,
    token_hash bytea not null unique,
    person text not null references console.person (id),
    created_at timestamptz not null default now(),
    seen_at timestamptz not null default now(),
    ended_at timestamptz,
    ip text,
    agent text
);
create index session_of_person on console.session (person) where ended_at is null;
create table console.api_key (
    id text primary key,
    name text not null,
    person text not null references console.person (id),
    secret_hash bytea not null,
    created_at timestamptz not null default now(),
    expires_at timestamptz not null,
    revoked_at timestamptz,
    last_used_at timestamptz
);
create table console.policy (
    id bigint generated always as identity primary key,
    ptype text not null check (ptype in ('p', 'g')),
    sub text not null,
    dom text not null,
    obj text not null,
    act text not null default '',
    eft text not null default 'allow' check (eft in ('allow', 'deny')),
    expression text not null default '',
    unique (ptype, sub, dom, obj, act, eft, expression)
);
create table console.version (name text primary key, number bigint not null);
insert into console.version values ('policy', 0), ('config', 0);
create table console.throttle (key text primary key, count integer not null, until timestamptz not null);

-- Data sources, collections and workflows.
create table console.data_source (
    id text primary key,
    name text not null unique,
    url_sealed bytea not null,
    dialect text not null,
    created_at timestamptz not null default now()
);
create table console.collection (
    id text primary key,
    source text not null references console.data_source (id),
    document jsonb not null,
    structure jsonb not null,
    position integer not null default 0
);
create table console.workflow (
    id text primary key,
    slug text not null unique,
    title text not null,
    description text not null default '',
    status text not null default 'draft' check (status in ('draft', 'active', 'paused', 'completed', 'cancelled')),
    team text not null,
    collection text,
    draft jsonb,
    live_version integer,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);
create table console.workflow_version (
    workflow text not null references console.workflow (id),
    number integer not null check (number > 0),
    document bytea not null,
    hash text not null,
    published_at timestamptz not null default now(),
    published_by text not null,
    primary key (workflow, number)
);
