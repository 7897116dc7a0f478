-- What is kept of a request with an idempotency key: that it was answered, and the id of what it made. No words of the request, none of the answer.
-- Keys were kept as they were sent, and answers whole: both go. Whoever repeats a request of before this upgrade is a new request.
delete from console.idempotency;
delete from console.request_done;
alter table console.idempotency drop column body;
alter table console.idempotency add column made text;

-- What the records of an action on many are called is read when it is shown, for who looks.
update console.bulk set items = coalesce((select jsonb_agg(i - 'title' order by n) from jsonb_array_elements(items) with ordinality t (i, n)), '[]');

-- The server keeps samples of what stands in a column, for its plans, and whoever may read the column may read them: also of what was erased since. Of
-- columns that hold what people typed or saw it keeps none. Naming the type again drops the samples that there are.
do $$
declare
    place record;
begin
    for place in
        select c.oid::regclass as named, a.attname, format_type(a.atttypid, a.atttypmod) as type
        from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
        where c.relkind = 'r' and a.attnum > 0 and not a.attisdropped and (n.nspname, c.relname, a.attname::text) in (
            ('console', 'approval', 'values'), ('console', 'approval', 'wishes'), ('console', 'approval', 'decided'), ('console', 'approval', 'shown'),
            ('console', 'approval', 'why'), ('console', 'attempt', 'values'), ('console', 'attempt', 'output'), ('console', 'attempt', 'defaults'),
            ('console', 'attempt', 'errors'), ('console', 'attempt', 'proposal'), ('console', 'bulk', 'values'), ('console', 'bulk', 'items'),
            ('console', 'clearance', 'reason'), ('console', 'effect', 'summary'), ('console', 'effect', 'request'), ('console', 'effect', 'result'),
            ('console', 'file', 'name'), ('console', 'file', 'sender'), ('console', 'file', 'sha256'), ('console', 'hold', 'reason'),
            ('console', 'invitation', 'email'), ('console', 'log_check', 'problem'), ('console', 'delivery', 'error'), ('console', 'person', 'email'),
            ('console', 'person', 'name'), ('console', 'person', 'tags'), ('console', 'person', 'preferences'), ('console', 'policy_draft', 'added'),
            ('console', 'policy_draft', 'removed'), ('console', 'run', 'input'), ('console', 'run', 'reason'), ('console', 'run', 'take_over'),
            ('console', 'run', 'ticket'), ('console', 'run', 'waiting'), ('console', 'run_context', 'output'), ('console', 'session', 'ip'),
            ('console', 'session', 'agent'), ('console', 'shown', 'screen'), ('console', 'throttle', 'key'), ('console', 'ai_ladder', 'told'),
            ('console', 'ai_ladder', 'why'), ('console', 'question', 'people'), ('console', 'identity', 'subject'), ('console', 'identity', 'roles'),
            ('queue', 'pgqueuer', 'payload'), ('queue', 'pgqueuer', 'headers'), ('queue', 'pgqueuer_log', 'traceback'))
    loop
        execute format('alter table %s alter column %I type %s, alter column %I set statistics 0', place.named, place.attname, place.type, place.attname);
    end loop;
end $$;

-- So too of the people's names in the order of their list.
drop index console.person_by_name;
create index person_by_name on console.person (lower(name), id);
alter index console.person_by_name alter column 1 set statistics 0;
