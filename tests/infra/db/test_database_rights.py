"""What the database itself refuses, whatever the code above it does: the log is appended to through one function, and changed by nobody."""

import hashlib
import secrets
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from psycopg import errors, sql

from console.core.actor import Actor
from console.infra.db.ids import uuid7_text
from console.log import Fact, Frame, Moved, body, chained, events_of, note, write

FRAME = Frame({"kind": "system", "id": "sys_engine", "session": "sys:engine", "team": None, "roles": []}, 1)
ACTOR = Actor("system", "sys_cli", session="sys:config")
KEPT = ("event", "event_value", "log_pending", "chain", "workflow_version")
"""Tables of which the application changes no row by itself."""

PROJECTIONS = (
    "run",
    "attempt",
    "run_context",
    "effect",
    "shown",
    "draft",
    "person",
    "session",
    "policy",
    "collection",
    "workflow",
)
TRANSITION = """select console.transition(%(chain)s, %(seq)s, %(head)s, %(leaves)s, %(bodies)s, %(sub)s, %(kid)s, %(nonces)s, %(cts)s,
    %(run)s, null, null, null, null, %(request)s)"""


@pytest.fixture(name="connection")
def fixture_connection(clean: Any) -> Iterator["psycopg.Connection[Any]"]:
    """The application's role, in a database with three events, one of them with a sealed value, and a version of a workflow."""
    note(ACTOR, "process_started", open={"mode": "test"})
    note(ACTOR, "process_started", open={"mode": "test"}, sealed={"name": "Adaeze"})
    note(ACTOR, "process_started", open={"mode": "test"})
    with psycopg.connect(clean.url, autocommit=True) as made:
        made.execute("insert into console.workflow (id, slug, title, team) values ('wf_x', 'x', 'X', 't')")
        made.execute(
            "insert into console.workflow_version values ('wf_x', 1, 'document', 'hash', now(), 'usr_x')"
        )
        yield made


@pytest.fixture(name="superuser")
def fixture_superuser(connection: object, clean: Any) -> Iterator["psycopg.Connection[Any]"]:
    """Who may do everything, in the same database."""
    with psycopg.connect(clean.admin_url, autocommit=True) as made:
        yield made


def refused(connection: "psycopg.Connection[Any]", statement: str, *given: Any) -> str | None:
    """The state (SQLSTATE class name) with which the statement is refused, None where it is not."""
    try:
        connection.execute(sql.SQL(statement), given or None)
    except psycopg.Error as error:
        return type(error).__name__
    return None


def contents(connection: "psycopg.Connection[Any]") -> list[Any]:
    """Every row of the log and of what belongs to it."""
    return [
        connection.execute(
            sql.SQL("select * from console.{} order by 1, 2").format(sql.Identifier(table))
        ).fetchall()
        for table in KEPT
    ]


def test_the_application_changes_nothing_of_the_log(connection: "psycopg.Connection[Any]") -> None:
    before = contents(connection)
    leaf = hashlib.sha256(b"\x00{}").hexdigest()
    statements = [
        "update console.event set body = body",
        "update console.event set run_seq = run_seq + 1",
        "update console.event set leaf = leaf where false",
        "delete from console.event",
        "delete from console.event where false",
        "truncate console.event",
        "truncate console.event cascade",
        f"insert into console.event (run, run_seq, leaf, body) values ('x', 1, '\\x{leaf}', '{{}}')",
        "insert into console.event (run, run_seq, leaf, body) select run, run_seq, leaf, body from console.event where false",
        "copy console.event (run, run_seq, leaf, body) from stdin",
        "merge into console.event e using console.event o on e.id = o.id when matched then delete",
        "update console.event_value set ct = ct",
        "insert into console.event_value values (1, 'sub_x', 'k', 'n', 'c')",
        "truncate console.event_value",
        "insert into console.log_pending values (99, 'x', 1, '1')",
        "update console.log_pending set xid = '0'",
        "delete from console.log_pending",
        "insert into console.chain values ('x', 1, '')",
        "update console.chain set seq = 0",
        "delete from console.chain",
        "update console.workflow_version set hash = 'other'",
        "delete from console.workflow_version",
        "truncate console.workflow_version",
        "insert into console.request_done (key, chain, seq) values ('x', 'x', 1)",
        "update console.request_done set seq = 2",
        "select * from console.event for update",
        "begin; lock table console.event in exclusive mode",
    ]
    for statement in statements:
        assert refused(connection, statement) == "InsufficientPrivilege", statement
        connection.execute("rollback")
    assert contents(connection) == before


def test_the_application_cannot_become_more_than_it_is(connection: "psycopg.Connection[Any]") -> None:
    before = contents(connection)
    statements = [
        "alter table console.event disable trigger all",
        "alter table console.event disable trigger event_append_only",
        "alter table console.event drop constraint event_leaf_is_hash",
        "alter table console.event owner to console",
        "alter table console.event add column more text",
        "drop trigger event_append_only on console.event",
        "drop table console.event",
        "drop schema console cascade",
        "create or replace function console.refuse_change() returns trigger language plpgsql as $$ begin return null; end $$",
        "create or replace function console.transition() returns integer language sql as 'select 1'",
        "drop function console.refuse_change()",
        "create rule nothing as on update to console.event do instead nothing",
        "create trigger more before insert on console.event for each row execute function console.refuse_change()",
        "set session_replication_role = replica",
        "set role console_owner",
        "set role postgres",
        "set session authorization postgres",
        "reset all; set session_replication_role = 'replica'",
        "alter role console superuser",
        "alter role console in database postgres set session_replication_role = replica",
        "grant console_owner to console",
        "alter system set session_replication_role = replica",
        "alter default privileges for role console_owner grant all on tables to console",
        "create extension pageinspect",
        "create table public.mine (n integer)",
        "create schema mine",
        "create function public.greatest(xid8, xid8) returns xid8 language sql as 'select $1'",
        "select pg_read_file('postgresql.conf')",
        "copy console.event to program 'true'",
        "copy console.event to '/dev/null'",
        "select lo_import('/dev/null')",
        "create server away foreign data wrapper none",
        "select console.refuse_change()",
    ]
    for statement in statements:
        state = refused(connection, statement)
        assert state in (
            "InsufficientPrivilege",
            "UndefinedObject",
            "FeatureNotSupported",
            "InvalidParameterValue",
        ), (statement, state)
        connection.execute("reset role")
    connection.execute("grant update, delete on console.event to console")  # a warning, and nothing granted
    assert refused(connection, "update console.event set body = body") == "InsufficientPrivilege"
    assert contents(connection) == before
    settings = "current_user = 'console' and session_user = 'console' and current_setting('session_replication_role') = 'origin'"
    assert connection.execute(f"select {settings}").fetchone() == (True,)


def test_types_and_functions_of_the_callers_own_do_not_stand_before_those_of_the_log(
    connection: "psycopg.Connection[Any]", superuser: "psycopg.Connection[Any]"
) -> None:
    superuser.execute(
        "grant temporary on database " + str(connection.info.dbname) + " to console"
    )  # a server that nobody has prepared
    steal = "grant update on console.event to console"  # what would count where it is done in the name of the owner of the log
    for kind in ("xid8", "jsonb", "bytea", "text", "int8", "int4", "timestamptz"):
        connection.execute(
            f"create function pg_temp.evil(pg_catalog.{kind}) returns boolean language plpgsql as $$ begin {steal}; return true; end $$"
        )
        connection.execute(f"create domain pg_temp.{kind} as pg_catalog.{kind} check (pg_temp.evil(value))")
    connection.execute(
        "create function pg_temp.pg_current_xact_id() returns pg_catalog.xid8 language plpgsql as"
        f" $$ begin {steal}; return pg_catalog.pg_current_xact_id(); end $$"
    )
    for number, path in enumerate(("console", "pg_catalog, pg_temp", "pg_temp, console")):
        connection.execute(f"set search_path = {path}")
        assert connection.execute(TRANSITION, parameters(f"sys:t{number}")).fetchone() == (1,), path
        connection.execute("select console.sequence(10)")
        assert connection.execute("select has_table_privilege('console.event', 'update')").fetchone() == (
            False,
        ), path


def test_what_the_application_may_do_is_a_short_list(connection: "psycopg.Connection[Any]") -> None:
    granted = connection.execute(
        "select table_name, array_agg(privilege_type::text order by privilege_type) from information_schema.role_table_grants"
        " where table_schema = 'console' and grantee in ('console', 'PUBLIC') group by 1"
    ).fetchall()
    may = {name: set(rights) - {"SELECT"} for name, rights in granted}
    assert {name: may.get(name, set()) for name in ("event", "log_pending", "chain", "activity", "tile")} == {
        "event": set(),
        "log_pending": set(),
        "chain": set(),
        "activity": set(),
        "tile": set(),
    }
    assert may["checkpoint"] == {"INSERT"}
    assert may["event_value"] == {"DELETE"}
    assert may["request_done"] == {"DELETE"}
    assert may["workflow_version"] == {"INSERT"}
    for table in PROJECTIONS:
        assert may[table] == {"INSERT", "UPDATE", "DELETE"}, table
    tables = connection.execute(
        "select tablename from pg_tables where schemaname = 'console' order by 1"
    ).fetchall()
    lacking = [name for (name,) in tables if "SELECT" not in dict(granted).get(name, ())]
    assert lacking == [], (
        f"the role console may not even read {', '.join(lacking)}: grant it, as docs/developers/add-a-migration.md shows"
    )
    callable_by_us = connection.execute(
        "select p.proname from pg_proc p join pg_namespace n on n.oid = p.pronamespace"
        " where n.nspname = 'console' and has_function_privilege('console', p.oid, 'execute') order by 1"
    ).fetchall()
    assert [name for (name,) in callable_by_us] == [
        "activity_parts",
        "archivable",
        "archived",
        "archived_events",
        "archived_rows",
        "archived_rows_of",
        "begin_month",
        "expire",
        "fold_enrolment_counts",
        "follow_enrolled_runs",
        "grow_tree",
        "listed",
        "place_of",
        "places",
        "relist",
        "sequence",
        "tile_root",
        "transition",
    ]
    owners = connection.execute(
        "select distinct r.rolname, r.rolcanlogin from pg_class c join pg_namespace n on n.oid = c.relnamespace join pg_roles r on r.oid = c.relowner"
        " where n.nspname = 'console' and c.relkind in ('r', 'S')"
    ).fetchall()
    assert owners == [("console_owner", False)]


def test_even_the_superuser_is_refused_while_the_triggers_are_on(
    connection: "psycopg.Connection[Any]", superuser: "psycopg.Connection[Any]"
) -> None:
    before = contents(connection)
    statements = [
        "update console.event set body = body",
        "update console.event set run_seq = run_seq + 100",
        "delete from console.event where run_seq = 1",
        "truncate console.event",
        "truncate console.event, console.event_value, console.log_pending cascade",
        "update console.event_value set ct = ct",
        "truncate console.event_value",
        "update console.workflow_version set hash = 'other'",
        "delete from console.workflow_version",
        "truncate console.workflow_version",
        "truncate console.workflow cascade",
        "merge into console.event e using console.event o on e.id = o.id when matched then delete",
        "insert into console.event select * from console.event on conflict (id) do update set body = excluded.body",
    ]
    for role in (
        "origin",
        "replica",
        "local",
    ):  # replica mode passes over triggers, but not over those that are always on
        superuser.execute(f"set session_replication_role = {role}")
        for statement in statements:
            state = refused(superuser, statement)
            always = "InsufficientPrivilege" if "insert into" not in statement else "GeneratedAlways"
            assert state == always, (role, statement, state)
    assert contents(connection) == before
    states = superuser.execute(
        "select distinct t.tgenabled::text from pg_trigger t join pg_proc p on p.oid = t.tgfoid where p.proname = 'refuse_change'"
    ).fetchall()
    assert states == [("A",)]


def parameters(chain: str, **more: Any) -> dict[str, Any]:
    """The call that appends one event to a chain, with one thing or another wrong."""
    (link,) = chained(
        [Fact(uuid7_text(), "process_started", datetime.now(UTC), {"mode": chain})], chain, 0, b"", FRAME
    )
    given = {
        "chain": chain,
        "seq": 0,
        "head": b"",
        "leaves": [link.leaf],
        "bodies": [link.body],
        "sub": None,
        "kid": None,
        "nonces": [None],
        "cts": [None],
        "run": None,
        "request": None,
    }
    return given | more


def test_what_is_no_link_is_not_appended(connection: "psycopg.Connection[Any]") -> None:
    before = contents(connection)
    good = parameters("sys:t")
    wrong: list[tuple[str, dict[str, Any], type[Exception]]] = [
        ("a hash of something else", {"leaves": [secrets.token_bytes(32)]}, errors.CheckViolation),
        (
            "a hash without the zero byte",
            {"leaves": [hashlib.sha256(good["bodies"][0]).digest()]},
            errors.CheckViolation,
        ),
        ("a hash cut short", {"leaves": [good["leaves"][0][:31]]}, errors.CheckViolation),
        ("a body changed by one byte", {"bodies": [good["bodies"][0] + b" "]}, errors.CheckViolation),
        ("no hash", {"leaves": [None]}, errors.NotNullViolation),
        ("no body", {"bodies": [None]}, errors.NotNullViolation),
        (
            "fewer hashes than bodies",
            {"bodies": good["bodies"] * 2, "nonces": [None] * 2, "cts": [None] * 2},
            errors.NotNullViolation,
        ),
        ("a value without its subject", {"nonces": [b"n"], "cts": [b"c"]}, errors.NotNullViolation),
        ("no chain", {"chain": None}, errors.NotNullViolation),
    ]
    for what, more, state in wrong:
        with pytest.raises(state):
            connection.execute(TRANSITION, good | more)
        assert contents(connection) == before, what
    assert connection.execute(TRANSITION, good | {"seq": -5}).fetchone() == (0,)
    assert contents(connection) == before
    assert connection.execute(TRANSITION, good).fetchone() == (1,)


def test_a_chain_goes_on_only_from_its_end(connection: "psycopg.Connection[Any]") -> None:
    (end,) = connection.execute("select seq, head from console.chain where id = 'sys:config'").fetchall()
    links = chained(
        [Fact(uuid7_text(), "process_started", datetime.now(UTC), {})],
        "sys:config",
        end[0],
        bytes(end[1]),
        FRAME,
    )
    more = {"leaves": [links[0].leaf], "bodies": [links[0].body]}
    for what, seq, head in [
        ("from the start", 0, b""),
        ("from before the end", end[0] - 1, bytes(end[1])),
        ("from beyond the end", end[0] + 1, bytes(end[1])),
        ("from another event of that number", end[0], secrets.token_bytes(32)),
        ("from nothing", end[0], b""),
        ("of a chain that is not there", end[0], bytes(end[1])),
    ]:
        chain = "sys:nowhere" if what.startswith("of a chain") else "sys:config"
        assert connection.execute(TRANSITION, parameters(chain, seq=seq, head=head, **more)).fetchone() == (
            0,
        ), what
    told = parameters("sys:config", seq=end[0], head=bytes(end[1]), **more)
    assert connection.execute(TRANSITION, told).fetchone() == (end[0] + 1,)
    assert connection.execute(TRANSITION, told).fetchone() == (0,), "the same once more"
    numbers = connection.execute(
        "select run_seq from console.event where run = 'sys:config' order by 1"
    ).fetchall()
    assert [number for (number,) in numbers] == [1, 2, 3, 4]


def test_a_run_cannot_be_begun_twice_nor_gone_on_with_where_there_is_none(
    connection: "psycopg.Connection[Any]",
) -> None:
    run = (
        '{"id": "run_x", "workflow": "wf_x", "version": 1, "status": "running", "revision": 1, "team": "t", "attempts": 0, "visits": {},'
        ' "active_at": "2026-11-20T06:30:00Z", "started_by": "usr_x", "automatic": 0, "input": {}, "created_at": "2026-11-20T06:30:00Z",'
        ' "exclusive_key": %s}'
    )
    one, other = run % '"wf_x|c|1"', (run % '"wf_x|c|1"').replace("run_x", "run_y")
    assert connection.execute(TRANSITION, parameters("run_x", seq=3, head=b"x", run=one)).fetchone() == (0,)
    assert connection.execute(TRANSITION, parameters("run_x", run=one)).fetchone() == (1,)
    for what, given, constraint in [
        ("the same run", parameters("run_x", run=one), "run_pkey"),
        ("another on the same record", parameters("run_y", run=other), "run_one_live"),
    ]:
        with pytest.raises(errors.UniqueViolation) as told:
            connection.execute(TRANSITION, given)
        assert told.value.diag.constraint_name == constraint, what
    assert connection.execute(
        "select count(*) from console.event where run in ('run_x', 'run_y')"
    ).fetchone() == (1,)
    connection.execute("update console.run set ended_at = now()")
    assert connection.execute(TRANSITION, parameters("run_y", run=other)).fetchone() == (1,)


def test_a_used_request_undoes_the_whole_transition(connection: "psycopg.Connection[Any]") -> None:
    assert connection.execute(TRANSITION, parameters("sys:a", request="key-1")).fetchone() == (1,)
    with pytest.raises(errors.UniqueViolation) as told:
        connection.execute(TRANSITION, parameters("sys:b", request="key-1"))
    assert told.value.diag.constraint_name == "request_done_pkey"
    assert events_of("sys:b") == []
    assert connection.execute("select count(*) from console.chain where id = 'sys:b'").fetchone() == (0,)


def test_a_sealed_value_is_written_with_its_event_and_only_then(
    connection: "psycopg.Connection[Any]",
) -> None:
    found = connection.execute(
        "select e.run_seq, v.sub from console.event e left join console.event_value v on v.event = e.id where e.run = 'sys:config' order by 1"
    ).fetchall()
    assert [(number, sub is not None) for number, sub in found] == [(1, False), (2, True), (3, False)]
    assert b"Adaeze" not in b"".join(
        bytes(row[0]) for row in connection.execute("select body from console.event")
    )
    assert b"Adaeze" not in b"".join(
        bytes(row[0]) for row in connection.execute("select ct from console.event_value")
    )


def test_places_and_the_tree_are_given_by_functions_alone(connection: "psycopg.Connection[Any]") -> None:
    assert connection.execute("select console.sequence(2)").fetchone() == (2,)
    assert connection.execute("select console.sequence(10)").fetchone() == (1,)
    found = connection.execute(
        "select pos, kind, actor, run, origin from console.activity order by pos"
    ).fetchall()
    assert found == [(pos, "process_started", "sys_cli", "sys:config", "system") for pos in (1, 2, 3)]
    assert connection.execute("select console.grow_tree()").fetchone() == (3,)
    assert connection.execute("select console.grow_tree(true)").fetchone() == (3,)
    for statement in (
        "insert into console.activity select 9, event, now() from console.activity",
        "update console.activity set actor = 'usr_other'",
        "delete from console.activity",
        "truncate console.activity",
        "update console.tile set hashes = hashes",
        "insert into console.tile values (0, 9, '')",
        "delete from console.tile",
    ):
        assert refused(connection, statement) == "InsufficientPrivilege", statement


def test_appending_in_ones_own_transaction_comes_and_goes_with_it(
    connection: "psycopg.Connection[Any]", clean: Any
) -> None:
    from console.infra import db

    links = chained([Fact(uuid7_text(), "process_started", datetime.now(UTC), {})], "sys:t", 0, b"", FRAME)
    with db.transaction() as open_one:
        assert write("sys:t", 0, links, connection=open_one) == 1
        assert events_of("sys:t") == [], "not before the commit"
        open_one.rollback()
    assert events_of("sys:t") == []
    with db.transaction() as open_one:
        write("sys:t", 0, links, connection=open_one)
    assert [event.leaf for event in events_of("sys:t")] == [links[0].leaf]
    assert body.leaf(links[0].body) == links[0].leaf
    with pytest.raises(Moved):
        write("sys:t", 0, links)
