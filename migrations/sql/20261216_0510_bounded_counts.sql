-- "What happened" counts the newest of each figure, up to a bound: each of these holds them in their order, so that no more of them is read.
create index run_begun_whole on console.run (workflow, created_at desc) include (team, label) where not test and fork is null;
create index run_ended_whole on console.run (workflow, status, ended_at desc) include (team, label) where ended_at is not null and not test and fork is null;
create index run_asking on console.run (workflow, id desc) where ended_at is null and holder is null and mode = 'hands_off'
    and status in ('saved', 'waiting_person') and (take_over ->> 'code') is not null;
create index message_outgoing on console.message (workflow, status, at desc) include (team, label, code) where direction = 'out' and workflow is not null;
create index firing_not_started on console.firing (workflow, trigger, at desc, id desc) where status in ('refused', 'stopped');
