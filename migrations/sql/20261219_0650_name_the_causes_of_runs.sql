-- What caused a run, link by link; null for runs of before, whose causes are found in the log when they are asked for.
alter table console.run add column caused_by jsonb;
alter table console.run alter column caused_by set statistics 0;
alter table console.enrolment add column caused_by jsonb;
