-- What an approver is shown beside the values, and whether the answer itself is what the step comes to.
alter table console.approval add column shown jsonb not null default '{}', add column decides boolean not null default false;
create index approval_of_action on console.approval (team, action, requested_at desc, id desc);
