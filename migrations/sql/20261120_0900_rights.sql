-- Where the two roles exist (the embedded server, or a server prepared with `console migrate --print-roles`), the application
-- reads everything, writes projections, and reaches the log through two functions only.
revoke execute on all functions in schema console from public;
do $$
begin
    if not exists (select from pg_roles where rolname = 'console') or current_user = 'console' then
        return;
    end if;
    grant usage on schema console to console;
    grant select on all tables in schema console to console;
    grant execute on function console.transition, console.sequence to console;
    grant insert, update, delete on console.run, console.attempt, console.run_context, console.effect, console.shown, console.draft, console.idempotency,
        console.subject, console.person, console.team, console.person_team, console.session, console.api_key, console.policy, console.version,
        console.throttle, console.data_source, console.collection, console.workflow to console;
    grant insert on console.workflow_version to console;
    grant delete on console.event_value, console.request_done to console;
    grant insert, update, delete, truncate on console.activity to console;
    grant usage on all sequences in schema console to console;
end $$;
