-- As far as a file goes.
create table "order" (id integer primary key, "select" text, "from" int, "group");
create table "user" ("USER" text primary key, "Name" text);
create table "with space" ("a b" int primary key, "c ""d""" text, "e'f" text, "g.h" text, "i/j" text, "k%l" text, "m:n" text, "o(p)" text, "{{q}}" text, "?" text, "[x]" text);
create table "per%cent" (id integer primary key, v text); create table "Straße_Ünïcode_表" ("schlüssel" text primary key, "值" text); create table "dot.ted" (id integer primary key); create table "sl/ash" (id integer primary key); create table "quo""te" (id integer primary key);
create table untyped (a, b, c); insert into untyped values (1, 'x', x'00ff'), ('text', 2.5, null), (null, -1e308, 'ä');
create table wishes (id integer primary key, i int, r real, n numeric, t text, b blob, d date, dt datetime, ts timestamp, bo boolean, j json, u uuid, m money, odd "strange type", dec decimal(10, 2), big unsigned big int, vc varchar(3));
insert into wishes values (1, 9223372036854775807, 1e999, '0.10', 'x', x'01', '2020-02-29', '2020-01-01T12:00:00Z', 1577880000, 1, '{"a":1}', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 12.5, 'odd', 12.50, 1, 'abc'),
  (2, 'not a number', 'nor this', 'x', 5, 'text', 'someday', 'soon', 'later', 'yes', 'no json', 'no uuid', 'much', 1, 'few', 'big', 'too long for it'), (3, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null),
  (4, 1.5, 2, 3, x'ff', 5, 20200101, 2458849.5, '2020-01-01 12:00', 0, '[]', x'a0', -1, null, -0.0, -1, '');
create table rowidless (a text, b int, v text, primary key (a, b)) without rowid; insert into rowidless values ('x', 1, 'v'), ('', 0, null);
create table strict_one (id integer primary key, i int, a any, b blob, t text, r real) strict; insert into strict_one values (1, 2, 'any', x'00', 't', 1.5), (2, null, 5, null, null, null);
create table null_key (k text primary key, v text); insert into null_key values (null, 'a'), (null, 'b'), ('c', 'd');
create table gen (id integer primary key, a int, v int generated always as (a * 2) virtual, s int generated always as (a * 3) stored); insert into gen (id, a) values (1, 2);
create virtual table words using fts5 (title, body); insert into words values ('hello', 'world');
create virtual table boxes using rtree (id, x0, x1); insert into boxes values (1, 0, 1);
create view no_key as select "select", count(*) as n from "order" group by 1;
create table doomed (id int); create view broken as select id from doomed; drop table doomed;
create table composite (a text, b int, c date, note text, primary key (a, b, c)); insert into composite values ('x/y', 1, '2020-01-01', 'n'), ('', -1, '2020-01-01', null), ('~.%', 0, '1999-12-31', 'm');
create table child_of_many (id integer primary key, a text, b int, c date, foreign key (a, b, c) references composite); insert into child_of_many values (1, 'x/y', 1, '2020-01-01');
create table to_nowhere (id integer primary key, x int references never_made (id)); insert into to_nowhere values (1, 5);
create table text_key (k text primary key, v text); insert into text_key values (' ', 'blank'), ('a', 'x'), ('A', 'y'), ('ä', 'z'), ('a/b?c#d', 'w'), ('😀', 'u');
create table real_key (k real primary key, v text); insert into real_key values (0.1, 'a'), (12345.678, 'b');
create table blob_key (k blob primary key, v text); insert into blob_key values (x'00ff', 'a');
create table long_text (id integer primary key, v text); insert into long_text select 1, group_concat('ä€😀', '') from (with recursive n(i) as (select 1 union all select i + 1 from n limit 100000) select i from n);
insert into "order" values (1, 'a', 1, 'b'), (2, null, null, null); insert into "user" values ('u', 'N'); insert into "with space" values (1, 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j');
insert into "per%cent" values (1, '%'), (2, '_'); insert into "Straße_Ünïcode_表" values ('ключ', '值'); insert into "dot.ted" values (1); insert into "sl/ash" values (1); insert into "quo""te" values (1);
create table kinds (id integer primary key, "[x]" text, ".y" text, " lead" int, t text, r real, u, n numeric(30, 2));
insert into kinds values (1, 'a', null, 1, x'01', 0.1, 1, 1.5), (2, null, 'b', 'x', 'a' || char(0) || 'b', 1e300, '1', 12), (3, null, 'c', null, 'a', null, x'00', 'x'), (4, 'b', 'a', 2.5, null, -0.5, null, null), (5, 'c', '', -1, '', 5, 2.5, 0.1);
create table any_key (k primary key, v); insert into any_key values (1, 'int'), ('1x', 'text'), (2.5, 'real'), (x'0102', 'bytes');
create table day_key (k date primary key, v); insert into day_key values ('2024-01-01', 'a'), ('2024-01-02T00:00:00', 'b'), ('junk', 'c');
