-- What a person confirmed of the columns of a file, for their next file with the same headings (`headings`: a digest of them). Sealed for that person.
create table console.import_mapping (
    person text not null,
    collection text not null,
    headings bytea not null,
    kid text not null,
    nonce bytea not null,
    ct bytea not null,
    at timestamptz not null,
    primary key (person, collection, headings)
);

do $$
begin
    if not exists (select from pg_roles where rolname = 'console') or current_user = 'console' then
        return;
    end if;
    grant select, insert, update, delete on console.import_mapping to console;
end $$;
