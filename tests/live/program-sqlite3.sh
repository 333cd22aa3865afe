#!/bin/sh
# program-sqlite3.sh - 300,000 rows, an index and a group by, in memory
. "${srcdir:-.}/tests/lib.sh"
need sqlite3 jq

cat >queries.sql <<'SQL'
create table t (id integer primary key, name text, kind integer, value real);
with recursive n (i) as (select 1 union all select i + 1 from n
    where i < 300000)
insert into t select i, 'name ' || (i * 7919 % 300007), i % 97,
    i * 1.5 from n;
create index by_name on t (name);
select kind, count(*), sum(value), min(name) from t group by kind;
select count(*) from t where name like 'name 1%';
delete from t where id % 3 = 0;
select count(*), max(name) from t;
select * from no_such_table;
SQL
stdin=queries.sql
unharmed sqlite3 :memory:
within "allocations" 100000 100000000 \
    "$(json report.json .totals.allocations)"
