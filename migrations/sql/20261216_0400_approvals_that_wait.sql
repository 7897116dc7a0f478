-- After how much working time who may decide about an approval is reminded, and who stands in for them is told; its clock is a row of due_clock under the approval's id.
alter table console.due_rule add column approvals jsonb not null default '[]';
