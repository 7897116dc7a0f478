"""Lists of events without a database: what a filter asks of it, cursors, events in the shape of the API, and their sentences."""

import base64
import itertools
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from console import settings
from console.errors import Malformed
from console.log import Stored
from console.log.event_lists import EVERYTHING, LogFilter, Within, _conditions, _limits, cursor, position
from console.log.event_view import DatedNames, _steps, as_json, sentence
from console.sentences import Names, sentence as sentence_of
from tests.tables import cases

AT = datetime(2026, 11, 20, 6, 30, tzinfo=UTC)
MOMENT = "2026-11-20 06:30:00+00:00"
FROM, BEFORE = "pos >= place_of('2026-11-20 05:30:00+00:00')", "pos < place_of('2026-11-20 07:30:00+00:00')"
NAMES = Names(
    people={"usr_1": "Olivia Kask", "usr_2": "Tom Berg"},
    workflows={"wf_1": "KYC review"},
    steps={("wf_1", 2, "decide"): "Operator decision"},
    collections={"customer": "Customer"},
)
DATED = DatedNames((), lambda _: NAMES, lambda _: {})


def sql(conditions: list[sa.ColumnElement[bool]]) -> list[str]:
    """The conditions as PostgreSQL reads them, without the table's name."""
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    texts = [str(one.compile(dialect=dialect, compile_kwargs={"literal_binds": True})) for one in conditions]
    return [" ".join(text.replace("console.", "").replace("activity.", "").replace("%%", "%").split()) for text in texts]


FILTERS: list[tuple[str, LogFilter, list[str]]] = [
    ("anything", LogFilter(), []),
    ("person", LogFilter(user="usr_1"), ["actor = 'usr_1'"]),
    ("no person", LogFilter(user=""), ["actor IS NULL"]),
    ("team", LogFilter(team="growth"), ["team = 'growth'"]),
    ("no team", LogFilter(team=""), ["team IS NULL"]),
    ("collection", LogFilter(collection="customer"), ["collection = 'customer'"]),
    ("no collection", LogFilter(collection=""), ["collection IS NULL"]),
    ("record", LogFilter(record="17"), ["record = '17'"]),
    ("no record", LogFilter(record=""), ["record IS NULL"]),
    ("record of zero", LogFilter(record="0"), ["record = '0'"]),
    ("run", LogFilter(run="run_1"), ["run = 'run_1'"]),
    ("outside runs", LogFilter(run=""), ["run NOT LIKE 'run\\_%'"]),
    ("one kind", LogFilter(kinds=("run_started",)), ["kind = 'run_started'"]),
    ("two kinds", LogFilter(kinds=("a", "b")), ["kind IN ('a', 'b')"]),
    ("after", LogFilter(gt=AT), [f"at > '{MOMENT}'", FROM]),
    ("from", LogFilter(gte=AT), [f"at >= '{MOMENT}'", FROM]),
    ("before", LogFilter(lt=AT), [f"at < '{MOMENT}'", BEFORE]),
    ("up to", LogFilter(lte=AT), [f"at <= '{MOMENT}'", BEFORE]),
    ("between", LogFilter(gte=AT, lt=AT), [f"at >= '{MOMENT}'", f"at < '{MOMENT}'", FROM, BEFORE]),
    ("record of a collection", LogFilter(collection="customer", record="17"), ["collection = 'customer'", "record = '17'"]),
    ("quotes are values", LogFilter(record="1' or '1'='1"), ["record = '1'' or ''1''=''1'"]),
]


@cases(("where", "conditions"), [row[1:] for row in FILTERS], ids=[row[0] for row in FILTERS])
def test_filter_asks_for_exactly_this(where: LogFilter, conditions: list[str]) -> None:
    assert sql(_conditions(where)) == conditions


LIMITS: list[tuple[str, Within, list[str]]] = [
    ("everything", EVERYTHING, []),
    ("teamless says nothing where teams are free", Within(teamless=False), []),
    ("teams", Within(teams=frozenset({"b", "a"})), ["team IS NULL OR team IN ('a', 'b')"]),
    ("teams alone", Within(teams=frozenset({"a"}), teamless=False), ["team IN ('a')"]),
    ("collections", Within(collections=frozenset({"customer"})), ["collection IS NULL OR collection IN ('customer')"]),
    ("workflows", Within(workflows=frozenset({"wf_2", "wf_1"})), ["workflow IS NULL OR workflow IN ('wf_1', 'wf_2')"]),
    ("without", Within(without=frozenset({"log_read"})), ["(kind NOT IN ('log_read'))"]),
    ("nothing left out", Within(without=frozenset()), []),
    ("two", Within(teams=frozenset({"a"}), teamless=False, without=frozenset({"x"})), ["team IN ('a')", "(kind NOT IN ('x'))"]),
]


@cases(("within", "limits"), [row[1:] for row in LIMITS], ids=[row[0] for row in LIMITS])
def test_limits_of_a_reader(within: Within, limits: list[str]) -> None:
    assert sql(_limits(within)) == limits


NONE: frozenset[str] = frozenset()
NARROW: list[tuple[str, Within]] = [
    ("teams", Within(teams=NONE)),
    ("teams, and nothing without a team", Within(teams=NONE, teamless=False)),
    ("collections", Within(collections=NONE)),
    ("workflows", Within(workflows=NONE)),
]


@pytest.mark.parametrize("within", [row[1] for row in NARROW], ids=[row[0] for row in NARROW])
def test_no_team_collection_or_workflow_is_a_limit_too(within: Within) -> None:
    assert len(_limits(within)) == 1


@pytest.fixture(name="secret", scope="module")
def fixture_secret(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A secret key to sign cursors with; no database."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CONSOLE_DATA_DIR", str(tmp_path_factory.mktemp("data")))
        patch.setenv("CONSOLE_SECRET_KEY", "s" * 43)
        for name in ("CONSOLE_MASTER_KEY", "CONSOLE_SIGNING_KEY"):
            patch.setenv(name, base64.urlsafe_b64encode(bytes(32)).decode())
        settings.current.cache_clear()
        yield
    settings.current.cache_clear()


PLACES = [1, 2, 127, 128, 255, 256, 65_535, 65_536, 2**31 - 1, 2**31, 2**32, 2**53, 2**63 - 1]


@pytest.mark.parametrize("pos", PLACES)
def test_cursor_stands_for_its_place(secret: None, pos: int) -> None:
    text = cursor(pos)
    assert position(text) == pos
    assert cursor(pos) == text
    assert len(text) <= 22
    assert "=" not in text


def test_no_two_places_share_a_cursor(secret: None) -> None:
    assert len({cursor(pos) for pos in PLACES}) == len(PLACES)
    assert all(cursor(one)[:10] != cursor(other)[:10] for one, other in itertools.combinations(PLACES, 2))


def raw(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def spelled(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


FORGED: list[tuple[str, Any]] = [
    ("nothing", lambda good: ""),
    ("tag alone", lambda good: spelled(raw(good)[:8])),
    ("number alone", lambda good: spelled(raw(good)[8:])),
    ("tag of zeros", lambda good: spelled(bytes(8) + raw(good)[8:])),
    ("next place under this tag", lambda good: spelled(raw(good)[:-1] + bytes([raw(good)[-1] + 1]))),
    ("leading zero", lambda good: spelled(raw(good)[:8] + b"\x00" + raw(good)[8:])),
    ("nine bytes of number", lambda good: spelled(raw(good)[:8] + bytes(9))),
    ("tag and number swapped", lambda good: spelled(raw(good)[8:] + raw(good)[:8])),
    ("twice", lambda good: good + good),
    ("padded", lambda good: good + "=" * (-len(good) % 4 or 4)),
    ("space before", lambda good: " " + good),
    ("line break after", lambda good: good + "\n"),
    ("other case", lambda good: good.swapcase()),
    ("backwards", lambda good: good[::-1]),
    ("plain number", lambda good: "70000"),
    ("letter outside ASCII", lambda good: good[:-1] + "é"),
    ("NUL", lambda good: good + "\x00"),
    ("very long", lambda good: good * 500),
]


@pytest.mark.parametrize("forge", [row[1] for row in FORGED], ids=[row[0] for row in FORGED])
def test_forged_cursor_is_refused_and_says_which_field(secret: None, forge: Any) -> None:
    with pytest.raises(Malformed) as refused:
        position(forge(cursor(70_000)))
    assert [detail["field"] for detail in refused.value.details] == ["after"]


def test_cursor_of_another_console_is_refused(secret: None) -> None:
    theirs = cursor(17)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CONSOLE_SECRET_KEY", "t" * 43)
        settings.current.cache_clear()
        with pytest.raises(Malformed):
            position(theirs)
    settings.current.cache_clear()
    assert position(theirs) == 17


def stored(opened: dict[str, Any] | None = None, sealed: dict[str, Any] | None = None, gone: tuple[str, ...] = (), **body: Any) -> Stored:
    """A completed step, number 5 of its run, at place 40; `gone` are values that were sealed and are no more."""
    told = {
        "at": "2026-11-20T06:30:00.000000Z",
        "run": "run_1",
        "actor": {"kind": "user", "id": "usr_1", "session": "ses_1", "team": "operations", "roles": []},
        "wf": {"id": "wf_1", "version": 2, "hash": "00"},
        "step": {"id": "decide", "attempt": 2},
        "target": {"source": "s", "coll": "customer", "key": "17"},
        "type": "step_completed",
        "data": {"open": opened or {}, "sealed": dict.fromkeys([*(sealed or {}), *gone], "ab" * 32)},
    } | body
    return Stored(5, "evt_5", 40, str(told["type"]), AT, told, b"\xab" * 32, sealed or {})


PARTS: list[tuple[str, Stored, dict[str, Any]]] = [
    ("place", stored(), {"n": 5, "pos": 40, "id": "evt_5", "kind": "step_completed", "createdAt": "2026-11-20T06:30:00.000000Z"}),
    ("leaf", stored(), {"leaf": "ab" * 32}),
    ("run", stored(), {"run": "run_1", "step": "decide", "attempt": 2, "team": "operations"}),
    ("not of a run", stored(run="ses_1"), {"run": None}),
    ("record", stored(), {"collection": "customer", "record": "17"}),
    ("no step", stored(step=None), {"step": None, "attempt": None}),
    ("no record", stored(target=None), {"collection": None, "record": None}),
    ("person", stored(), {"actor": {"kind": "user", "id": "usr_1", "name": "Olivia Kask"}}),
    ("without a name", stored(actor={"kind": "user", "id": "usr_9"}), {"actor": {"kind": "user", "id": "usr_9", "name": "usr_9"}, "team": None}),
    ("engine", stored(actor={"kind": "system", "id": "sys_engine"}), {"actor": {"kind": "system", "id": "sys_engine", "name": "The engine"}}),
    ("sentence", stored(), {"sentence": "Olivia Kask completed “Operator decision” (attempt 2)"}),
    ("open values", stored({"outcome": "yes"}), {"data": {"outcome": "yes"}, "masked": []}),
    ("sealed values", stored({}, {"values/a": 1, "values/b": 2}), {"data": {"values": {"a": 1, "b": 2}}, "masked": []}),
    ("both", stored({"n": 2}, {"reason": "so"}), {"data": {"n": 2, "reason": "so"}}),
    ("erased", stored({}, {"values/a": 1}, ("values/b",)), {"data": {"values": {"a": 1, "b": None}}, "masked": ["data.values.b"]}),
    ("all erased", stored({"n": 2}, {}, ("reason",)), {"data": {"n": 2, "reason": None}, "masked": ["data.reason"]}),
    ("paths in order", stored({}, {}, ("values/b", "reason", "values/a")), {"masked": ["data.reason", "data.values.a", "data.values.b"]}),
]  # fmt: skip


@cases(("event", "part"), [row[1:] for row in PARTS], ids=[row[0] for row in PARTS])
def test_event_in_the_shape_of_the_api(event: Stored, part: dict[str, Any]) -> None:
    found = as_json(event, DATED, hidden=lambda _: frozenset())
    assert {name: found[name] for name in part} == part
    assert found["sentence"] == sentence(event, DATED)


@cases("event", [row[1] for row in PARTS], ids=[row[0] for row in PARTS])
def test_values_that_are_not_asked_for_are_null_and_named(event: Stored) -> None:
    found = as_json(event, DATED, hidden=lambda _: frozenset(), whole=False)
    assert found["masked"] == sorted("data." + name.replace("/", ".") for name in event.body["data"]["sealed"])
    assert {name: found["data"][name] for name in event.open} == event.open


def hide_email(collection: str | None) -> frozenset[str]:
    """A reader who may not read the customers' email."""
    return frozenset({"email"}) if collection == "customer" else frozenset()


HIDDEN: list[tuple[str, Stored, list[str]]] = [
    ("field of the collection", stored({}, {"values/email": "a", "values/phone": "b"}), ["data.values.email"]),
    ("the same name elsewhere", stored({}, {"values/email": "a"}, target={"source": "s", "coll": "contact", "key": "9"}), []),
    ("no collection", stored({}, {"values/email": "a"}, target=None), []),
    ("change", stored({}, {"request/changes": {"email": {"old": "a", "new": "b"}}}), ["data.request.changes.email"]),
    ("empty already", stored({}, {"values/email": None}), []),
    ("error", stored({}, {"errors": [{"field": "email", "theirs": "x"}]}), ["data.errors.0.theirs"]),
    ("screen and its texts", stored({}, {"screen": {"text": "Hi", "fields": [{"name": "email", "now": "a"}]}}), ["data.screen.fields.0.now", "data.screen.text"]),
    ("screen without it", stored({}, {"screen": {"text": "Hi", "fields": []}}), []),
]  # fmt: skip


@cases(("event", "masked"), [row[1:] for row in HIDDEN], ids=[row[0] for row in HIDDEN])
def test_fields_that_the_reader_may_not_read_are_null_and_named(event: Stored, masked: list[str]) -> None:
    assert as_json(event, DATED, hidden=hide_email)["masked"] == masked


TITLES: list[tuple[str, bytes, dict[str, str]]] = [
    ("titles", b'{"steps":[{"id":"a","title":"A"},{"id":"b","title":"B"}]}', {"a": "A", "b": "B"}),
    ("no title", b'{"steps":[{"id":"a"},{"id":"b","title":null}]}', {"a": "", "b": ""}),
    ("no steps", b"{}", {}),
    ("null steps", b'{"steps":null}', {}),
    ("number as id", b'{"steps":[{"id":1,"title":2}]}', {"1": "2"}),
]


@pytest.mark.parametrize(("document", "titles"), [row[1:] for row in TITLES], ids=[row[0] for row in TITLES])
def test_titles_of_a_version(document: bytes, titles: dict[str, str]) -> None:
    assert _steps(document) == {step: {"title": title, "type": None, "config": {}} for step, title in titles.items()}


LINES: list[tuple[str, dict[str, Any], str]] = [
    ("run_saved", {"reason_code": "idle"}, "Olivia Kask saved KYC review on customer 17 for later: nobody had worked on it for a while"),
    ("run_resumed", {"holder": "usr_1"}, "Olivia Kask resumed KYC review on customer 17"),
    ("run_assigned", {"holder": "usr_2"}, "Olivia Kask assigned KYC review on customer 17 to Tom Berg"),
    ("run_assigned", {}, "Olivia Kask assigned KYC review on customer 17"),
    ("run_failed", {"code": "source_down"}, "KYC review on customer 17 failed: source down"),
    ("step_entered", {}, "KYC review on customer 17 came to “Operator decision” (attempt 2)"),
    ("step_completed", {"handled_manually": True}, "Olivia Kask completed “Operator decision” (attempt 2), handled manually"),
    ("outcome_chosen", {"label": "not_clear"}, "Olivia Kask chose “not clear” at “Operator decision”"),
    ("step_revised", {"cancelled": [3]}, "Olivia Kask revised “Operator decision”, which cancelled 1 attempt"),
    ("effect_succeeded", {"effect_kind": "record_write"}, "The change in customer 17 was made"),
    ("effect_settled", {}, "Olivia Kask settled whether the change in customer 17 was made"),
    ("sign_in_failed", {"reason": "closed", "person": "usr_9"}, "Signing in was refused for usr_9: the account is closed"),
    ("person_changed", {"person": "usr_2"}, "Olivia Kask changed the account of Tom Berg"),
    ("policy_changed", {"removed": 1000}, "Olivia Kask changed the rights: 1,000 rows removed"),
    ("source_added", {}, "Olivia Kask connected a data source"),
    ("log_exported", {}, "Olivia Kask exported the activity log"),
    ("log_read", {"count": 0}, "Olivia Kask read the activity log (0 events)"),
]


@cases(("kind", "opened", "line"), LINES, ids=[f"{row[0]}-{number}" for number, row in enumerate(LINES)])
def test_sentence_of_an_event(kind: str, opened: dict[str, Any], line: str) -> None:
    event = stored(opened, type=kind)
    assert sentence(event, DATED) == sentence_of(event.body, NAMES) == line
