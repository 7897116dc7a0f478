"""The activity log for its readers: who may, what they find, what is masked, and that reading is noted but never read back."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
import sqlalchemy as sa

from console import activity
from console.activity import ActivityPage, event_list, sequencing
from console.auth import access
from console.core.actor import Actor
from console.core.errors import Malformed, NotAllowed, NotFound
from console.demo import staff
from console.infra import db, subjects
from console.infra.db import tables
from console.log import Fact, Frame, chained, events_of, note, recheck, write
from console.log.event_lists import LogFilter
from tests.tables import cases

START = datetime(2026, 11, 20, 6, 30, tzinfo=UTC)
STEPS = {
    "format": 1,
    "slug": "kyc-review",
    "title": "KYC review",
    "collection": "customer",
    "steps": [
        {"id": "start", "type": "start", "title": "Start", "next": {"default": "load"}},
        {
            "id": "load",
            "type": "get_data",
            "title": "Load the customer",
            "config": {"fields": ["email"]},
            "next": {"default": "decide"},
        },
        {
            "id": "decide",
            "type": "decision",
            "title": "Operator decision",
            "config": {
                "options": [{"value": "approve", "label": "Approve"}, {"value": "reject", "label": "Reject"}]
            },
            "next": {"default": "end"},
        },
        {"id": "end", "type": "end", "title": "End"},
    ],
}
PEOPLE = {
    "ada": ("Ada Vale", [("auditor", "*")], ("audit",)),
    "olivia": ("Olivia Kask", [("operator", "operations")], ("operations",)),
    "mona": ("Mona Lind", [("lead", "operations")], ("operations",)),
    "stan": ("Stan Ozols", [("operator", "procurement")], ("procurement",)),
    "wanda": ("Wanda Roe", [("watcher", "operations")], ("operations",)),
}


def actor(name: str) -> Actor:
    """The person with this short name, signed in."""
    shown, roles, teams = PEOPLE[name]
    return Actor(
        "user", f"usr_{name}", shown, f"{name}@fernwick.example", f"ses_{name}", teams, frozenset(roles)
    )


class Chain:
    """Writes events of a run, each a minute after the one before."""

    def __init__(self, run: str, team: str, workflow: str, collection: str, record: str) -> None:
        self.run, self.seq, self.head = run, 0, b""
        self.subject = subjects.subject_of(collection, record)
        self.frame = Frame(
            {
                "kind": "user",
                "id": "usr_olivia",
                "session": "ses_olivia",
                "team": team,
                "roles": ["operator"],
            },
            1,
            {"id": workflow, "version": 3, "hash": "00"},
            {"source": "fernwick_core", "coll": collection, "key": record},
        )

    def put(
        self,
        kind: str,
        opened: dict[str, Any] | None = None,
        step: tuple[str, int] | None = None,
        **sealed: Any,
    ) -> None:
        fact = Fact(db.uuid7_text(), kind, START + timedelta(minutes=self.seq), opened or {}, sealed, step)
        links = chained([fact], self.run, self.seq, self.head, self.frame)
        self.seq = write(self.run, self.seq, links, subject=self.subject)
        self.head = links[-1].leaf


STRUCTURE = {
    "schema": None,
    "kind": "table",
    "comment": None,
    "dialect": "sqlite",
    "key": ["id"],
    "columns": [
        {"name": "id", "stored": "integer", "native": "integer", "nullable": False, "generated": False}
    ],
    "foreign_keys": [],
}


@pytest.fixture(name="house")
def fixture_house(clean: object) -> None:
    """People, rights, two workflows and two collections; nothing has happened yet."""
    staff.give_rights()
    with db.transaction() as connection:
        connection.execute(
            sa.insert(tables.team),
            [{"id": name, "name": name.title()} for name in ("operations", "procurement", "audit")],
        )
        for name, (shown, roles, _) in PEOPLE.items():
            connection.execute(
                sa.insert(tables.person).values(
                    id=f"usr_{name}", email=f"{name}@fernwick.example", name=shown
                )
            )
            access.assign(f"usr_{name}", roles, connection=connection)
        connection.execute(
            sa.insert(tables.data_source).values(
                id="src_1", name="fernwick_core", url_sealed=b"", dialect="sqlite"
            )
        )
        for position, (name, label) in enumerate(
            {"customer": "Customer", "supplier": "Supplier", "secret_list": "Secret"}.items()
        ):
            connection.execute(
                sa.insert(tables.collection).values(
                    id=name,
                    source="src_1",
                    document={"id": name, "label_one": label},
                    structure=STRUCTURE | {"table": name},
                    position=position,
                )
            )
        for ident, slug, title, team in (
            ("wf_1", "kyc-review", "KYC review", "operations"),
            ("wf_2", "supplier-onboarding", "Supplier onboarding", "procurement"),
        ):
            connection.execute(
                sa.insert(tables.workflow).values(
                    id=ident, slug=slug, title=title, status="active", team=team
                )
            )
        connection.execute(
            sa.insert(tables.workflow_version).values(
                workflow="wf_1", number=3, document=orjson.dumps(STEPS), hash="00", published_by="usr_mona"
            )
        )
        access.grant("watcher", "activity", ["read"], team="operations", connection=connection)
        access.grant("watcher", "collection:customer", ["read"], team="operations", connection=connection)
        access.grant("watcher", "workflow:kyc-review", ["see"], team="operations", connection=connection)
        connection.execute(
            sa.insert(tables.policy).values(
                ptype="p",
                sub="role:watcher",
                dom="*",
                obj="field:customer/tax_id",
                act="read",
                eft="deny",
                expression="",
            )
        )
        connection.execute(
            sa.update(tables.version)
            .where(tables.version.c.name == "policy")
            .values(number=tables.version.c.number + 1)
        )
    access.refresh()


@pytest.fixture(name="story")
def fixture_story(house: None) -> None:
    """A KYC review of customer 17 and a supplier's onboarding, with what was typed and shown; all of it has its place."""
    kyc = Chain("run_kyc", "operations", "wf_1", "customer", "17")
    kyc.put("run_started", {"holder": "usr_olivia", "trigger": "manual"}, input={"reason": "Periodic review"})
    kyc.put("step_entered", {"n": 1, "type": "decision"}, ("decide", 1))
    screen = {
        "title": "Operator decision",
        "record": {"collection": "customer", "key": "17", "values": {"tax_id": "LT-1", "email": "a@b.c"}},
    }
    kyc.put("step_shown", {"n": 1}, ("decide", 1), screen=screen)
    kyc.put(
        "step_completed",
        {"outcome": "approve"},
        ("decide", 1),
        values={"tax_id": "LT-2", "email": "new@b.c"},
        reason="Looks fine",
    )
    kyc.put("run_completed", {"label": "Approved"})
    onboarding = Chain("run_sup", "procurement", "wf_2", "supplier", "3")
    onboarding.put("run_started", {"holder": "usr_stan"})
    note(actor("olivia"), "signed_in", open={"person": "usr_olivia"}, sealed={"ip": "10.0.0.7"})
    note(actor("olivia"), "record_viewed", source="fernwick_core", collection="customer", record="17")
    note(
        actor("olivia"),
        "access_refused",
        open={"object": "activity", "act": "read"},
        collection="customer",
        record="17",
    )
    note(actor("olivia"), "record_viewed", collection="secret_list", record="1")
    assert sequencing.catch_up() == 10


ALL = [
    "Olivia Kask was refused “read” on customer 17",
    "Olivia Kask viewed customer 17",
    "Olivia Kask signed in",
    "Olivia Kask started Supplier onboarding on supplier 3",
    "Olivia Kask completed KYC review on customer 17: Approved",
    "Olivia Kask completed “Operator decision”: “Approve”",
    "Olivia Kask was shown “Operator decision”",
    "KYC review on customer 17 came to “Operator decision”",
    "Olivia Kask started KYC review on customer 17",
]


def told(page: ActivityPage) -> list[str]:
    return [row.sentence for row in page.rows]


def test_auditor_reads_every_team_and_no_collection_without_a_right_to_it(story: None) -> None:
    page = activity.page(actor("ada"), LogFilter(), 100)
    assert told(page) == ALL
    assert page.next is None
    assert page.has_more is False
    assert page.verified_to == recheck.state()


def test_reader_of_one_team_finds_that_team_its_workflows_and_collections(story: None) -> None:
    assert told(activity.page(actor("wanda"), LogFilter(), 100)) == [
        line for line in ALL if "Supplier" not in line
    ]
    assert told(activity.page(actor("wanda"), LogFilter(run="run_sup"), 100)) == []
    with db.transaction() as connection:
        connection.execute(
            sa.delete(tables.policy).where(
                tables.policy.c.obj == "workflow:kyc-review", tables.policy.c.sub == "role:watcher"
            )
        )
        connection.execute(
            sa.update(tables.version)
            .where(tables.version.c.name == "policy")
            .values(number=tables.version.c.number + 1)
        )
    access.refresh()
    assert told(activity.page(actor("wanda"), LogFilter(), 100)) == [
        "Olivia Kask was refused “read” on customer 17",
        "Olivia Kask viewed customer 17",
        "Olivia Kask signed in",
    ]


@pytest.mark.parametrize("name", ["olivia", "stan", "mona"])
def test_without_the_right_nothing_is_read_and_nothing_noted(story: None, name: str) -> None:
    with pytest.raises(NotAllowed) as refused:
        activity.page(actor(name), LogFilter())
    assert refused.value.need == ("activity", "read")
    assert "log_read" not in [event.type for event in events_of(f"ses_{name}")]


def test_event_has_the_shape_of_the_api(story: None) -> None:
    row = activity.page(actor("ada"), LogFilter(kinds=("step_completed",))).rows[0]
    assert row.json == {
        "n": 4,
        "pos": 4,
        "id": row.event.id,
        "kind": "step_completed",
        "createdAt": "2026-11-20T06:33:00.000000Z",
        "run": "run_kyc",
        "step": "decide",
        "attempt": 1,
        "actor": {"kind": "user", "id": "usr_olivia", "name": "Olivia Kask"},
        "address": None,
        "team": "operations",
        "collection": "customer",
        "record": "17",
        "sentence": "Olivia Kask completed “Operator decision”: “Approve”",
        "data": {
            "outcome": "approve",
            "values": {"tax_id": "LT-2", "email": "new@b.c"},
            "reason": "Looks fine",
        },
        "leaf": row.event.leaf.hex(),
        "masked": [],
    }
    assert (row.at, row.label, row.group, row.actor_name) == (
        START + timedelta(minutes=3),
        "Step completed",
        "step",
        "Olivia Kask",
    )
    assert orjson.loads(orjson.dumps(row.json)) == row.json


def test_fields_hidden_from_the_reader_are_null_and_named(story: None) -> None:
    by_kind = {
        row.event.type: row.json for row in activity.page(actor("wanda"), LogFilter(run="run_kyc"), 100).rows
    }
    assert by_kind["step_completed"]["data"]["values"] == {"tax_id": None, "email": "new@b.c"}
    assert by_kind["step_completed"]["masked"] == ["data.values.tax_id"]
    assert by_kind["step_shown"]["data"]["screen"]["record"]["values"] == {"tax_id": None, "email": "a@b.c"}
    assert by_kind["step_shown"]["masked"] == ["data.screen.record.values.tax_id"]
    assert by_kind["run_started"]["masked"] == []


def test_erased_values_are_null_and_named_and_the_event_stays(story: None) -> None:
    with db.transaction() as connection:
        connection.execute(
            sa.delete(tables.subject).where(tables.subject.c.id == subjects.subject_of("customer", "17"))
        )
    subjects._kept.clear()
    row = activity.page(actor("ada"), LogFilter(kinds=("step_completed",))).rows[0]
    assert row.json["data"] == {
        "outcome": "approve",
        "values": {"tax_id": None, "email": None},
        "reason": None,
    }
    assert row.json["masked"] == ["data.reason", "data.values.email", "data.values.tax_id"]
    assert row.sentence == "Olivia Kask completed “Operator decision”: “Approve”"


def test_reading_is_noted_after_the_answer_with_the_filter_sealed(story: None) -> None:
    where = LogFilter(record="17", kinds=("run_started",), gte=START)
    activity.page(actor("ada"), where, 5)
    noted = events_of("ses_ada")[-1]
    assert noted.type == "log_read"
    assert noted.open == {"count": 1, "filters": ["gte", "kinds", "record"], "first": 1, "last": 1}
    assert noted.values["filter"]["record"] == "17"
    assert b'"17"' not in orjson.dumps(noted.body)
    assert "log_read" not in [row.event.type for row in activity.page(actor("ada"), LogFilter()).rows]
    sequencing.catch_up()
    assert told(activity.page(actor("ada"), LogFilter(), 2)) == [
        "Ada Vale read the activity log (9 events)",
        "Ada Vale read the activity log (1 event)",
    ]


@pytest.mark.slow
@pytest.mark.parametrize("size", [1, 2, 4])
@pytest.mark.parametrize("name", ["ada", "wanda"])
def test_pages_join_whatever_is_left_out_between(story: None, name: str, size: int) -> None:
    whole = told(activity.page(actor(name), LogFilter(collection="customer"), 100))
    seen: list[str] = []
    after = None
    while True:
        page = activity.page(actor(name), LogFilter(collection="customer"), size, after)
        assert len(page.rows) == size or not page.has_more
        seen += told(page)
        if page.next is None:
            break
        after = page.next
    assert seen == whole


def test_many_rows_out_of_reach_end_a_page_early_and_it_can_be_continued(
    house: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_list, "ROUNDS", 2)
    with db.transaction() as connection:
        access.grant(
            "watcher", "workflow:supplier-onboarding", ["see"], team="procurement", connection=connection
        )
        access.grant("watcher", "collection:supplier", ["read"], team="operations", connection=connection)
    access.refresh()
    Chain("run_first", "operations", "wf_1", "customer", "17").put("run_started")
    for number in range(7):
        Chain(f"run_{number}", "operations", "wf_2", "supplier", "3").put("run_started")
    sequencing.catch_up()
    page = activity.page(actor("wanda"), LogFilter(), 2)
    assert page.has_more
    assert told(page) == []
    assert told(activity.page(actor("wanda"), LogFilter(), 2, page.next)) == [
        "Olivia Kask started KYC review on customer 17"
    ]


@pytest.fixture(name="statements")
def fixture_statements(clean: object) -> list[str]:
    """The statements that are sent from now on, without those that are asked once a second, whatever a page shows."""
    sent: list[str] = []

    def keep(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if "console.version" not in statement:
            sent.append(statement)

    sa.event.listen(db.hot_engine(), "before_cursor_execute", keep)
    return sent


def test_record_tells_its_own_story_to_who_may_read_it(story: None) -> None:
    page = activity.on_record(actor("mona"), "customer", "17")
    assert told(page) == [
        line.replace(" on customer 17", "").replace("customer 17", "this customer")
        for line in ALL
        if ("customer 17" in line and not any(word in line for word in ("viewed", "refused", "came to")))
        or "completed “" in line
    ], "on its own page the record is not named by its key"
    every_event = activity.on_record(actor("mona"), "customer", "17", everything=True)
    assert [line for line in told(every_event) if line not in told(page)] == [
        "Olivia Kask viewed this customer",
        "Olivia Kask was shown “Operator decision”",
        "KYC review came to “Operator decision”",
    ]
    assert "log_read" not in [event.type for event in events_of("ses_mona")]


def test_record_tells_nothing_to_a_stranger(story: None) -> None:
    for collection in ("customer", "nosuch"):
        with pytest.raises(NotFound) as refused:
            activity.on_record(actor("stan"), collection, "17")
        assert refused.value.hidden


GOOD: list[tuple[str, LogFilter, int]] = [
    ("", LogFilter(), 10),
    ("limit=100", LogFilter(), 100),
    ("kind=signed_in&kind=signed_out&kind=signed_in", LogFilter(kinds=("signed_in", "signed_out")), 10),
    ("user=usr_1&team=&record=a/b", LogFilter(user="usr_1", team="", record="a/b"), 10),
    ("createdAt.gt=2026-11-20", LogFilter(gt=datetime(2026, 11, 20, tzinfo=UTC)), 10),
    (
        "createdAt.lte=2026-11-20T06:30:00.25Z",
        LogFilter(lte=datetime(2026, 11, 20, 6, 30, 0, 250000, tzinfo=UTC)),
        10,
    ),
    (
        "createdAt.gte=2026-11-20T08:30:00+02:00&createdAt.lt=2026-11-20T06:31Z",
        LogFilter(gte=START, lt=START + timedelta(minutes=1)),
        10,
    ),
]


def pairs(query: str) -> Sequence[tuple[str, str]]:
    return [(name, value) for name, _, value in (part.partition("=") for part in query.split("&") if part)]


@cases(("query", "where", "limit"), GOOD)
def test_asked(query: str, where: LogFilter, limit: int) -> None:
    found = activity.parse_query(pairs(query))
    assert (found.where, found.limit, found.after) == (where, limit, None)


BAD: list[tuple[str, list[str]]] = [
    *(
        (f"limit={text}", ["limit"])
        for text in ("0", "101", "-1", "x", "1.5", "", "1e1", "٣", "007", "1000000000000")
    ),
    *(
        (f"createdAt.gt={text}", ["createdAt.gt"])
        for text in (
            "yesterdayish",
            "",
            "2026-13-01",
            "2026-11-20T06:30:00",
            "2026-11-20 06:30",
            "0001-01-01T00:00+14:00",
            "1763620200",
        )
    ),
    ("nonsense=1", ["nonsense"]),
    ("kind=lamp_lit", ["kind"]),
    ("kind=", ["kind"]),
    ("user=a&user=b", ["user"]),
    ("record=a\x00b", ["record"]),
    ("team=" + "x" * 501, ["team"]),
    ("createdAt=2026-11-20&limit=0&after=a&after=b", ["after", "createdAt", "limit"]),
]


@cases(("query", "fields"), BAD)
def test_what_cannot_be_read_is_refused_by_name(query: str, fields: list[str]) -> None:
    with pytest.raises(Malformed) as refused:
        activity.parse_query(pairs(query))
    assert sorted({detail["field"] for detail in refused.value.details}) == fields
    assert all(detail["reason"].endswith(".") for detail in refused.value.details)
