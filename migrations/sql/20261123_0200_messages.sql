-- Messages to and from people outside. What they say is under the key of whom they are about; a message of a run follows the run.
-- `key` is what the run waits for: the first message of the step; a call that is made again is a row of its own with the same key.
create table console.message (
    id text primary key,
    key text not null,
    run text,
    n integer,
    step text,
    workflow text,
    version integer,
    team text,
    label text,
    collection text,
    record text,
    channel text not null,
    direction text not null,
    status text not null,
    code text,
    consent text,
    outcome text,
    asked_at timestamptz not null,
    due_at timestamptz,
    at timestamptz not null,
    sent_at timestamptz,
    told_at timestamptz,
    expires_s integer not null default 86400,
    most integer not null default 1,
    again_s integer not null default 0,
    number integer not null default 1,
    tries integer not null default 0,
    looks integer not null default 0,
    failures integer not null default 0,
    outcomes text[] not null default '{}',
    provider text,
    provider_id text,
    sandbox boolean not null default false,
    address bytea,
    of text,
    subject text not null,
    kid text,
    nonce bytea,
    ct bytea,
    result_nonce bytea,
    result_ct bytea
);
create index message_due on console.message (due_at) where due_at is not null;
create index message_untold on console.message (at) where outcome is not null and told_at is null and run is not null;
create index message_of_contact on console.message (collection, record, sent_at desc);
create index message_newest on console.message (at desc, id desc);
create index message_of_run on console.message (run) where run is not null;
create index message_of_workflow on console.message (workflow, at desc, id desc) where workflow is not null;
create index message_address on console.message (address, at desc) where address is not null;
create unique index message_provider on console.message (provider, provider_id, direction) where provider_id is not null;
create index message_subject on console.message (subject);

-- Consent that was taken back by a message or a link: it holds at once, also while the user's own database cannot be written.
create table console.opt_out (
    id bigint generated always as identity primary key,
    collection text not null,
    record text not null,
    channel text not null,
    at timestamptz not null,
    source text not null,
    message text,
    written_at timestamptz
);
create index opt_out_contact on console.opt_out (collection, record, channel, at desc);
create index opt_out_unwritten on console.opt_out (id) where written_at is null;

-- What people set for a channel: its sandbox, and what the sandbox answers.
create table console.channel (
    kind text primary key,
    sandbox boolean not null default true,
    script text not null default '',
    changed_by text,
    changed_at timestamptz
);

do $$
begin
    if not exists (select from pg_roles where rolname = 'console') or current_user = 'console' then
        return;
    end if;
    grant select, insert, update on console.message to console;
    grant select, insert, update on console.opt_out to console;
    grant select, insert, update on console.channel to console;
end $$;
