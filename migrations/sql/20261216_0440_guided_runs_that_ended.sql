-- The last runs that people worked on, of a console where many more end by themselves.
create index run_guided_ended on console.run (ended_at desc, id desc) where mode = 'guided' and ended_at is not null;
