-- When a collection was read as a whole last, and how far the log had come then: who waited by then waited before every change that is found later.
alter table console.source_watch add column read_at timestamptz, add column log_pos bigint;
