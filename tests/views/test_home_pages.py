"""Home, the activity log, and pages for those who may not."""

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from console import activity as service, log, records, runs, workflows
from console.activity import integrity, sequencing
from console.auth import access
from console.auth.access import policy_store
from console.core.errors import Malformed
from console.infra.db.engine import transaction
from console.log import recheck
from console.workflows import inboxes
from tests.company import DESK, DOCUMENT
from tests.views.conftest import Browser, signed_in
from tests.work.test_tickets import counted, saved

if TYPE_CHECKING:
    from tests.views.conftest import Pages


def test_home_shows_what_waits_and_where_to_begin(pages: "Pages") -> None:
    empty = pages.olivia.get("/")
    assert "Nothing waits for you." in empty.text
    assert "0 by you, 0 by people, 0 automatic" in empty.text
    assert "/c/customer" in empty.links
    run = pages.company.started("1")
    page = pages.olivia.get("/")
    assert f"/runs/{run}" in page.links
    assert "1 thing waits for you" in page.text
    runs.save(pages.company.olivia, run, revision=pages.company.told(run)["revision"])
    page = pages.tom.get("/")
    pages.tom.send(page, f"/runs/{run}/resume")
    assert pages.company.told(run)["holder"] == pages.company.tom.id


def test_records_are_not_offered_to_whom_each_collection_was_taken_from(pages: "Pages") -> None:
    assert "/c" in pages.olivia.get("/").links
    taken = "\n".join(
        f"p, role:operator, *, collection:{each.id}, browse, deny" for each in records.collections()
    )
    with transaction() as connection:
        policy_store.write(connection, added=access.parse(taken))
    access.refresh()
    assert "/c" not in pages.olivia.get("/").links


def test_a_pin_is_its_person_s_own_and_what_is_out_of_scope_is_not_pinned(pages: "Pages") -> None:
    token = pages.olivia.token
    pages.olivia.post("/pins", {"csrf_token": token, "collection": "customer", "record": "1"})
    assert pages.olivia.answer.headers["Location"] == "/c/customer/1"
    assert "Pinned" in pages.olivia.get("/").text
    assert "Pinned" not in pages.tom.get("/").text
    assert "Adaeze Okonkwo-Bell" in pages.olivia.get("/notices?shown=", htmx="bell").text
    pages.stan.post(
        "/pins", {"csrf_token": pages.stan.token, "collection": "customer", "record": "1"}, status=404
    )
    pages.olivia.post("/pins", {"csrf_token": token, "collection": "customer", "record": "1", "do": "unpin"})
    assert "Pinned" not in pages.olivia.get("/").text


@pytest.mark.parametrize("path", ["/", "/c", "/settings/me", "/c/customer", "/c/customer/1", "/patterns"])
def test_every_page_has_one_heading_and_no_inline_script_or_style(pages: "Pages", path: str) -> None:
    page = pages.olivia.get(path)
    assert [tag for tag, _ in page.headings].count("h1") == 1
    assert not page.with_attribute("style")
    assert all(told.get("src") for tag, told in page.attributes if tag == "script")
    assert "default-src 'none'" in pages.olivia.answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/c",
        "/settings/me",
        "/c/customer",
        "/c/customer/1",
        "/patterns",
        "/activity",
        "/runs/run_x",
        "/runs/run_x/replay",
    ],
)
def test_nobody_sees_a_page_without_signing_in(pages: "Pages", path: str) -> None:
    answer = pages.app.test_client().get(path)
    assert answer.status_code == 303
    assert answer.headers["Location"].startswith("/sign-in")


# -- the activity log


def test_the_log_tells_in_sentences_newest_first(pages: "Pages") -> None:
    run = pages.company.finished("1")
    sequencing.catch_up()
    page = pages.ada.get(f"/activity?run={run}")
    assert any(link.startswith(f"/runs/{run}/replay?at=") for link in page.links)
    older = pages.ada.get(next(link for link in page.links if "after=" in link))
    text = page.text + older.text
    assert text.index("completed") < text.index("started Care review")


def test_filters_stand_in_the_address_and_as_chips(pages: "Pages") -> None:
    run = pages.company.started("1")
    pages.company.started("2", by="tom")
    sequencing.catch_up()
    page = pages.ada.get(
        f"/activity?user={pages.company.olivia.id}&kind=run_started&collection=&createdAt.gte=2020-01-01"
    )
    assert page.text.count("started Care review") == 1
    assert "Person: Olivia" in page.text
    assert "Event: Run started" in page.text
    assert "From: 1 Jan 2020" in page.text
    assert any("kind=" not in link and "user=" in link for link in page.links)
    only = pages.ada.get(f"/activity?run={run}&record=1")
    assert "Tom" not in only.text.split("Export")[1]


def test_older_events_are_a_link_away(pages: "Pages") -> None:
    for record in ("1", "2", "4"):
        pages.company.finished(record)
    sequencing.catch_up()
    page = pages.ada.get("/activity")
    older = next(link for link in page.links if "after=" in link)
    second = pages.ada.get(older)
    ids = [told["id"] for told in page.with_attribute("id") if told["id"].startswith("e-")]
    assert len(ids) == 25
    assert not set(ids) & {told["id"] for told in second.with_attribute("id")}
    assert "/activity" in second.links


def test_who_may_not_read_the_log_is_told_what_is_missing(pages: "Pages") -> None:
    page = pages.olivia.get("/activity", status=403)
    assert "You may not read the activity log" in page.text
    assert "/activity" not in pages.olivia.get("/").links
    assert "/activity" in pages.ada.get("/").links


def test_days_of_the_reader_become_moments() -> None:
    from console.views.activity import activity
    from console.views.formats import Look

    told = dict(
        activity.filters_for_log(
            [("createdAt.gte", "2026-07-01"), ("createdAt.lt", "nonsense!!"), ("user", "usr_1")],
            Look(zone="Europe/Vilnius"),
        )
    )
    assert told == {"createdAt.gte": "2026-06-30T21:00:00Z", "createdAt.lt": "nonsense!!", "user": "usr_1"}
    for day, moment in (
        ("2026-07-01", ("createdAt.lt", "2026-07-01T21:00:00Z")),
        ("9999-12-31", ("createdAt.lte", "9999-12-31")),
    ):
        assert activity.filters_for_log([("createdAt.lte", day)], Look(zone="Europe/Vilnius")) == [moment], (
            "to a day is to its end"
        )
    with pytest.raises(Malformed):
        service.parse_query([("createdAt.lt", "nonsense!!")])


def test_blocks_of_home_follow_the_rights_of_the_reader(pages: "Pages") -> None:
    """Decided by rights: who manages inboxes sees the backlog, who reads the log its state, who only sees runs those that ended."""
    inboxes.import_all([DESK])
    done = pages.company.finished("1")
    pages.company.finished("3")
    held = pages.company.started("2")
    pages.ada.get("/")
    ada = Browser(signed_in(pages.app, "ada"))
    pages.olivia.get("/activity", status=403)
    sequencing.catch_up()
    sequencing.seal()
    integrity.look()
    events = recheck.state().upto
    auditor = ada.get("/")
    assert f"Log intact: {events:,} events, verified " in auditor.text
    assert "1 refused · 0 revealed" in auditor.text
    ada.get(next(link for link in auditor.links if "kind=access_refused" in link))
    lead, operator = pages.mona.get("/"), pages.olivia.get("/")
    assert f"/work?person={pages.company.olivia.id}&kind=run" in lead.links
    assert f"/runs/{held}" in operator.links
    for page, shown in ((auditor, {"completed"}), (lead, {"panel-team"}), (operator, set())):
        ids = {told["id"] for told in page.with_attribute("id")}
        assert ids & {"completed", "panel-team"} == shown
    assert "Log intact" not in lead.text + operator.text
    assert f"/runs/{done}/replay" in auditor.links
    assert f"/runs/{done}/replay" in ada.get("/?workflow=care-review&status=completed").links
    day, olivia = log.now().date(), pages.company.olivia.id
    for query, found in (
        (f"workflow=care-review&status=completed&person={olivia}&from={day}&to={day}", True),
        ("status=failed", False),
        (f"person={pages.company.tom.id}", False),
        (f"from={day + timedelta(days=1)}", False),
        (f"to={day - timedelta(days=1)}", False),
    ):
        assert (f"/runs/{done}/replay" in ada.get(f"/?{query}").links) is found, query
    ada.get("/?from=yesterday", status=400)


@pytest.mark.parametrize("who", ["olivia", "mona", "ada"])
def test_home_costs_the_same_statements_however_much_waits(pages: "Pages", who: str) -> None:
    """One statement for each list and each collection of a list: none for each run, record or pin, nor for what runs have read and taken over of proposals."""
    inboxes.import_all([DESK])
    asks = [{**step, "ai": {}} if step["id"] == "note" else step for step in DOCUMENT["steps"]]
    workflows.import_file({**DOCUMENT, "steps": asks}, publish=True)
    asked = []
    saved(pages.company, "4")
    pages.company.started("1")
    for more in (False, True):
        if more:
            pages.company.started("2")
            pages.company.started("3")
        looks = []
        for _ in range(3):  # names and rights are kept for a second, which a busy machine may need for a page
            with counted() as (ours, of_source):
                getattr(pages, who).get("/")
            looks.append((ours, of_source))
        asked.append(min(looks, key=lambda look: len(look[0]) + len(look[1])))
    few, many = [(len(ours), len(of_source)) for ours, of_source in asked]
    assert few == many, asked
    assert sum(few) <= 40
