-- A draft that is executed is kept as it was, under a negative number: its runs can be read and replayed, and no version that goes live has such a number.
alter table console.workflow_version drop constraint workflow_version_number_check;
alter table console.workflow_version add constraint workflow_version_number_check check (number <> 0);
