create table `order` (id int primary key, `select` text, `from` int, `group` varchar(9));
create table `user` (`USER` varchar(20) primary key, `Name` text);
create table `with space` (`a b` int primary key, `c "d"` text, `e'f` text, `g.h` text, `i/j` text, `k%l` text, `m:n` text, `o(p)` text, `q``r` text, `?` text);
create table `per%cent` (id int primary key, v text);
create table `Straße_Ünïcode` (`schlüssel` varchar(20) primary key, v text);
create table `dot.ted` (id int primary key);
create table types (
    id bigint unsigned auto_increment primary key, ti tinyint, flag tinyint(1), tu tinyint unsigned, su smallint unsigned, mi mediumint, mu mediumint unsigned, iu int unsigned, bu bigint unsigned, zf int(5) zerofill,
    num decimal(30, 10), fl float, dbl double, b1 bit(1), b9 bit(9), y year, d date, dt datetime, dt6 datetime(6), ts timestamp null, t time, t6 time(6), c char(5), v varchar(10), tt tinytext, mt mediumtext, lt longtext,
    bin binary(4), vbin varbinary(4), bl blob, e enum('so so', 'GOOD', '', 'it''s', 'a,b'), s set('x', 'y', 'z z'), js json, pt point, geo geometry, ci varchar(20) collate utf8mb4_general_ci, cs varchar(20) collate utf8mb4_bin, u3 varchar(20) character set utf8mb3, l1 varchar(20) character set latin1,
    gen int generated always as (ti * 2) stored, vir int generated always as (ti * 3) virtual);
insert into types (ti, flag, tu, su, mi, mu, iu, bu, zf, num, fl, dbl, b1, b9, y, d, dt, dt6, ts, t, t6, c, v, tt, mt, lt, bin, vbin, bl, e, s, js, pt, geo, ci, cs, u3, l1) values
 (-128, 1, 255, 65535, -8388608, 16777215, 4294967295, 18446744073709551615, 42, 12345678901234567890.0123456789, 0.1, 0.1, b'1', b'101010101', 2020, '2020-02-29', '2020-01-01 12:00:00', '2020-01-01 12:00:00.123456', '2020-01-01 12:00:00',
  '838:59:59', '-12:34:56.5', 'ab', 'abc', 'x', 'y', 'z', x'00ff', x'01', x'02', 'it''s', 'x,z z', '{"b":1,"a":[null]}', point(1, 2), point(3, 4), 'Äpfel ', 'A', 'é', 'é');
insert into types (flag, d, dt, e, t) values (7, null, null, null, '00:00:00');
insert into types () values ();
set sql_mode = '';
create table zeros (id int primary key, d date not null default '0000-00-00', dt datetime not null default '0000-00-00 00:00:00', ts timestamp not null default '0000-00-00 00:00:00', e enum('a', 'b'), y year);
insert into zeros values (1, '0000-00-00', '0000-00-00 00:00:00', '0000-00-00 00:00:00', 'nonsense', 0), (2, '2020-00-00', '2020-01-01 00:00:00', '2020-01-01 00:00:00', 'a', 1999);
create table collated (k varchar(20) collate utf8mb4_general_ci primary key, v text);
insert into collated values ('a', '1'), ('b ', '2'), ('Ö', '3'), ('ß', '4');
create table composite (a varchar(20), b int, c date, note text, primary key (a, b, c));
insert into composite values ('x/y', 1, '2020-01-01', 'n'), ('', -1, '2020-01-01', null), ('~.%', 0, '1999-12-31', 'm');
create table child_of_many (id int primary key, a varchar(20), b int, c date, foreign key (a, b, c) references composite (a, b, c));
insert into child_of_many values (1, 'x/y', 1, '2020-01-01');
create view no_key as select `select`, count(*) as n from `order` group by 1;
create table unique_only (code varchar(20) unique, v text); insert into unique_only values ('a', 'b'), (null, 'c');
create table bytes_key (k varbinary(8) primary key, v text); insert into bytes_key values (x'00ff', 'a');
create table long_text (id int primary key, v longtext); insert into long_text values (1, repeat('ä€😀', 100000));
create table old_engine (id int primary key, v text) engine = myisam; insert into old_engine values (1, 'x');
create table doomed (id int primary key); create view broken as select id from doomed; drop table doomed;
insert into `order` values (1, 'a', 1, 'b'), (2, null, null, null); insert into `user` values ('u', 'N'); insert into `with space` values (1, 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i');
insert into `per%cent` values (1, '%'), (2, '_'); insert into `Straße_Ünïcode` values ('ключ', '值'); insert into `dot.ted` values (1);
create table kinds (id int primary key, f float, d double, n decimal(65, 30), e enum('z', 'a', 'm'), t time, lt longtext, b bit(1), bits bit(9), y year);
insert into kinds values (1, 0.1, 0.1, 1.5, 'z', '838:59:59', concat(repeat('x', 700), 'b'), b'1', b'1', 1999), (2, 3.4e38, 1e300, -0.000000000000000000000000000001, 'a', '-838:59:59', concat(repeat('x', 700), 'a'), b'0', b'101010101', 2155),
 (3, 16777217, -0.5, 12345678901234567890123456789012345, 'm', '-00:00:01', repeat('ä', 700), null, null, null), (4, null, null, null, null, null, null, null, null, null), (5, -1.1, 5, 0, '', '12:00:00', '', b'1', b'0', 1901);
create table year_key (k year primary key, v text); insert into year_key values (1999, 'a'), (2020, 'b');
create table id_key (k binary(16) primary key, boss binary(16), v text, foreign key (boss) references id_key (k)); insert into id_key values (unhex('00112233445566778899aabbccddeeff'), null, 'a'), (unhex('ff112233445566778899aabbccddee00'), unhex('00112233445566778899aabbccddeeff'), 'b');
