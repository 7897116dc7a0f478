-- Since when a workflow has its status, and the reason that was given for it; an archived one is left out of lists and keeps its runs.
alter table console.workflow add column status_at timestamptz, add column status_reason text, add column archived_at timestamptz;
update console.workflow set status_at = updated_at;
update console.workflow set archived_at = updated_at where status = 'completed';
alter table console.workflow alter column status_at set default now();

-- The runs that have not ended, by workflow: counted on cards, ended when the workflow is cancelled.
create index run_live_of_workflow on console.run (workflow) where ended_at is null;
-- What came of the runs of a workflow, by day.
create index run_ended_of_workflow on console.run (workflow, ended_at desc, id desc) where ended_at is not null;
