-- The runs that led to somebody's enrolment, [workflow, record] each, the oldest first; null for those whom people and programs enrol.
alter table console.enrolment add column chain jsonb;
alter table console.enrolment alter column chain set statistics 0;  -- keys may be personal
