"""Months archived and attached again: what is taken out of lists, that nothing else changes meanwhile, and what is noticed."""

import json
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner, Result

from console import activity, log
from console.activity import archive, exports, integrity, sequencing
from console.auth import accounts
from console.commands.activity import activity as command
from console.commands.rebuild import rebuild
from console.commands.verify import verify
from console.core.actor import COMMAND_LINE
from console.core.events import KINDS
from console.infra.db import engine, fetch
from console.log import event_lists, recheck, tree_heads
from console.log.event_lists import LogFilter
from console.operations import retention
from tests.company import Company
from tests.conftest import Companies, web_app
from tests.databases import Server

pytestmark = pytest.mark.slow
LATER = f"{datetime.now(UTC) + timedelta(days=40):%Y-%m}"
"""After the present month."""


def admin(server: Server) -> str:
    """The superuser's URL of the database of this moment."""
    return server.pg.url("postgres", str(engine.app_url().database))


def call(*arguments: str) -> Result:
    """`console activity …`."""
    return CliRunner().invoke(command, list(arguments))


@pytest.fixture(scope="module")
def template_old(companies: Companies, server: Server) -> None:
    """A company with a month that is over, of runs that have ended and one that has not, and a month that goes on."""
    with companies.furnished("archived") as company:
        for key in ("1", "2"):
            company.finished(key)
        company.at("note", "3")
        for _ in range(40):
            activity.page(company.ada, LogFilter())
        sequencing.catch_up()
        forged(server, f"alter table console.{parts()[-1][0]} rename to activity_2026_03")
        assert sequencing.begin_month()
        for n in range(260):  # the present month begins with a tile
            log.note(COMMAND_LINE, "process_started", open={"mode": str(n)})
        company.finished("4")
        sequencing.sequence_and_sign()
        worker_reads()


@pytest.fixture(name="old")
def fixture_old(companies: Companies, template_old: None) -> Iterator[Company]:
    """That company."""
    with companies.lent("archived") as company:
        yield company


def forged(server: Server, statements: str) -> None:
    """What a superuser can do."""
    with psycopg.connect(admin(server), autocommit=True) as connection:
        connection.execute(statements.encode())


def parts() -> list[Any]:
    """(name, first, last) of the partitions of the list in their order."""
    return fetch("select name, first, last from console.activity_parts()")


def worker_reads() -> None:
    """As the duties of a worker do."""
    fetch(
        "update console.version set number = (select max(pos) from console.activity) where name = any(%s) returning name",
        ([*archive.MARKS],),
    )


def rows() -> list[Any]:
    """The list of the month that is over."""
    return fetch("select * from console.activity where pos <= %s order by pos", (parts()[0][2],))


def exported(query: exports.ExportQuery) -> bytes:
    """The whole file, up to what there is now."""
    return b"".join(exports.begin(COMMAND_LINE, query, ready=lambda: None).parts())


def upto_month(content: bytes) -> list[bytes]:
    """The lines of the month that is over: exports are events themselves."""
    return content.splitlines()[: parts()[0][2]]


def archived(folder: Path) -> Path:
    """The month archived by the command; its file."""
    done = call("archive", "--before", LATER, "--out", str(folder))
    assert done.exit_code == 0, done.output
    return folder / "activity-2026-03.zip"


def in_order() -> None:
    """Nothing is known against the log, by whatever looks at it."""
    sequencing.sequence_and_sign()
    assert integrity.look() is None
    assert recheck.first_problem() is None
    said = CliRunner().invoke(verify, [])
    assert (said.exit_code, said.output[:9]) == (0, "verified "), (said.output, said.exception)
    assert list(integrity.rebuild(COMMAND_LINE, check=True)) == []


RUN_OF = "select distinct run from console.event where run like 'run\\_%%' order by 1"


def told_of_runs() -> list[Any]:
    """Every event of every run, with its place, as replays have it."""
    return [log.events_of(run) for (run,) in fetch(RUN_OF)]


def test_a_month_is_archived_and_attached_and_nothing_else_changes(old: Company, tmp_path: Path) -> None:
    queries = [exports.ExportQuery(), exports.ExportQuery(LogFilter(kinds=("step_completed", "run_read")))]
    before, listed, runs_before = [exported(query) for query in queries], rows(), told_of_runs()
    size = fetch("select pg_total_relation_size('console.activity_2026_03')")[0][0]

    file = archived(tmp_path)

    taken = [row for row in listed if row not in rows()]
    assert len(taken) > 50
    assert {row[3] for row in taken} <= {*archive.TAKEN, *archive.LOOKS}
    assert fetch("select pg_total_relation_size('console.activity_2026_03')")[0][0] < size
    assert [upto_month(exported(queries[0])), told_of_runs()] == [upto_month(before[0]), runs_before]
    assert exported(queries[1]).startswith(before[1])
    shown = activity.page(old.ada, LogFilter(kinds=("step_completed",)), 100)
    (live,) = fetch("select id from console.run where ended_at is null")[0]
    assert {row.json["run"] for row in shown.rows if (row.event.pos or 0) <= parts()[0][2]} == {live}
    assert {row.json["run"] for row in shown.rows} > {live}
    in_order()

    done = call("attach", "2026-03", "--archive", str(file))
    assert (done.exit_code, f"{len(taken):,} rows" in done.output) == (0, True), done.output
    assert rows() == listed
    assert upto_month(exported(queries[0])) == upto_month(before[0])
    in_order()


def test_the_archive_proves_itself_and_holds_no_value(old: Company, tmp_path: Path) -> None:
    file = archived(tmp_path)
    said = CliRunner().invoke(verify, [str(file)])
    assert (said.exit_code, "values: 0 shown" in said.output) == (0, True), said.output
    with zipfile.ZipFile(file) as made:
        lines = made.read("events.jsonl").splitlines()
        values = made.read("values.jsonl")
    assert len(lines) == parts()[0][2]
    assert b"masked" in values
    assert {*map(frozenset, map(json.loads, values.splitlines()))} == {
        frozenset({"event", "missing", "name"})
    }
    assert old


def test_a_preview_changes_nothing(old: Company, tmp_path: Path) -> None:
    before = fetch("select max(id) from console.event"), rows()
    done = call("archive", "--before", LATER, "--out", str(tmp_path / "new"), "--dry-run")
    assert (done.exit_code, done.output.startswith("2026-03: 256 events")) == (0, True), done.output
    assert (fetch("select max(id) from console.event"), rows()) == before
    assert not (tmp_path / "new").exists()
    assert call("archive", "--before", "2026-03", "--out", str(tmp_path)).output.startswith("No month")
    assert old


def test_what_is_decided_by_the_list_stays_in_it(old: Company, tmp_path: Path, server: Server) -> None:
    """Whose keys they are, who was erased, what was decided: every kind but those that lead to another; and everything of a run that has not ended."""
    live = fetch("select id from console.run where ended_at is null")
    before = rows()
    archived(tmp_path)
    left = rows()
    kept = [row for row in before if row[3] not in {*archive.TAKEN, *archive.LOOKS} or (row[8],) in live]
    assert [row for row in kept if row not in left] == []
    assert len(live) == 1
    assert old


READERS = {
    "event_awaited": "console/automation/triggers/event_waits.py asks for runs that have not ended",
    "record_viewed": "console/browse/pins.py shows the newest that somebody looked at",
}
"""Kinds that are taken away, and yet looked up in the list → why that is right."""


def test_no_kind_is_taken_away_that_is_looked_up_in_the_list() -> None:
    sources = [
        path.read_text(encoding="utf-8")
        for path in Path("console").rglob("*.py")
        if "archive" not in path.name
    ]
    asking = [text for text in sources if "console.activity a" in text or "console.activity where" in text]
    looked_up = {kind for kind in KINDS for text in asking if f"'{kind}'" in text}
    assert len(looked_up) > 15
    assert looked_up & {*archive.TAKEN, *archive.LOOKS} == READERS.keys()
    limited = {kind for _, kinds in retention.CATEGORIES.values() for kind in kinds}
    from console.monitoring.reports.tables.what_was_decided import MATTERS

    assert not {kind for kinds in MATTERS.values() for kind in kinds} & {*archive.TAKEN, *archive.LOOKS}
    assert limited & {*archive.LOOKS} == {*archive.LOOKS}


def test_the_next_event_gets_the_next_place_whatever_was_taken_away(old: Company, server: Server) -> None:
    """The newest row of the list says how far places go."""
    size = event_lists.reached().pos
    kinds = "array(select distinct kind from console.activity)"
    forged(server, f"select console.archive_places(1, 1000000, {kinds}, {kinds})")
    assert event_lists.reached().pos == size
    log.note(COMMAND_LINE, "process_started", open={"mode": "web"})
    sequencing.catch_up()
    assert fetch(
        "select count(*), count(distinct event), min(pos), max(pos) from console.places(1, 1000000)"
    ) == [(size + 1, size + 1, 1, size + 1)]
    assert fetch("select kind from console.activity where pos = 1")
    assert old


def test_pages_and_programs_are_told_which_months_are_archived(old: Company, tmp_path: Path) -> None:
    key = accounts.create_key("reads", old.ada.id).text
    client, headers = web_app().test_client(), {"Authorization": f"Bearer {key}"}

    def told() -> list[str]:
        return list((client.get("/api/v1/activity-logs", headers=headers).json or {})["archived"])

    assert told() == []
    archived(tmp_path)
    assert told() == ["2026-03"]
    run = str(
        fetch("select id from console.run where ended_at is not null order by created_at limit 1")[0][0]
    )
    replayed = client.get(f"/api/v1/runs/{run}/replay?at=3", headers=headers)
    assert (replayed.status_code, bool((replayed.json or {})["event"])) == (200, True)
    page = client.get(f"/api/v1/activity-logs/export?run={run}", headers=headers)
    assert (
        len(page.data.splitlines())
        == fetch("select count(*) from console.event where run = %s", (run,))[0][0]
    )


POINTS = ("archive.written", "archive.noted", "archive.moved")


@pytest.mark.parametrize("point", POINTS)
def test_broken_off_anywhere_it_goes_on(
    old: Company, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    monkeypatch.setattr(archive, "AT_ONCE", 256)
    listed, whole = rows(), upto_month(exported(exports.ExportQuery()))
    monkeypatch.setenv("HANDRAIL_FAULT", f"{point}=raise@1")
    assert call("archive", "--before", LATER, "--out", str(tmp_path)).exit_code == 1
    monkeypatch.delenv("HANDRAIL_FAULT")
    in_order()
    assert upto_month(exported(exports.ExportQuery())) == whole
    archived(tmp_path)
    in_order()
    assert fetch("select count(*) from console.activity where kind = 'activity_archived'") == [(1,)]
    monkeypatch.setenv("HANDRAIL_FAULT", "archive.moved=raise@1")
    assert call("attach", "2026-03").exit_code == 1
    monkeypatch.delenv("HANDRAIL_FAULT")
    in_order()
    assert call("attach", "2026-03").exit_code == 0
    assert rows() == listed
    in_order()
    assert old


def test_who_reads_the_list_for_long_is_not_waited_for(
    old: Company, tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A backup, say: lists would wait behind us for its end. The rows are out, and their space comes with the next try."""
    with psycopg.connect(admin(server)) as reading:
        reading.execute("select count(*) from console.activity_2026_03")
        done = call("archive", "--before", LATER, "--out", str(tmp_path))
        assert "its space not given back" in getattr(done.exception, "message", "")
    assert fetch("select from console.archived_place limit 1")
    size = "select pg_total_relation_size('console.activity_2026_03')"
    before = fetch(size)[0][0]
    monkeypatch.setattr(archive, "LITTLE", -(1 << 30))  # it is a small one
    archived(tmp_path)
    assert fetch(size)[0][0] < before
    in_order()
    assert old


def test_another_archive_is_refused(old: Company, tmp_path: Path) -> None:
    file = archived(tmp_path)
    forged_file = tmp_path / "forged.zip"
    with zipfile.ZipFile(file) as made, zipfile.ZipFile(forged_file, "w") as other:
        for name in made.namelist():
            content = made.read(name)
            other.writestr(
                name,
                content.replace(b"step_completed", b"step_submitted") if name == "events.jsonl" else content,
            )
    other_file = tmp_path / "other.zip"
    other_file.write_bytes(exported(exports.ExportQuery(proofs=True)))
    (tmp_path / "none.zip").write_bytes(b"not a zip file")
    left = rows()
    for given, words in (
        (forged_file, "is no archive of 2026-03 of this log. line"),
        (other_file, "not the archive of 2026-03 that the log tells of"),
        (tmp_path / "none.zip", "is no archive of 2026-03 of this log"),
    ):
        done = call("attach", "2026-03", "--archive", str(given))
        assert (done.exit_code, words in getattr(done.exception, "message", "")) == (1, True), (
            words,
            str(done.exception),
        )
    assert rows() == left
    assert call("attach", "2026-01").exit_code == 2
    assert old


def test_an_archive_of_another_log_is_refused(
    old: Company, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = archived(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(tree_heads, "verifier_keys", lambda: ["elsewhere+5bd1a50c+AQ" + "A" * 42])
        done = call("attach", "2026-03", "--archive", str(file))
    assert done.exit_code == 1
    assert old


FORGED = {
    "an archived event deleted": (
        "alter table console.event disable trigger user; delete from console.event where id = (select event from console.archived(1, 256) order by pos limit 1)",
        "position ",
    ),
    "an archived event that nobody can read": (
        """alter table console.event disable trigger user; alter table console.event drop constraint event_leaf_is_hash;
        update console.event set body = '\\xff00ff00' where id = (select event from console.archived(1, 256) order by pos limit 1)""",
        "position ",
    ),
    "an archived place emptied": (
        "update console.archived_place set events[(select (pos - 1) % 256 + 1 from console.archived(1, 256) order by pos limit 1)] = 0 where index = 0",
        "position ",
    ),
    "two archived places exchanged": (
        """with two as (select pos, event from console.archived(1, 256) order by pos limit 2), of as (select min(pos) as a, max(pos) as b from two)
        update console.archived_place set events[(select a from of)] = (select event from two order by pos desc limit 1),
        events[(select b from of)] = (select event from two order by pos limit 1) where index = 0""",
        "position ",
    ),
    "a row hidden in the present month": (
        """with gone as (delete from console.activity where pos = 300 returning pos, event) insert into console.archived_place (index, events, span)
        select 1, array(select case when n = 44 then event else 0 end from generate_series(1, 256) n), int8range(event, event, '[]') from gone""",
        "position 300: the event is missing from the list, and no event says that it was archived",
    ),
    "a row deleted that was not archived": (
        "delete from console.activity where pos = 1",
        "position 1: the event is missing",
    ),
}


@pytest.mark.parametrize("deed", FORGED)
def test_what_somebody_changes_while_a_month_is_archived_is_noticed(
    old: Company, tmp_path: Path, server: Server, deed: str
) -> None:
    archived(tmp_path)
    in_order()
    statements, words = FORGED[deed]
    forged(server, statements)
    assert str(recheck.first_problem()).startswith(words)
    assert str(integrity.look()).startswith(words)
    said = CliRunner().invoke(verify, [])
    assert (said.exit_code, said.output.startswith(("position ", "line "))) == (1, True), said.output
    assert old


def test_a_list_without_its_archived_rows_is_made_anew(old: Company, tmp_path: Path, server: Server) -> None:
    archived(tmp_path)
    sequencing.sequence_and_sign()
    forged(server, FORGED["two archived places exchanged"][0])
    forged(server, "delete from console.activity where pos = 1")
    assert CliRunner().invoke(rebuild, []).exit_code == 1
    in_order()
    assert old


def test_values_of_archived_events_expire_as_others(old: Company, tmp_path: Path) -> None:
    later = datetime.now(UTC) + timedelta(days=400)
    limits = engine.settings.current().keep_days
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(retention, "_limits", lambda: dict.fromkeys(limits, 365))
        due = {each.category: each.events for each in retention.due_deletions(later)}
        archived(tmp_path)
        assert {each.category: each.events for each in retention.due_deletions(later)} == {
            **due,
            "looks": due["looks"],
        }
        retention.expire(later)
        assert sum(each.events for each in retention.due_deletions(later)) == 0
    in_order()
    assert old


def test_a_month_that_no_worker_has_read_is_not_archived(old: Company, tmp_path: Path) -> None:
    fetch("update console.version set number = 3 where name = 'failures' returning 1")
    done = call("archive", "--before", LATER, "--out", str(tmp_path))
    assert done.exit_code == 1
    assert not fetch("select from console.archived_place")
    assert old
