-- What the people at an address agreed to, who are in no database of the user's. `address` is the digest of its canonical form.
create table console.address_consent (
    id bigint generated always as identity primary key,
    address text not null,
    channel text not null,
    given_at timestamptz not null,
    source text not null,
    lead text,
    noted_at timestamptz not null,
    noted_by text not null
);
create index address_consent_address on console.address_consent (address, channel, given_at desc);
create index address_consent_lead on console.address_consent (lead) where lead is not null;

-- On which legal basis a workflow reaches leads that bring no consent of their own, as an administrator confirmed it.
create table console.consent_default (
    workflow text not null,
    channel text not null,
    basis text not null,
    at timestamptz not null,
    by text not null,
    primary key (workflow, channel)
);

alter table console.message add column about text not null default 'campaign';

do $$
begin
    if not exists (select from pg_roles where rolname = 'console') or current_user = 'console' then
        return;
    end if;
    grant select, insert, delete on console.address_consent to console;
    grant select, insert, update, delete on console.consent_default to console;
end $$;
