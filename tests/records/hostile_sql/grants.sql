-- The user of the console: most of it, one table in part, one not at all.
create role hostile login password 'h';
grant usage on schema public, back, a, "a.b", "Odd Schema" to hostile;
grant select, insert, update on all tables in schema public, back, a, "a.b", "Odd Schema" to hostile;
revoke all on forbidden, half_open from hostile; grant select (id, seen), update (seen) on half_open to hostile;
