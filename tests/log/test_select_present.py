"""Events in the shape of the API: names where they are known, ids where not, values only for who asked for them."""

from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
import sqlalchemy as sa

from console.core.documents.collections import Collection
from console.infra import db, subjects
from console.infra.db import tables
from console.log import Fact, Frame, Stored, chained, event_view, events_of, write
from console.log.event_view import as_json, names_of

AT = datetime(2026, 11, 20, 6, 30, tzinfo=UTC)
DOCUMENT = {"steps": [{"id": "decide", "title": "Operator decision"}, {"id": "load"}]}


def put(
    *facts: Fact,
    user: str = "usr_1",
    chain: str = "run_1",
    version: int | None = 1,
    coll: str | None = "customer",
) -> list[Stored]:
    """Write these events as one transition on a new chain, and read them back."""
    frame = Frame(
        {"kind": "user", "id": user, "session": "ses_1", "team": "operations", "roles": []},
        1,
        {"id": "wf_1", "version": version, "hash": ""} if version else None,
        {"source": "s", "coll": coll, "key": "17"} if coll else None,
    )
    write(chain, 0, chained(facts, chain, 0, b"", frame), subject=subjects.subject_of("customer", "17"))
    return events_of(chain)


def fact(
    kind: str, opened: dict[str, Any] | None = None, step: tuple[str, int] | None = None, **sealed: Any
) -> Fact:
    return Fact(db.uuid7_text(), kind, AT, opened or {}, sealed, step)


@pytest.fixture(name="named")
def fixture_named(clean: object) -> None:
    """People, and a workflow with a version, that have names."""
    event_view._kept.clear()
    with db.transaction() as connection:
        connection.execute(
            sa.insert(tables.person).values(id="usr_1", email="olivia@fernwick.example", name="Olivia Kask")
        )
        connection.execute(
            sa.insert(tables.person).values(id="usr_2", email="tom@fernwick.example", name="Tom Berg")
        )
        connection.execute(sa.insert(tables.team).values(id="operations", name="Operations"))
        connection.execute(
            sa.insert(tables.workflow).values(
                id="wf_1", slug="kyc-review", title="KYC review", status="active", team="operations"
            )
        )
        connection.execute(
            sa.insert(tables.workflow_version).values(
                workflow="wf_1", number=1, document=orjson.dumps(DOCUMENT), hash="00", published_by="usr_1"
            )
        )


def described(wanted: Any, _versions: Any) -> Any:
    """The collections as the catalogue knows them, whether or not a document describes them."""
    customer = Collection("customer", "s", None, "customer", "table", "Customers", "Customer", ("id",), ())
    return {"customer": (customer, [])} if "customer" in wanted else {}


def told(event: Stored, **more: Any) -> dict[str, Any]:
    return as_json(event, names_of([event], described=described), hidden=lambda _: frozenset(), **more)


def test_names_are_those_of_people_workflow_version_and_collection(named: None) -> None:
    events = put(
        fact("run_taken_over", {"holder": "usr_1", "former_holder": "usr_2"}),
        fact("step_completed", {}, ("decide", 1)),
        fact("step_completed", {}, ("load", 2)),
    )
    names = names_of(events, described=described)
    assert [event_view.sentence(event, names) for event in events] == [
        "Olivia Kask took over KYC review on customer 17 from Tom Berg",
        "Olivia Kask completed “Operator decision”",
        "Olivia Kask completed “load” (attempt 2)",
    ]


def test_what_has_no_name_appears_as_its_id(clean: object) -> None:
    event_view._kept.clear()
    event = put(fact("run_taken_over", {"former_holder": "usr_9"}), user="usr_8", coll="late_thing")[0]
    assert told(event)["sentence"] == "usr_8 took over the run on late thing 17 from usr_9"
    assert told(event)["actor"] == {"kind": "user", "id": "usr_8", "name": "usr_8"}


def test_titles_given_by_the_reader_stand_for_keys(named: None) -> None:
    events = put(fact("run_aborted"))
    names = names_of(events, {("customer", "17"): "Northwind Trading Ltd"}, described=described)
    assert event_view.sentence(events[0], names) == "Olivia Kask aborted KYC review on Northwind Trading Ltd"


def test_values_are_left_out_and_named_when_they_are_not_asked_for(named: None) -> None:
    event = put(
        fact("run_aborted", {"former_holder": "usr_1"}, reason="Enough", draft={"note": "x", "email": "a"})
    )[0]
    assert told(event)["data"] == {
        "former_holder": "usr_1",
        "reason": "Enough",
        "draft": {"note": "x", "email": "a"},
    }
    closed = told(event, whole=False)
    assert closed["data"] == {
        "former_holder": "usr_1",
        "reason": None,
        "draft": {"note": None, "email": None},
    }
    assert closed["masked"] == ["data.draft.email", "data.draft.note", "data.reason"]


def test_number_of_statements_is_the_same_for_one_event_and_for_many(named: None) -> None:
    events = put(
        *(fact("step_completed", {"holder": "usr_1"}, ("decide", number)) for number in range(1, 30))
    )
    counts = []
    for some in (events[:1], events):
        event_view._kept.clear()
        sent: list[str] = []
        listen = lambda _c, _k, statement, *_, sent=sent: sent.append(statement)  # noqa: E731
        sa.event.listen(db.hot_engine(), "before_cursor_execute", listen)
        names_of(some, described=described)
        sa.event.remove(db.hot_engine(), "before_cursor_execute", listen)
        counts.append(len(sent))
    assert counts == [2, 2]
