-- Files that people hand in. Their bytes lie in the data folder under `place`, encrypted under the key of `subject`; the row goes with them.
create table console.file (
    id text primary key,
    subject text not null,
    run text not null,
    request text,
    slot text not null,
    name text not null,
    media_type text not null,
    sha256 text not null,
    bytes bigint not null,
    pages integer,
    scanned boolean not null,
    by text,
    sender text,
    at timestamptz not null,
    place text not null
);
create index file_run on console.file (run, at);
create index file_request on console.file (request) where request is not null;
create index file_subject on console.file (subject);
create index file_place on console.file (place text_pattern_ops);

-- Requests for documents to somebody outside. `token` is the SHA-256 of what stands in the link; what is asked and what was typed so far are
-- sealed under the key of `subject`. `remind_at` is when the next letter is due, the first one included.
create table console.document_request (
    id text primary key,
    run text not null,
    n integer not null,
    subject text not null,
    team text,
    status text not null check (status in ('open', 'received', 'expired', 'revoked', 'ended')),
    round integer not null default 1,
    token bytea unique,
    until timestamptz not null,
    nonce bytea not null,
    ct bytea not null,
    form_nonce bytea,
    form_ct bytea,
    sent_at timestamptz,
    mail text not null default 'due' check (mail in ('due', 'sent', 'failed', 'unknown', 'none')),
    reminded integer not null default 0,
    remind_at timestamptz,
    made_at timestamptz not null,
    ended_at timestamptz,
    unique (run, n)
);
create index document_request_due on console.document_request (least(remind_at, until)) where status in ('open', 'revoked');
create index document_request_subject on console.document_request (subject);
create index run_documents on console.run (id) where status = 'waiting_event' and (waiting ->> 'for') = 'documents';

do $$
begin
    if not exists (select from pg_roles where rolname = 'console') or current_user = 'console' then
        return;
    end if;
    grant select, insert, update, delete on console.file, console.document_request to console;
end $$;
