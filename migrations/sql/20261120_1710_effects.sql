-- An effect may take back another (compensates), or stand for one whose result was kept (keeps): ids of effects of the same run.
alter table console.effect add column compensates text, add column keeps text;
