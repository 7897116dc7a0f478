"""Whatever somebody with all rights on the database does to the log is named, in the same minute, wherever who runs the console looks; what only follows from it is made anew."""

import io
import json
import random
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner

from console import log, runs
from console.activity import integrity, sequencing
from console.auth import accounts
from console.commands.rebuild import rebuild
from console.commands.verify import verify
from console.core.actor import Actor
from console.core.errors import ConsoleError
from console.infra.db import engine, fetch
from console.log import guards, recheck, tree_heads
from console.operations import doctor, erasure, status
from console.work import notices
from tests.company import Company
from tests.conftest import Companies, web_app
from tests.databases import Server
from tests.log.growing import Memory, Tiles

pytestmark = pytest.mark.slow

CLI = Actor("system", "sys_cli", "Command line", session="sys:config")
QUIET = "set session_replication_role = replica;" + "".join(
    f"alter table console.{table} disable trigger user;" for table in ("event", "event_value", "checkpoint")
)
LOUD = "".join(
    f"alter table console.{table} enable always trigger {name};"
    for table in ("event", "event_value", "checkpoint")
    for name in guards.REFUSING[table]
)
AT_9 = "(select event from console.activity where pos = 9)"
MINUTE = "convert_to(regexp_replace(convert_from(body, 'UTF8'), '(\"at\":\"[0-9-]+T)[0-9][0-9]', '\\1' || case when convert_from(body, 'UTF8') ~ '\"at\":\"[0-9-]+T00' then '01' else '00' end), 'UTF8')"
HASHED = f"body = {MINUTE}, leaf = sha256('\\x00'::bytea || {MINUTE})"
VALUED = "(select v.event from console.event_value v join console.activity a on a.event = v.event order by a.pos limit 1)"

Forge = Callable[[str], None]


@pytest.fixture(scope="module")
def template_used(companies: Companies) -> None:
    """A company whose log holds two runs and the beginning of a third, signed several times and looked at."""
    with companies.furnished("integrity") as company:
        company.finished("1")
        sequencing.sequence_and_sign()
        company.finished("2")
        sequencing.sequence_and_sign()
        company.at("note", "3")
        sequencing.sequence_and_sign()
        assert integrity.look() is None


@pytest.fixture(name="used")
def fixture_used(companies: Companies, template_used: None) -> Iterator[Company]:
    """That company."""
    with companies.lent("integrity") as company:
        yield company


@pytest.fixture(name="forge")
def fixture_forge(used: Company, server: Server) -> Forge:
    """What a superuser can do, the triggers off meanwhile and on again."""

    def do(statements: str) -> None:
        with psycopg.connect(admin(server)) as connection:
            connection.execute((QUIET + statements + ";" + LOUD).encode())

    return do


def admin(server: Server) -> str:
    """The superuser's URL of the database of this moment."""
    return server.pg.url("postgres", str(engine.app_url().database))


KEPT = ("event", "event_value", "activity", "checkpoint", "tile", "log_check")


EVENTS = {
    "an event changed": (
        f"alter table console.event drop constraint event_leaf_is_hash; update console.event set body = {MINUTE} where id = {AT_9}",
        "position 9, run",
    ),
    "an event changed with its hash": (
        f"update console.event set {HASHED} where id = {AT_9}",
        "position 9, run",
    ),
    **{
        f"an event that is {what}, with its hash and its leaf": (
            f"update console.event set body = {bytes_}, leaf = sha256('\\x00'::bytea || {bytes_}) where id = {AT_9};"
            " update console.tile set hashes = overlay(hashes placing (select leaf from console.event where id = "
            + AT_9
            + ") from 1 + 32 * 8) where level = 0 and index = 0",
            "position ",
        )
        for what, bytes_ in {
            "no text": "'\\xff00ff00ff00ff00ff00'::bytea",
            "too deep": "convert_to(repeat('[', 5000) || repeat(']', 5000), 'UTF8')",
            "of another shape": '\'{"at":7,"id":[],"run":{},"type":null,"actor":[],"data":{"sealed":{}}}\'::bytea',
        }.items()
    },
    "an event deleted": (f"delete from console.event where id = {AT_9}", "position 9"),
    "two events exchanged": (
        "update console.event e set body = o.body, leaf = o.leaf from console.event o where (e.id, o.id) in (select a.event, b.event from console.activity a, console.activity b where (a.pos, b.pos) in ((9, 10), (10, 9)))",
        "position 9, run",
    ),
    "the list exchanged": (
        "update console.activity a set event = -b.event from console.activity b where (a.pos, b.pos) in ((9, 10), (10, 9)); update console.activity set event = -event where event < 0",
        "position 9, run",
    ),
    "a row of the list deleted": ("delete from console.activity where pos = 9", "position 9"),
    "a row of the list for no event": (
        "update console.activity set event = 999999 where pos = 9",
        "position 9",
    ),
    "a value changed": (
        f"update console.event_value set ct = set_byte(ct, length(ct) - 1, (get_byte(ct, length(ct) - 1) + 1) % 256) where event = {VALUED}",
        "position ",
    ),
    "a value deleted": (f"delete from console.event_value where event = {VALUED}", "position "),
    "all values deleted": ("delete from console.event_value", "position "),
    "a value called expired": (
        f"update console.event_value set sub = 'expired', ct = '' where event = {VALUED}",
        "position ",
    ),
    "a value of another event": (
        f"update console.event_value v set ct = o.ct, nonce = o.nonce from console.event_value o where v.event = {VALUED} and o.event = (select max(event) from console.event_value)",
        "position ",
    ),
    "an early head deleted": (
        "delete from console.checkpoint where size = (select min(size) from console.checkpoint)",
        "position ",
    ),
    "the newest head deleted": (
        "delete from console.checkpoint where size = (select max(size) from console.checkpoint)",
        "position ",
    ),
    "an early head changed": (
        "update console.checkpoint set note = replace(note, split_part(note, E'\\n', 3), encode(sha256('x'), 'base64')) where size = (select min(size) from console.checkpoint)",
        "position ",
    ),
    "an early note emptied": (
        "update console.checkpoint set note = '' where size = (select min(size) from console.checkpoint)",
        "position ",
    ),
    "the newest note is none": (
        "update console.checkpoint set note = E'garbage\\n\\n—' where size = (select max(size) from console.checkpoint)",
        "position ",
    ),
    "a note of the future": (
        "insert into console.checkpoint (size, note, key, at) select 99999999, note, key, at from console.checkpoint order by size desc limit 1",
        "position ",
    ),
    "all heads deleted": ("delete from console.checkpoint", "position "),
    **{
        f"{column} in the list": (
            f"update console.activity set {column} = {value} where pos = 9",
            "position 9, run",
        )
        for column, value in {
            "at": "at + interval '1 second'",
            "kind": "'record_viewed'",
            "actor": "'usr_other'",
            "team": "'other'",
            "collection": "'other'",
            "record": "'99'",
            "run": "'run_other'",
            "workflow": "'other'",
            "origin": "'key'",
            "label": "'confidential'",
        }.items()
    },
}
"""What is done → the statements, and how the first bad place begins."""


def test_what_was_done_to_the_log_is_named_by_its_place(used: Company, forge: Forge) -> None:
    """By the look of each minute, and by `verify`, which compares the values and the order in its own way."""
    forge(
        "create schema kept;"
        + "".join(f"create table kept.{table} as table console.{table};" for table in KEPT)
    )
    back = "".join(
        f"delete from console.{table}; insert into console.{table} overriding system value table kept.{table};"
        for table in KEPT
    )
    again = "alter table console.event drop constraint if exists event_leaf_is_hash; alter table console.event add constraint event_leaf_is_hash check (leaf = sha256('\\x00'::bytea || body))"
    wrong = {}
    for deed, (statements, place) in EVENTS.items():
        forge(statements)
        found, verified = recheck.check(), "position "
        if "head" not in deed and "of the list" not in deed[:14]:
            told = CliRunner().invoke(verify, []) if "in the list" not in deed else None
            verified = str(recheck.first_problem()) if told is None else told.output
            if told is not None and isinstance(told.exception, Exception):
                verified = told.exception.message if isinstance(told.exception, ConsoleError) else "a trace"
        if (
            not str(found).startswith(place)
            or recheck.state().problem != found
            or not any(
                word in verified
                for word in ("position ", "values.jsonl line ", "checkpoint: ", "proofs.json: ")
            )
        ):
            wrong[deed] = (found, verified)
        forge(back + again)
    assert not wrong, "\n".join(f"{deed}: {told}" for deed, told in wrong.items())
    assert (recheck.check(), bool(used.people)) == (None, True)


def test_an_event_that_nobody_can_read_is_a_sentence_on_every_page_and_in_every_file(
    used: Company, forge: Forge
) -> None:
    """Never a trace: lists and the run say what is wrong, an export leaves with the line as it is, and whoever verifies it is told which."""
    run = log.history("sys:config")[0] and str(
        fetch("select run from console.activity where run like 'run_%%' order by pos limit 1")[0][0]
    )
    place = f"(select id from console.event where run = '{run}' and run_seq = 2)"
    broken = "convert_to(repeat('[', 5000) || repeat(']', 5000), 'UTF8')"
    forge(
        f"update console.event set body = {broken}, leaf = sha256('\\x00'::bytea || {broken}) where id = {place}"
    )
    key = accounts.create_key("reads", used.ada.id).text
    client = web_app().test_client()
    for address in ("/activity-logs?limit=100", f"/runs/{run}/events", f"/runs/{run}/replay?at=3"):
        answer = client.get(f"/api/v1{address}", headers={"Authorization": f"Bearer {key}"})
        assert (answer.status_code, (answer.json or {})["code"]) == (503, "log_damaged"), address
    file = client.get("/api/v1/activity-logs/export?proofs=1", headers={"Authorization": f"Bearer {key}"})
    with zipfile.ZipFile(io.BytesIO(file.data)) as archive:
        assert b"\n" + b"[" * 5000 in archive.read("events.jsonl")
    assert doctor._log().ok is False


def test_damage_is_told_everywhere_once_and_until_it_is_mended(used: Company, forge: Forge) -> None:
    statements, place = EVENTS["actor in the list"]
    forge(statements)
    words = integrity.look()
    assert str(words).startswith(place), words
    assert (web_app().test_client().get("/health").json or {})["log"] == "broken"
    assert b"handrail_log_in_order 0.0" in status.metrics()[0]
    told = doctor._log()
    assert (told.ok, told.message, told.fix) == (False, f"not in order: {words}", "console rebuild")
    text = "The activity log is not in order: look at its proof"
    assert integrity.look() == words
    assert [notice.text for notice in notices.notices_of(used.ines)].count(text) == 1
    assert [event.open for event in log.events_of("sys:config") if event.type == "log_damaged"] == [
        {"position": 9}
    ]
    forge(
        "update console.activity set actor = (convert_from(e.body, 'UTF8')::jsonb->'actor'->>'id') from console.event e where e.id = event and pos = 9"
    )
    assert doctor._log().ok
    assert (web_app().test_client().get("/health").json or {})["log"] == "ok"
    assert integrity.look() is None
    assert b"handrail_log_in_order 1.0" in status.metrics()[0]


GUARDS = {
    **{
        f"{how} {name}": (
            f"alter table console.{table} disable trigger {name}"
            if how == "disabled"
            else f"drop trigger {name} on console.{table}",
            f"the trigger {name} of console.{table}",
        )
        for table, names in guards.REFUSING.items()
        for name in names
        for how in ("disabled", "dropped")
    },
    "enabled for replicas only": (
        "alter table console.event enable replica trigger event_append_only",
        "the trigger event_append_only",
    ),
    "a trigger that fires never": (
        "drop trigger event_append_only on console.event; create trigger event_append_only before update or delete on console.event for each row when (false) execute function console.refuse_change(); alter table console.event enable always trigger event_append_only",
        "the trigger event_append_only",
    ),
    "a trigger for updates only": (
        "drop trigger event_append_only on console.event; create trigger event_append_only before update on console.event for each row execute function console.refuse_change(); alter table console.event enable always trigger event_append_only",
        "the trigger event_append_only",
    ),
    "a function that refuses nothing": (
        "create or replace function console.refuse_change() returns trigger language plpgsql as $$ begin return null; end $$",
        "the function",
    ),
    "a strange trigger": (
        "create trigger zz before insert on console.event for each row execute function console.refuse_change()",
        "the trigger zz of console.event",
    ),
    "a rule": (
        "create rule quiet as on delete to console.event_value do instead nothing",
        "the rule quiet of console.event_value",
    ),
    "no hash is compared": (
        "alter table console.event drop constraint event_leaf_is_hash",
        "the constraint event_leaf_is_hash",
    ),
    "a hash that is not compared with what was there": (
        "alter table console.event drop constraint event_leaf_is_hash; alter table console.event add constraint event_leaf_is_hash check (leaf = sha256('\\x00'::bytea || body)) not valid",
        "the constraint event_leaf_is_hash",
    ),
    "a number twice": ("alter table console.event drop constraint event_once", "the constraint event_once"),
    **{
        f"{act} in {table}": (
            f"grant {act} on console.{table} to console",
            f"the application's role may {act} in console.{table}",
        )
        for table, acts in guards.WITHHELD.items()
        for act in acts
    },
    "one column": (
        "grant update (body) on console.event to console",
        "the application's role may update in console.event",
    ),
    "everybody": (
        "grant delete on console.event to public",
        "the application's role may delete in console.event",
    ),
}


def test_every_guard_that_is_off_is_named_with_its_way_out(used: Company, server: Server) -> None:
    lacking = {}
    assert used.people
    with psycopg.connect(admin(server), autocommit=True) as connection:
        for deed, (statements, words) in GUARDS.items():
            with connection.transaction(force_rollback=True):
                connection.execute(statements.encode())
                found = _missing_within(connection)
                if not any(each.words.startswith(words) for each in found):
                    lacking[deed] = found
                for each in found:
                    if each.mend:
                        connection.execute(each.mend.encode())
                left = [each for each in _missing_within(connection) if each.mend]
                if left:
                    lacking[f"{deed}, after mending"] = left
        assert _missing_within(connection) == []
    assert lacking == {}


def _missing_within(connection: "psycopg.Connection[tuple[Any, ...]]") -> list[guards.Missing]:
    """What the application's role finds missing, in this transaction."""
    connection.execute("set role console")
    row = connection.execute(guards.FOUND.encode(), guards.GIVEN).fetchone()
    connection.execute("reset role")
    assert row
    return guards.missing_guards(*row)


def test_a_guard_that_is_off_is_told_everywhere(used: Company, server: Server) -> None:
    with psycopg.connect(admin(server), autocommit=True) as connection:
        connection.execute("alter table console.event disable trigger event_append_only")
    assert (web_app().test_client().get("/health").json or {})["log"] == "broken"
    assert b"handrail_log_guards_missing 1.0" in status.metrics()[0]
    told = doctor._log()
    assert (
        told.message == "not in order: the trigger event_append_only of console.event does not refuse changes"
    )
    assert integrity.look() == told.message.removeprefix("not in order: ")
    assert used.people
    with psycopg.connect(admin(server), autocommit=True) as connection:
        connection.execute(told.fix.partition("tables: ")[2].partition(". Then")[0].encode())
    assert integrity.look() is None
    assert fetch("select alarm from console.log_check where name = 'new'") == [(None,)]


TREES = {
    "a hash of the lowest level": "update console.tile set hashes = overlay(hashes placing sha256('x') from 1 + 32 * 4) where level = 0",
    "cut off": "update console.tile set hashes = substr(hashes, 1, 64) where level = 0",
    "gone": "delete from console.tile",
    "from the last place on": "update console.tile set hashes = substr(hashes, 1, length(hashes) - 32) || sha256('x') where level = 0",
}


def test_a_tree_that_is_not_what_was_signed_is_made_anew(used: Company, forge: Forge) -> None:
    """By whoever comes first: the look, `seal`, `verify`, `rebuild`. Nothing is signed over a wrong one."""
    ways: list[Callable[[], object]] = [
        integrity.look,
        sequencing.sequence_and_sign,
        lambda: CliRunner().invoke(verify, []),
        lambda: list(integrity.rebuild(CLI)),
    ]
    for deed, statements in TREES.items():
        for way in ways:
            log.note(CLI, "process_started", open={"mode": deed})
            sequencing.catch_up()
            forge(statements)
            way()
            assert tree_heads.leaves_lead(), deed
            sequencing.sequence_and_sign()
            assert integrity.look() is None, deed
    said = CliRunner().invoke(verify, [])
    assert said.exit_code == 0, said.output
    assert {str(event.open) for event in log.events_of("sys:config") if event.type == "log_rebuilt"} == {
        "{'part': 'tree'}"
    }
    assert used.people


def test_what_is_only_new_is_no_difference(used: Company) -> None:
    used.finished("4")
    sequencing.catch_up()
    assert tree_heads.regrown(check=True) is False
    assert CliRunner().invoke(rebuild, ["--check"]).exit_code == 0


def test_a_tree_that_tells_of_an_event_which_is_gone_stays(used: Company, forge: Forge) -> None:
    (size,) = fetch("select max(pos) from console.activity")[0]
    forge("update console.tile set hashes = hashes || sha256('x') where level = 0 and index = 0")
    used.finished("4")
    with pytest.raises(tree_heads.Damaged, match=f"position {size + 1}: "):
        sequencing.sequence_and_sign()
    assert tree_heads.regrown() is False


@pytest.mark.parametrize("deed", ["an event changed with its hash", "an event deleted"])
def test_what_tells_of_damage_stays_as_it_is(used: Company, forge: Forge, deed: str) -> None:
    statements, place = EVENTS[deed]
    forge(statements)
    there = [fetch(f"select * from console.{table} order by 1, 2") for table in ("tile", "activity")]
    assert str(integrity.look()).startswith(place)
    CliRunner().invoke(rebuild, [])
    assert [fetch(f"select * from console.{table} order by 1, 2") for table in ("tile", "activity")] == there
    assert "log_rebuilt" not in {event.type for event in log.events_of("sys:config")}
    assert str(integrity.look()).startswith(place)
    assert used.people


def test_what_was_not_signed_yet_is_no_less_evidence(used: Company, forge: Forge) -> None:
    used.finished("4")
    sequencing.catch_up()
    with tree_heads.grown() as tree:
        size = tree.size
    forge(
        f"update console.event set {HASHED} where id = (select event from console.activity where pos = {size - 1})"
    )
    assert tree_heads.regrown() is False
    with pytest.raises(tree_heads.Damaged, match=f"position {size - 1}: "):
        sequencing.seal()


def test_an_event_that_is_gone_before_it_was_signed_is_named(used: Company, forge: Forge) -> None:
    used.finished("4")
    sequencing.catch_up()
    (size,) = fetch("select max(pos) from console.activity")[0]
    forge(f"delete from console.event where id = (select event from console.activity where pos = {size})")
    with pytest.raises(tree_heads.Damaged, match=f"position {size}: the event is missing"):
        sequencing.seal()


def test_an_event_that_never_got_a_place_is_named(used: Company, forge: Forge) -> None:
    used.finished("4")
    (chain, number) = fetch("select run, run_seq from console.log_pending order by id limit 1")[0]
    forge("delete from console.log_pending where id = (select min(id) from console.log_pending)")
    sequencing.sequence_and_sign()
    assert f"run {chain} event {number}: " in str(integrity.look())


def test_the_list_is_made_anew_on_demand(used: Company, forge: Forge) -> None:
    before = fetch("select * from console.activity order by pos")
    for deed, (statements, _) in EVENTS.items():
        if "list" in deed:
            forge(statements)
            told = [list(integrity.rebuild(CLI, check=check)) for check in (True, False, True)]
            assert told[0] == told[1] != [] == told[2], deed
            assert told[0][0].startswith("position 9: activity: "), told
            assert fetch("select * from console.activity order by pos limit %s", (len(before),)) == before, (
                deed
            )
    forge(EVENTS["team in the list"][0])
    checked = CliRunner().invoke(rebuild, ["--check"])
    assert (checked.exit_code, "position 9: activity: team" in checked.output) == (1, True), checked.output
    assert CliRunner().invoke(rebuild, []).exit_code == 1
    assert integrity.look() is None
    again = CliRunner().invoke(rebuild, ["--check"])
    assert again.exit_code == 0, again.output
    assert CliRunner().invoke(verify, []).exit_code == 0


def test_an_erasure_is_no_damage(used: Company) -> None:
    erasure.erase(used.ines, "customer", "1", "She asked us to.")
    sequencing.sequence_and_sign()
    assert integrity.look() is None
    used.finished("4")
    sequencing.sequence_and_sign()
    assert integrity.look() is None
    assert list(runs.rebuild(check=True)) == []


def test_an_erasure_does_not_hide_what_else_is_gone(used: Company, forge: Forge) -> None:
    erasure.erase(used.ines, "customer", "1", "She asked us to.")
    sequencing.sequence_and_sign()
    assert integrity.look() is None
    forge("delete from console.event_value")
    assert "no event after them tells of" in str(integrity.look())


def test_rounds_in_parts_find_the_same(used: Company, forge: Forge, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recheck, "PART", 7)
    monkeypatch.setattr(recheck, "AT_ONCE", 3)
    erasure.erase(used.ines, "customer", "1", "She asked us to.")
    sequencing.sequence_and_sign()
    size = tree_heads.newest_size()
    assert [integrity.look() for _ in range(2 * size // 7 + 2)] == [None] * (2 * size // 7 + 2)
    forge(
        f"delete from console.event_value where event = (select max(event) from console.event_value where event < (select event from console.activity where pos = {size}))"
    )
    found = [integrity.look() for _ in range(2 * size // 7 + 2)]
    assert any("no event after them tells of" in str(words) for words in found)


def test_the_server_grows_the_tree_as_a_plain_program_does(used: Company, forge: Forge) -> None:
    """Sizes around whole tiles of two levels, grown in steps of chance."""
    events = "insert into console.event (run, run_seq, leaf, body) overriding user value select 'run_x', n, sha256('\\x00'::bytea || b), b from generate_series({first}, {last}) n, lateral (select convert_to(n::text, 'UTF8') as b) o"
    listed = "insert into console.activity (pos, event, at, kind, run, origin) select (select max(pos) from console.activity) + row_number() over (order by e.run_seq), e.id, now(), 'x', 'run_x', 'system' from console.event e where run = 'run_x' and run_seq between {first} and {last}"
    drawn, stack, done = random.Random(3), Tiles(Memory()), 0
    with tree_heads.grown() as tree:
        base = tree.size
    stack.append(
        [
            bytes(row[0])
            for row in fetch(
                "select e.leaf from console.activity a join console.event e on e.id = a.event order by pos"
            )
        ]
    )
    for upto in (
        255 - base,
        256 - base,
        257 - base,
        513,
        *sorted(drawn.sample(range(600, 5_000), 4)),
        65_536 - base,
        65_600,
    ):
        forge((events + ";" + listed).format(first=done + 1, last=upto))
        with tree_heads.grown() as tree:
            stack.append(
                [
                    bytes(row[0])
                    for row in fetch(
                        "select leaf from console.event where run = 'run_x' and run_seq > %s order by run_seq",
                        (done,),
                    )
                ]
            )
            assert (tree.size, tree.root()) == (stack.size, stack.root())
        done = upto
    kept = {
        (level, index): bytes(hashes)
        for level, index, hashes in fetch("select level, index, hashes from console.tile")
    }
    assert kept == dict(stack.store)
    assert used.people


def test_what_health_and_metrics_ask_costs_the_same_however_long_the_log_is(used: Company) -> None:
    plans = [json.dumps(fetch("explain (format json) " + guards.FOUND, guards.GIVEN)[0][0])]
    assert [
        name
        for name in ("event", "activity", "tile", "event_value")
        if f'"Relation Name": "{name}"' in plans[0]
    ] == []
    assert used.people
