-- What people wrote is erased with them, and a sample in pg_stats would outlive it. Samples that are there go with the next ANALYZE.
alter table console.workflow alter column status_reason set statistics 0;
alter table console.workflow_version alter column note set statistics 0;
alter table console.workflow_review alter column note set statistics 0, alter column reason set statistics 0;
alter table console.run_move alter column reason set statistics 0;
alter table console.policy_version alter column note set statistics 0;
alter table console.ai_setting alter column note set statistics 0;
alter table console.team alter column description set statistics 0;
