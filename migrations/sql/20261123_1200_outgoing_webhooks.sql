-- Where events of the log are sent outside. `url`, `secret` and `former_secret` are under the master key; `acts_for` is the person or service account
-- whose rights decide what is sent; `cursor` is how far the log was read, `last_pos` the place of the newest event that was taken in.
create table console.webhook (
    id text primary key,
    url bytea not null,
    events text[] not null,
    filter text check (char_length(filter) <= 2000),
    enabled boolean not null,
    stopped text check (stopped in ('right', 'failing', 'gone', 'address')),
    problem text,
    problem_at timestamptz,
    secret bytea not null,
    former_secret bytea,
    former_until timestamptz,
    made_by text not null,
    made_at timestamptz not null default now(),
    acts_for text not null,
    cursor bigint not null,
    last_pos bigint,
    refused integer not null default 0
);

-- One event for one webhook; without `pos` it is a test. Nothing of the event is kept here: what is sent is made of the log each time.
-- `answer` is what the other side said, under the key of the event's subject, or under the master key where it has none.
create table console.webhook_delivery (
    id text primary key,
    number bigint generated always as identity unique,
    webhook text not null references console.webhook (id) on delete cascade,
    pos bigint,
    prev_pos bigint,
    type text not null,
    label text,
    subject text,
    by_hand boolean not null default false,
    status text not null default 'waiting' check (status in ('waiting', 'delivered', 'failed', 'withheld')),
    tries integer not null default 0,
    due_at timestamptz not null default now(),
    made_at timestamptz not null default now(),
    done_at timestamptz,
    code integer,
    error text,
    answer bytea,
    unique (webhook, pos)
);
create index webhook_delivery_waiting on console.webhook_delivery (webhook, pos) where status = 'waiting';
create index webhook_delivery_newest on console.webhook_delivery (webhook, number desc);
create index webhook_delivery_done on console.webhook_delivery (done_at) where done_at is not null;
create index webhook_delivery_subject on console.webhook_delivery (subject) where subject is not null;

do $$
begin
    if not exists (select from pg_roles where rolname = 'console') or current_user = 'console' then
        return;
    end if;
    grant select, insert, update, delete on console.webhook, console.webhook_delivery to console;
end $$;
