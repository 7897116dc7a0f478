"""The activity log as files: for whom, with what in them, and that every archive proves itself and no forged one does."""

import csv
import io
import json
import threading
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest

from console import activity, log
from console.activity import exports, sequencing
from console.activity.exports import ExportQuery, parse_query
from console.auth import access
from console.core.actor import Actor
from console.core.errors import Conflict, Malformed, NotAllowed
from console.formats.spreadsheets import escape_formula
from console.infra.db import fetch
from console.infra.db.engine import migration_url
from console.infra.db.presence import somebody_works
from console.log import tree_heads, verify
from console.log.event_lists import LogFilter
from console.operations import erasure
from console.operations.worker import Worker
from tests.company import Company
from tests.tables import cases

pytestmark = pytest.mark.slow

TYPED = {
    "values": {"email": "new@customers.example", "tax_id": "IE124"},
    "reason": "=SUM(A1)",
    "screen": {"values": {"tax_id": "IE124"}, "text": "IE124"},
}
ALL_FILES = [
    "events.jsonl",
    "values.jsonl",
    "proofs.json",
    "leaves",
    "checkpoint",
    "key",
    "verify.py",
    "README.txt",
]


@dataclass
class Archive:
    """An exported archive, by its files; each forgery changes some of them."""

    files: dict[str, bytes]

    @classmethod
    def of(cls, actor: Actor, wanted: ExportQuery) -> "Archive":
        data = b"".join(exports.begin(actor, wanted, ready=sequencing.sequence_and_sign).parts())
        with zipfile.ZipFile(io.BytesIO(data)) as made:
            assert made.testzip() is None
            assert made.namelist() == ALL_FILES
            return cls({name: made.read(name) for name in made.namelist()})

    def lines(self, name: str = "events.jsonl") -> list[Any]:
        return [json.loads(line) for line in self.files[name].splitlines()]

    @property
    def proofs(self) -> Any:
        return json.loads(self.files["proofs.json"])

    def but(self, **files: bytes) -> "Archive":
        """The archive with other files: `events_jsonl=…`."""
        return Archive(self.files | {name.replace("_", ".", 1): data for name, data in files.items()})

    def verified(self, folder: Path, *arguments: str) -> tuple[int, str]:
        """(exit code, words) of the verifier."""
        folder = folder / "export"
        folder.mkdir(exist_ok=True)
        for name, data in self.files.items():
            (folder / name).write_bytes(data)
        try:
            return 0, verify.verify(
                folder, [str(tree_heads.verifier_key())], Path(arguments[0]) if arguments else None
            )
        except verify.Fault as fault:
            return 1, str(fault)


@pytest.fixture(name="told")
def fixture_told(company: Company) -> Company:
    """Runs on records of two desks, and a change of a record in which a field stands that operators may not read."""
    company.finished("1")
    company.at("note", "2")
    company.at("note", "3", "olivia")
    log.note(
        company.olivia,
        "record_changed",
        open={"fields": ["email"]},
        sealed=TYPED,
        collection="customer",
        record="1",
    )
    log.note(
        company.olivia,
        "record_changed",
        sealed={"values": {"email": "a@b.c"}},
        collection="customer",
        record="3",
    )
    log.note(
        company.olivia, "record_listed", open={"count": 2}, sealed={"keys": ["1", "3"]}, collection="customer"
    )
    log.note(
        company.stan,
        "record_listed",
        open={"count": 0},
        sealed={"q": "x"},
        collection="account",
        team="procurement",
    )
    sequencing.catch_up()
    return company


@pytest.fixture(name="tom")
def fixture_tom(told: Company) -> Actor:
    """One who may read and export the log of Operations, records of the desk "retail" alone, and no tax id."""
    access.grant("watcher", "activity", ["read", "export"], team="operations")
    access.assign(told.tom.id, [("operator", "operations"), ("watcher", "operations")])
    return told.tom


def found_by(actor: Actor, where: LogFilter = LogFilter()) -> list[Any]:  # noqa: B008
    """What `GET /activity-logs` shows, oldest first."""
    found, after = list[Any](), None
    while True:
        page = activity.page(actor, where, 100, after)
        found += [row.json for row in page.rows]
        if (after := page.next) is None:
            return found[::-1]


# Who, and what is in it.


def test_who_may_read_everything_gets_everything(told: Company, tmp_path: Path) -> None:
    for reader in (told.ada, Actor("system", "sys_cli", "Command line", session="sys:config")):
        made = Archive.of(reader, ExportQuery(proofs=True))
        rows = fetch(
            "select e.body from console.activity a join console.event e on e.id = a.event order by a.pos"
        )
        proofs = made.proofs
        assert made.files["events.jsonl"] == b"".join(
            bytes(body) + b"\n" for (body,) in rows[: proofs["size"]]
        )
        assert proofs | {"size": 0} == {
            "size": 0,
            "complete": True,
            "positions": None,
            "inclusion": None,
            "consistency": None,
        }
        code, words = made.verified(tmp_path)
        assert code == 0, words
        assert f"verified {proofs['size']} events, complete" in words
        assert ", 0 masked" in words
        assert (
            f"every event of the activity log, as far as the signed file `checkpoint` goes: {proofs['size']} events"
            in made.files["README.txt"].decode()
        )


def test_the_export_is_an_event_before_its_first_byte(told: Company) -> None:
    where = LogFilter(user=told.olivia.id, kinds=("run_started",))
    exports.begin(
        told.ada, ExportQuery(where, proofs=True, since=1), ready=sequencing.sequence_and_sign
    )  # not a byte of it is read
    exports.begin(told.ada, ExportQuery(form="csv"), ready=sequencing.catch_up)
    first, second = (event for event in log.events_of("ses_ada") if event.type == "log_exported")
    assert first.open == {
        "format": "zip",
        "size": tree_heads.newest_size(),
        "proofs": True,
        "filters": ["kinds", "user"],
    }
    assert first.values == {"filter": {"user": told.olivia.id, "kinds": ["run_started"]}}
    assert (second.open["format"], second.open["proofs"], second.open["filters"], second.values) == (
        "csv",
        False,
        [],
        {},
    )


def test_nobody_without_both_rights_exports_anything(told: Company) -> None:
    access.grant("sender", "activity", ["export"], team="operations")
    access.assign(told.rosa.id, [("sender", "operations")])
    for name in ("olivia", "mona", "stan", "ines", "rosa"):
        for wanted in (ExportQuery(), ExportQuery(form="csv"), ExportQuery(proofs=True)):
            with pytest.raises(NotAllowed):
                exports.begin(
                    told.people[name], wanted, ready=lambda: pytest.fail("the log was touched for a stranger")
                )
    assert fetch("select count(*) from console.activity where kind = 'log_exported'") == [(0,)]


def test_a_reader_of_a_part_gets_what_they_find_and_can_prove_it(tom: Actor, tmp_path: Path) -> None:
    made = Archive.of(tom, ExportQuery(proofs=True))
    size = made.proofs["size"]
    expected = [event for event in found_by(tom) if event["pos"] <= size]
    assert [event["id"] for event in made.lines()] == [event["id"] for event in expected]
    assert made.proofs["positions"] == [event["pos"] for event in expected]
    assert 0 < len(expected) < size
    assert {event["record"] for event in expected} == {"1", "2", None}
    code, words = made.verified(tmp_path)
    assert code == 0, words
    assert f"verified {len(expected)} events, chosen from {size}; " in words
    for form in ("jsonl", "csv"):
        data = b"".join(exports.begin(tom, ExportQuery(form=form), ready=sequencing.catch_up).parts())
        ids = (
            [row["id"] for row in csv.DictReader(io.StringIO(data.decode()))]
            if form == "csv"
            else [json.loads(line)["id"] for line in data.splitlines()]
        )
        assert ids[: len(expected)] == [event["id"] for event in expected]


def test_values_are_those_that_this_reader_may_see(tom: Actor, told: Company) -> None:
    def values(reader: Actor, kind: str, record: str | None) -> dict[str, Any]:
        made = Archive.of(
            reader,
            ExportQuery(LogFilter(kinds=(kind,), collection="customer", record=record or ""), proofs=True),
        )
        return {line["name"]: line.get("value", line.get("missing")) for line in made.lines("values.jsonl")}

    whole = {
        "values/email": "new@customers.example",
        "values/tax_id": "IE124",
        "reason": "=SUM(A1)",
        "screen": TYPED["screen"],
    }
    assert values(told.ada, "record_changed", "1") == whole
    assert values(tom, "record_changed", "1") == whole | {"values/tax_id": "masked", "screen": "masked"}
    assert values(told.ada, "record_listed", None) == {"keys": ["1", "3"]}
    assert values(tom, "record_listed", None) == {"keys": "masked"}, (
        "a list names records of other people's scope too"
    )


def test_whose_limits_leave_nothing_out_has_the_whole(company: Company) -> None:
    access.grant("examiner", "activity", ["read", "export"])
    access.grant("examiner", "workflow:*", ["see"])
    access.grant("examiner", "collection:customer", ["read"])
    access.assign(company.rosa.id, [("examiner", "*")])
    company.finished("1")
    wanted = ExportQuery(LogFilter(gte=log.now().replace(year=2020)), proofs=True)
    assert Archive.of(company.rosa, ExportQuery(proofs=True)).proofs["complete"] is True
    assert Archive.of(company.rosa, wanted).proofs["complete"] is False, (
        "what was asked for is a part, even where all of it fits"
    )
    log.note(company.stan, "record_listed", open={"count": 0}, collection="account")
    assert Archive.of(company.rosa, ExportQuery(proofs=True)).proofs["complete"] is False, (
        "there is something that she may not find"
    )
    assert Archive.of(company.ada, ExportQuery(proofs=True)).proofs["complete"] is True


@pytest.mark.parametrize("page", [1, 3, 7])
def test_pages_of_any_size_give_the_same_file(
    tom: Actor, told: Company, monkeypatch: pytest.MonkeyPatch, page: int
) -> None:
    def bodies(reader: Actor, wanted: ExportQuery) -> bytes:
        made = exports.begin(reader, wanted, ready=sequencing.catch_up)
        made.upto = size
        return b"".join(made.parts())

    sequencing.sequence_and_sign()
    size = tree_heads.newest_size()
    before = [
        (reader, wanted, bodies(reader, wanted))
        for reader in (tom, told.ada)
        for wanted in (ExportQuery(), ExportQuery(form="csv"))
    ]
    monkeypatch.setattr(exports, "PAGE", page)
    monkeypatch.setattr(exports, "TABLE_PAGE", page)
    monkeypatch.setattr("console.log.bundle.PAGE", page)
    for reader, wanted, whole in before:
        assert bodies(reader, wanted) == whole
    for reader in (tom, told.ada):
        made = Archive.of(reader, ExportQuery(LogFilter(collection="customer"), proofs=True))
        assert (
            len(made.proofs["positions"])
            == len(made.proofs["inclusion"])
            == len(made.lines())
            == len(made.files["leaves"]) // 32
        )


def test_an_export_of_nothing(told: Company, tmp_path: Path) -> None:
    made = Archive.of(told.ada, ExportQuery(LogFilter(user="usr_nobody"), proofs=True))
    assert (made.files["events.jsonl"], made.proofs["positions"], made.proofs["inclusion"]) == (b"", [], [])
    assert made.verified(tmp_path)[1].startswith("verified 0 events, chosen from")
    assert (
        b"".join(
            exports.begin(
                told.ada, ExportQuery(LogFilter(user="usr_nobody")), ready=sequencing.catch_up
            ).parts()
        )
        == b""
    )


# The table.


def test_the_table_is_read_by_any_spreadsheet_and_runs_in_none(tom: Actor, told: Company) -> None:
    log.note(told.olivia, "record_viewed", collection="customer", record="1", open={"tab": 'a "b",\r\nc'})
    log.note(told.ines, "key_created", open={"key": "key_1"}, sealed={"name": "x"}, team="@SUM(1)")
    data = b"".join(exports.begin(told.ada, ExportQuery(form="csv"), ready=sequencing.catch_up).parts())
    assert data.endswith(b"\r\n")
    rows = list(csv.DictReader(io.StringIO(data.decode(), newline="")))
    assert tuple(rows[0]) == exports.COLUMNS
    shown = found_by(told.ada)
    for row, event in zip(rows, shown, strict=False):
        assert (int(row["pos"]), row["id"], row["sentence"], row["run"]) == (
            event["pos"],
            event["id"],
            event["sentence"],
            event["run"] or "",
        )
        assert json.loads(row["data"]) == event["data"]
        assert row["masked"] == " ".join(event["masked"])
    assert "'@SUM(1)" in {row["team"] for row in rows}
    tables = b"".join(
        exports.begin(
            tom, ExportQuery(LogFilter(kinds=("record_changed",)), "csv"), ready=sequencing.catch_up
        ).parts()
    ).decode()
    assert "IE124" not in tables
    assert "data.values.tax_id" in tables


@cases("text", ["=1", "+1", "-1", "@x", "\t=1", "\r=1", "\n=1", "＝1", "＋1", "－1", "＠x"])
def test_no_text_is_a_formula(text: str) -> None:
    assert escape_formula(text) == f"'{text}"
    assert exports._csv([[escape_formula(text), 1, None]]) == f'"\'{text}",1,""\r\n'.encode()


@cases("cell", ["a=1", "", " -", "1", 1, -1, None])
def test_what_is_no_formula_stays_as_it_is(cell: Any) -> None:
    assert escape_formula(cell) == cell


# Heads and what was kept.


def test_before_the_first_head_there_is_no_archive(told: Company) -> None:
    with pytest.raises(Conflict) as refused:
        exports.begin(told.ada, ExportQuery(proofs=True), ready=sequencing.catch_up)
    assert refused.value.code == "not_sealed"
    assert b"".join(exports.begin(told.ada, ExportQuery(), ready=sequencing.catch_up).parts())


@pytest.mark.parametrize(
    "wanted",
    [ExportQuery(proofs=True), ExportQuery(LogFilter(collection="customer"), proofs=True)],
    ids=["complete", "filtered"],
)
def test_the_log_has_only_grown_since_a_checkpoint_that_was_kept(
    told: Company, tmp_path: Path, wanted: ExportQuery
) -> None:
    sequencing.sequence_and_sign()
    size, note, _ = tree_heads.newest() or (0, "", None)
    (tmp_path / "kept.txt").write_text(note)
    told.finished("1", "tom")
    made = Archive.of(told.ada, ExportQuery(wanted.where, proofs=True, since=size))
    assert made.proofs["consistency"]["from"] == size < made.proofs["size"]
    code, words = made.verified(tmp_path, str(tmp_path / "kept.txt"))
    assert (code, "unchanged since" in words) == (0, True), words
    with pytest.raises(Malformed) as wrong:
        exports.begin(told.ada, ExportQuery(proofs=True, since=10**6), ready=sequencing.sequence_and_sign)
    assert wrong.value.details[0]["field"] == "since"
    for since in (0, 5, size, tree_heads.newest_size()):  # and whoever kept none may check it too
        assert (
            Archive.of(told.ada, ExportQuery(wanted.where, proofs=True, since=since)).verified(tmp_path)[0]
            == 0
        )


def test_what_is_erased_after_the_checkpoint_is_masked_and_before_it_erased(
    told: Company, tmp_path: Path
) -> None:
    told.answer(told.at("note", "4"))
    told.finished("1", "tom")
    export = exports.begin(told.ada, ExportQuery(proofs=True), ready=sequencing.sequence_and_sign)
    erasure.erase(told.ines, "customer", "1", "She asked us to.")
    (tmp_path / "a.zip").write_bytes(b"".join(export.parts()))
    key = [str(tree_heads.verifier_key())]
    words = verify.verify(tmp_path / "a.zip", key, None)
    assert " 0 erased" in words
    assert " 0 masked" not in words
    words = Archive.of(told.ada, ExportQuery(proofs=True)).verified(tmp_path)[1]
    assert " 0 erased" not in words
    assert " 0 masked" in words


def test_what_is_erased_after_the_checkpoint_is_not_counted_for_an_erasure_before_it(
    told: Company, tmp_path: Path
) -> None:
    """Whether the second one has its place already or not: no honest archive is called forged."""
    told.finished("4")
    erasure.erase(told.ines, "customer", "1", "She asked us to.")
    one, two = (
        exports.begin(told.ada, ExportQuery(proofs=True), ready=sequencing.sequence_and_sign)
        for _ in range(2)
    )
    erasure.erase(told.ines, "customer", "4", "They too.")
    for export, before in ((one, lambda: None), (two, sequencing.catch_up)):
        before()
        (tmp_path / "a.zip").write_bytes(b"".join(export.parts()))
        words = verify.verify(tmp_path / "a.zip", [str(tree_heads.verifier_key())], None)
        assert " 0 erased" in words
        assert " 0 masked" not in words
    words = Archive.of(told.ada, ExportQuery(proofs=True)).verified(tmp_path)[1]
    assert " 0 erased" not in words
    assert " 0 masked" in words


def test_a_worker_seals_what_an_export_waits_for(told: Company) -> None:
    sequencing.head_asked_for(5.0)
    assert tree_heads.newest() is None, "without a worker nobody waits"
    worker = Worker()
    worker.duties = {"log": [duty for duty in worker.duties["log"] if duty.name == "seal when asked"]}
    thread = threading.Thread(target=worker.run)
    thread.start()
    try:
        while not somebody_works():
            assert thread.is_alive()
        committed = fetch("select count(*) from console.event")[0][0]
        export = exports.begin(
            told.ada, ExportQuery(proofs=True), ready=lambda: sequencing.head_asked_for(60.0)
        )
    finally:
        worker.stop()
        thread.join(60)
    assert export.upto >= committed


# Forged archives.

CUSTOMERS = ExportQuery(LogFilter(collection="customer"), proofs=True)


@pytest.fixture(name="forged")
def fixture_forged(told: Company) -> dict[str, tuple[Archive, str]]:
    """Forged archives of a filtered export, each with what is said of it."""
    made = Archive.of(told.ada, CUSTOMERS)
    lines, values, proofs = (
        made.files["events.jsonl"].splitlines(keepends=True),
        made.files["values.jsonl"].splitlines(keepends=True),
        made.proofs,
    )
    note = made.files["checkpoint"].decode().splitlines()
    other = "A" * 10 + "="
    assert len(lines) > 20

    def events(changed: list[bytes]) -> Archive:
        return made.but(events_jsonl=b"".join(changed))

    def opened(changed: list[bytes]) -> Archive:
        return made.but(values_jsonl=b"".join(changed))

    first = json.loads(values[0])
    return {
        "edited": (
            events([*lines[:4], lines[4].replace(b'"policy":', b'"policy":9'), *lines[5:]]),
            "line 5: edited",
        ),
        "dropped": (events([*lines[:4], *lines[5:]]), "line 5: dropped"),
        "inserted": (events([*lines[:4], lines[1], *lines[4:]]), "line 5: inserted"),
        "reordered": (events([*lines[:4], lines[6], lines[5], lines[4], *lines[7:]]), "line 5: reordered"),
        "truncated": (events(lines[:-1]), f"line {len(lines)}: truncated"),
        "cut": (made.but(events_jsonl=made.files["events.jsonl"][:-5]), f"line {len(lines)}: truncated"),
        "another place": (
            made.but(proofs_json=json.dumps(proofs | {"positions": [1, *proofs["positions"][1:]]}).encode()),
            "line 1: edited",
        ),
        "re-signed": (
            made.but(checkpoint="\n".join([*note[:4], note[4][: -len(other)] + other, ""]).encode()),
            "checkpoint: ",
        ),
        "value changed": (
            opened([json.dumps(first | {"value": "other"}).encode() + b"\n", *values[1:]]),
            "values.jsonl line 1: value changed",
        ),
        "value gone": (opened(values[1:]), "values.jsonl line 1: value missing without a note"),
        "value without reason": (
            opened(
                [
                    json.dumps({"event": first["event"], "missing": "lost", "name": first["name"]}).encode()
                    + b"\n",
                    *values[1:],
                ]
            ),
            "values.jsonl line 1: value missing without a note",
        ),
    }


def test_forged_filtered_archives_are_named_for_what_was_done(
    forged: dict[str, tuple[Archive, str]], tmp_path: Path
) -> None:
    said = {what: archive.verified(tmp_path) for what, (archive, _) in forged.items()}
    assert {
        what: (code, words.startswith(forged[what][1])) for what, (code, words) in said.items()
    } == dict.fromkeys(forged, (1, True)), said


def test_what_a_superuser_took_away_shows_in_a_filtered_archive_too(told: Company, tmp_path: Path) -> None:
    sequencing.sequence_and_sign()
    (row,) = fetch("select pos, event from console.activity where kind = 'record_changed' and record = '1'")
    url = (
        migration_url()
        .set(drivername="postgresql")
        .difference_update_query(["options"])
        .render_as_string(hide_password=False)
    )
    with psycopg.connect(url, autocommit=True) as superuser:
        superuser.execute("alter table console.event disable trigger all")
        superuser.execute("delete from console.event where id = %s", (row[1],))
    made = Archive.of(told.ada, CUSTOMERS)
    code, words = made.verified(tmp_path)
    assert (code, words.split(": ")[1]) == (1, "dropped"), words
    assert made.proofs["positions"][int(words.split(":")[0].removeprefix("line ")) - 1] == row[0]


# What is asked for.


@cases(
    ("query", "field"),
    [
        ([("format", "xml")], "format"),
        ([("format", "zip")], "format"),
        ([("proofs", "yes")], "proofs"),
        ([("since", "3")], "since"),
        ([("since", "-1"), ("proofs", "1")], "since"),
        ([("since", ""), ("proofs", "1")], "since"),
        ([("since", "٣"), ("proofs", "1")], "since"),
        ([("since", "9" * 30), ("proofs", "1")], "since"),
        ([("limit", "3")], "limit"),
        ([("after", "x")], "after"),
        ([("page", "2")], "page"),
        ([("kind", "nonsense")], "kind"),
        ([("createdAt.gte", "yesterday")], "createdAt.gte"),
        ([("user", "a"), ("user", "b")], "user"),
    ],
)
def test_what_cannot_be_is_named(query: list[tuple[str, str]], field: str) -> None:
    with pytest.raises(Malformed) as wrong:
        parse_query(query)
    assert [detail["field"] for detail in wrong.value.details] == [field]


def test_what_can_be_is_read() -> None:
    assert parse_query([]) == ExportQuery()
    assert parse_query([("format", "csv"), ("proofs", "0")]) == ExportQuery(form="csv")
    wanted = parse_query(
        [
            ("format", "csv"),
            ("proofs", "1"),
            ("since", "017"),
            ("kind", "run_started"),
            ("kind", "run_aborted"),
            ("team", ""),
        ]
    )
    assert wanted == ExportQuery(LogFilter(team="", kinds=("run_started", "run_aborted")), "csv", True, 17)
    assert (wanted.kind, ExportQuery().kind, ExportQuery(form="csv").kind) == ("zip", "jsonl", "csv")
