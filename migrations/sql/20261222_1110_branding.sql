-- How the installation shows itself on its e-mails, papers and pages without an account.
create table console.branding (
    singleton boolean primary key default true check (singleton),
    document jsonb not null,
    logo bytea check (length(logo) <= 200000),
    changed_at timestamptz not null default now()
);

do $$
begin
    if not exists (select from pg_roles where rolname = 'console') or current_user = 'console' then
        return;
    end if;
    grant select, insert, update on console.branding to console;
end $$;
