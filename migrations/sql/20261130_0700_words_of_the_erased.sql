-- Reasons and notes that stand beside the log are emptied when their writer is erased; a word of a tag goes with the last record that had it.
do $$
begin
    if not exists (select from pg_roles where rolname = 'console') or current_user = 'console' then
        return;
    end if;
    grant update (why) on console.ai_ladder to console;
    grant update (note) on console.ai_setting to console;
    grant update (note) on console.policy_version to console;
    grant delete on console.tag to console;
end $$;
