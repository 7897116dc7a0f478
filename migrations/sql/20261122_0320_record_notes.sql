-- Notes that people leave on a record. The text is under the key of whom the record is about; a removed note stays as a row without it.
create table console.record_note (
    id text primary key,
    collection text not null,
    record text not null,
    by text not null,
    at timestamptz not null,
    mentions text[] not null default '{}',
    subject text not null,
    kid text,
    nonce bytea,
    ct bytea,
    removed_at timestamptz
);
create index record_note_record on console.record_note (collection, record, at desc);

do $$
begin
    if not exists (select from pg_roles where rolname = 'console') or current_user = 'console' then
        return;
    end if;
    grant select, insert, update, delete on console.record_note to console;
end $$;
