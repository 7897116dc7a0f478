"""Pages of the whole log: by place and never by order of writing, exact filters, cursors that nobody can make up."""

import base64
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from hypothesis import given, strategies as st

from console.activity import sequencing
from console.core.errors import Malformed
from console.infra import settings
from console.infra.db.engine import hot_engine
from console.log import Fact, Frame, chained, write
from console.log.event_lists import EVERYTHING, LogFilter, Within, cursor, position, reached, rows
from tests.conftest import Database

START = datetime(2026, 11, 20, 6, 30, tzinfo=UTC)


def put(
    number: int,
    kind: str,
    *,
    run: str = "run_a",
    seq: int,
    head: bytes = b"",
    user: str = "usr_1",
    team: str | None = "operations",
    coll: str | None = "customer",
    key: str | None = "17",
    workflow: str | None = "wf_1",
) -> bytes:
    """Write one event, `number` seconds after the start, and answer its hash."""
    actor: dict[str, Any] = {"kind": "user", "id": user, "session": "ses_1", "team": team, "roles": []}
    target = {"source": "s", "coll": coll, "key": key} if coll else None
    frame = Frame(actor, 1, {"id": workflow, "version": 1, "hash": ""} if workflow else None, target)
    links = chained(
        [
            Fact(
                f"0193463c-0000-7000-8000-{number:012d}",
                kind,
                START + timedelta(seconds=number),
                {"count": number},
            )
        ],
        run,
        seq,
        head,
        frame,
    )
    write(run, seq, links)
    return links[0].leaf


@pytest.fixture(name="told")
def fixture_told(clean: object) -> list[int]:
    """Ten events of two runs and a session, placed in the order of their numbers 1 … 10; the numbers."""
    a = put(1, "run_started", seq=0)
    b = put(
        2,
        "run_started",
        run="run_b",
        seq=0,
        user="usr_2",
        team="growth",
        coll="contact",
        key="9",
        workflow="wf_2",
    )
    a = put(3, "step_entered", seq=1, head=a)
    s = put(4, "record_viewed", run="ses_1", seq=0, workflow=None)
    b = put(
        5,
        "step_completed",
        run="run_b",
        seq=1,
        head=b,
        user="usr_2",
        team="growth",
        coll="contact",
        key="9",
        workflow="wf_2",
    )
    a = put(6, "step_completed", seq=2, head=a, user="usr_3")
    s = put(7, "signed_out", run="ses_1", seq=1, head=s, workflow=None, coll=None, team=None)
    a = put(8, "run_completed", seq=3, head=a)
    s = put(9, "record_viewed", run="ses_1", seq=2, head=s, workflow=None, key="a/b %")
    put(10, "record_listed", run="ses_1", seq=3, head=s, workflow=None, key=None)
    assert sequencing.catch_up() == 10
    return list(range(1, 11))


def numbers(found: Sequence[Any]) -> list[int]:
    """The numbers that the events were written with, in the order of the page."""
    return [int(bytes(row.body).partition(b'"count":')[2].split(b"}")[0]) for row in found]


def at(seconds: int) -> datetime:
    return START + timedelta(seconds=seconds)


FILTERS: list[tuple[LogFilter, list[int]]] = [
    (LogFilter(), [10, 9, 8, 7, 6, 5, 4, 3, 2, 1]),
    (LogFilter(user="usr_2"), [5, 2]),
    (LogFilter(user="usr_nobody"), []),
    (LogFilter(team="growth"), [5, 2]),
    (LogFilter(team=""), [7]),
    (LogFilter(collection="customer"), [10, 9, 8, 6, 4, 3, 1]),
    (LogFilter(collection=""), [7]),
    (LogFilter(record="17"), [8, 6, 4, 3, 1]),
    (LogFilter(record="a/b %"), [9]),
    (LogFilter(record="", collection="customer"), [10]),
    (LogFilter(collection="contact", record="17"), []),
    (LogFilter(run="run_b"), [5, 2]),
    (LogFilter(run="run_nosuch"), []),
    (LogFilter(run=""), [10, 9, 7, 4]),
    (LogFilter(kinds=("run_started",)), [2, 1]),
    (LogFilter(kinds=("run_started", "run_completed")), [8, 2, 1]),
    (LogFilter(kinds=("run_started",), team="growth"), [2]),
    (LogFilter(gt=at(8)), [10, 9]),
    (LogFilter(gte=at(8)), [10, 9, 8]),
    (LogFilter(lt=at(2)), [1]),
    (LogFilter(lte=at(2)), [2, 1]),
    (LogFilter(gte=at(3), lt=at(6), run="run_a"), [3]),
    (LogFilter(gt=at(9), lt=at(2)), []),
    (LogFilter(user="' or 1=1 --"), []),
]


def test_every_filter_is_exact(told: list[int]) -> None:
    assert [(where, numbers(rows(where, limit=100))) for where, _ in FILTERS] == FILTERS


WITHIN: list[tuple[Within, list[int]]] = [
    (EVERYTHING, [10, 9, 8, 7, 6, 5, 4, 3, 2, 1]),
    (Within(teams=frozenset({"growth"}), teamless=False), [5, 2]),
    (Within(teams=frozenset({"growth"})), [7, 5, 2]),
    (Within(teams=frozenset()), [7]),
    (Within(teams=frozenset(), teamless=False), []),
    (Within(collections=frozenset({"contact"})), [7, 5, 2]),
    (Within(collections=frozenset()), [7]),
    (Within(workflows=frozenset({"wf_2"})), [10, 9, 7, 5, 4, 2]),
    (Within(without=frozenset({"record_viewed", "record_listed", "signed_out"})), [8, 6, 5, 3, 2, 1]),
    (
        Within(teams=frozenset({"operations"}), collections=frozenset({"customer"}), workflows=frozenset()),
        [10, 9, 7, 4],
    ),
]


def test_limits_hold_whatever_is_asked_for(told: list[int]) -> None:
    assert [(within, numbers(rows(LogFilter(), within, limit=100))) for within, _ in WITHIN] == WITHIN
    assert numbers(rows(LogFilter(team="operations"), Within(teams=frozenset({"growth"})), limit=100)) == []


@pytest.mark.parametrize("size", [1, 3, 10, 11])
def test_pages_join_without_double_or_hole_while_events_arrive(told: list[int], size: int) -> None:
    seen: list[int] = []
    before = None
    head = b""
    for late in range(100, 112):
        page = rows(LogFilter(), limit=size, before=before)
        if not page:
            break
        seen += numbers(page)
        before = position(cursor(page[-1].pos))
        head = put(late, "run_started", run="run_late", seq=late - 100, head=head)
        sequencing.catch_up()
    assert seen == told[::-1]


def test_page_is_one_statement_whatever_it_asks(told: list[int], statements: list[str]) -> None:
    for where, _ in FILTERS:
        statements.clear()
        rows(where, Within(teams=frozenset({"operations"})), limit=10, before=9)
        assert len(statements) == 1


@pytest.fixture(name="statements")
def fixture_statements(clean: object) -> list[str]:
    """The statements that are sent from now on."""
    sent: list[str] = []

    def keep(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        sent.append(statement)

    sa.event.listen(hot_engine(), "before_cursor_execute", keep)
    return sent


def test_event_without_a_place_is_not_listed_yet(told: list[int]) -> None:
    put(11, "signed_in", run="ses_2", seq=0, coll=None, workflow=None)
    assert numbers(rows(LogFilter(), limit=1)) == [10]
    assert reached().pos == 10
    assert reached().at == at(10)
    sequencing.catch_up()
    assert numbers(rows(LogFilter(), limit=1)) == [11]
    assert reached().pos == 11


HOUR = 3600


@pytest.mark.parametrize(
    ("where", "found"),
    [
        (LogFilter(gte=at(9 * HOUR), lt=at(9 * HOUR + 1)), [19]),
        (LogFilter(gte=at(4 * HOUR), lte=at(4 * HOUR + HOUR // 2)), [99, 14]),
        (LogFilter(lt=at(1)), [10]),
        (LogFilter(gte=at(19 * HOUR)), [29]),
        (LogFilter(gt=at(19 * HOUR)), []),
        (LogFilter(lt=at(0)), []),
        (
            LogFilter(gte=datetime(1, 1, 1, tzinfo=UTC), lt=datetime(9999, 12, 31, tzinfo=UTC)),
            [99, *range(29, 9, -1)],
        ),
    ],
)
def test_moments_are_found_though_clocks_differ(clean: Database, where: LogFilter, found: list[int]) -> None:
    """Twenty events an hour apart, of two machines whose clocks differ by half of one."""
    head = b""
    for number in range(20):
        links = chained(
            [
                Fact(
                    f"0193463c-0000-7000-8000-{number:012d}",
                    "signed_in",
                    at(number * HOUR),
                    {"count": number + 10},
                )
            ],
            "ses_1",
            number,
            head,
            Frame({"kind": "user", "id": "usr_1", "session": "ses_1", "team": None, "roles": []}, 1),
        )
        head = links[0].leaf
        write("ses_1", number, links)
        sequencing.catch_up()
        if number == 4:
            put(99, "signed_in", run="ses_2", seq=0, coll=None, workflow=None)
    sequencing.catch_up()
    with psycopg.connect(clean.admin_url, autocommit=True) as connection:
        connection.execute(
            "update console.activity set at = %s where run = 'ses_2'", (at(4 * HOUR + HOUR // 2),)
        )
    assert sorted(numbers(rows(where, limit=50))) == sorted(found)


@pytest.fixture(name="secret", scope="module")
def fixture_secret(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A secret key to sign cursors with; no database."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CONSOLE_DATA_DIR", str(tmp_path_factory.mktemp("data")))
        patch.setenv("CONSOLE_SECRET_KEY", "s" * 43)
        patch.setenv("CONSOLE_MASTER_KEY", base64.urlsafe_b64encode(bytes(32)).decode())
        patch.setenv("CONSOLE_SIGNING_KEY", base64.urlsafe_b64encode(bytes(32)).decode())
        settings.current.cache_clear()
        yield
    settings.current.cache_clear()


@given(pos=st.integers(1, 2**63 - 1), where=st.integers(0, 100), other=st.sampled_from("AQgwz019_-"))
def test_cursor_with_any_letter_changed_is_refused(secret: None, pos: int, where: int, other: str) -> None:
    good = cursor(pos)
    spot = where % len(good)
    if good[spot] == other:
        return
    with pytest.raises(Malformed) as refused:
        position(good[:spot] + other + good[spot + 1 :])
    assert refused.value.details[0]["field"] == "after"
