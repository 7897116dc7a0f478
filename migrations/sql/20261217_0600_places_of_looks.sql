-- How far the log had come when a collection was looked at last: who waited by then waited before every change that is found later.
alter table console.source_watch add column log_pos bigint;
