"""Home, one's own page, the activity log, the patterns, and pages for those who may not."""

from typing import TYPE_CHECKING

import pytest

from console import access, accounts, activity as service, records, runs, settings, workflows
from console.access import policy_store
from console.activity import sequencing
from console.core.events import GROUPS, KINDS
from console.db.engine import transaction
from console.errors import Malformed
from tests.company import DOCUMENT
from tests.work.test_tickets import counted, saved

if TYPE_CHECKING:
    from tests.views.conftest import Pages


def test_home_shows_what_waits_and_where_to_begin(pages: "Pages") -> None:
    empty = pages.olivia.get("/")
    assert "Nothing waits for you." in empty.text
    assert "Nothing ended yet." in empty.text
    assert "/c/customer" in empty.links
    run = pages.company.started("1")
    page = pages.olivia.get("/")
    assert f"/runs/{run}" in page.links
    assert "1 thing waits for you" in page.text
    runs.save(pages.company.olivia, run, revision=pages.company.told(run)["revision"])
    page = pages.tom.get("/")
    pages.tom.send(page, f"/runs/{run}/resume")
    assert pages.company.told(run)["holder"] == pages.company.tom.id


def test_home_begins_with_what_is_due_first_and_shows_the_rest_on_demand(pages: "Pages", monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("console.views.home.WAITING_SHOWN", 1)
    for key in ("1", "2", "3", "4"):
        pages.company.started(key)
    page = pages.olivia.get("/")
    assert "Later 4" in page.text
    assert sum(link.startswith("/runs/") for link in set(page.links)) == 1
    [rest] = [link for link in page.links if "all=1" in link]
    assert "Show 3 more" in page.text
    every = pages.olivia.get(rest)
    assert sum(link.startswith("/runs/") for link in set(every.links)) == 4
    assert "all=1" in next(told["hx-get"] for told in every.with_attribute("hx-get") if told.get("id") == "work"), "as it is asked again"


def test_my_work_leads_to_home(pages: "Pages") -> None:
    pages.olivia.get("/my-work", status=303)
    assert pages.olivia.answer.headers["Location"] == "/"


def test_what_the_bar_of_a_telephone_leaves_out_stands_under_more(pages: "Pages") -> None:
    page = pages.olivia.get("/more")
    rail = {told["href"]: told for tag, told in page.attributes if tag == "a" and "data-key" in told}
    left_out = {href for href, told in rail.items() if told.get("data-narrow")}
    shown = set(rail) - left_out - {"/notices", "/settings/me"}
    assert len(shown) == 4, "and More is the fifth"
    assert left_out <= set(page.links[len(rail) :])


def test_more_is_marked_on_the_pages_that_the_bar_leaves_out(pages: "Pages") -> None:
    def marked(path: str) -> dict[str, str]:
        told = [
            told for tag, told in pages.olivia.get(path).attributes if tag == "a" and told.get("aria-current") and told["href"] in wanted
        ]
        return {each["href"]: each["aria-current"] for each in told}

    wanted = {"/more", "/", "/c", "/workflows"}
    assert {path: marked(path).get("/more") for path in ("/more", "/workflows", "/workflows/care-review", "/settings/me", "/", "/c/customer")} == {
        "/more": "page", "/workflows": "true", "/workflows/care-review": "true", "/settings/me": "true", "/": None, "/c/customer": None,
    }  # fmt: skip


def test_the_rail_stays_as_each_person_left_it(pages: "Pages") -> None:
    page = pages.olivia.get("/")
    name = next(told["data-rail"] for told in page.with_attribute("data-rail"))
    assert 'class="shell labelled"' in page.html
    assert 'class="shell labelled folded"' in pages.olivia.get("/workflows/care-review").html, "where a page has panes it begins folded"
    pages.olivia.client.set_cookie(name, "folded")
    assert 'class="shell labelled folded"' in pages.olivia.get("/").html
    assert next(told["data-rail"] for told in pages.tom.get("/").with_attribute("data-rail")) != name
    pages.olivia.client.set_cookie(name, '"><script>')
    assert 'class="shell labelled"' in pages.olivia.get("/").html


def test_records_are_not_offered_to_whom_each_collection_was_taken_from(pages: "Pages") -> None:
    assert "/c" in pages.olivia.get("/").links
    taken = "\n".join(f"p, role:operator, *, collection:{each.id}, browse, deny" for each in records.collections())
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
    pages.stan.post("/pins", {"csrf_token": pages.stan.token, "collection": "customer", "record": "1"}, status=404)
    pages.olivia.post("/pins", {"csrf_token": token, "collection": "customer", "record": "1", "do": "unpin"})
    assert "Pinned" not in pages.olivia.get("/").text


def test_ended_runs_are_counted_and_the_best_of_them_can_be_watched(pages: "Pages") -> None:
    company = pages.company
    run = company.started("1")
    runs.save(company.olivia, run, revision=None)
    runs.resume(company.tom, run, revision=None)
    company.answer(run, by="tom")
    runs.abort(company.tom, run, revision=None, reason="Begun twice")
    page = pages.tom.get("/")
    assert "1 by people, 1 of them by you" in page.text
    assert any(told.get("role") == "img" and "1 otherwise" in told.get("aria-label", "") for _, told in page.attributes)
    assert pages.stan.get("/").text.count("Nothing ended yet.") == 1
    assert f"/runs/{run}/replay" not in pages.stan.get("/").links


def test_somebody_without_records_is_told_whom_to_ask(pages: "Pages") -> None:
    assert "An administrator gives the rights on it" in pages.stan.get("/").text
    assert "An administrator gives the rights on it" in pages.stan.get("/c").text


def test_ones_own_page_has_the_way_out(pages: "Pages") -> None:
    page = pages.olivia.get("/settings/me")
    assert "Operator" in page.text
    pages.olivia.send(page, "/sign-out")
    pages.olivia.get("/", status=303)


@pytest.mark.parametrize("path", ["/", "/c", "/settings/me", "/c/customer", "/c/customer/1", "/patterns"])
def test_every_page_has_one_heading_and_no_inline_script_or_style(pages: "Pages", path: str) -> None:
    page = pages.olivia.get(path)
    assert [tag for tag, _ in page.headings].count("h1") == 1
    assert not page.with_attribute("style")
    assert all(told.get("src") for tag, told in page.attributes if tag == "script")
    assert "default-src 'none'" in pages.olivia.answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    "path", ["/", "/c", "/settings/me", "/c/customer", "/c/customer/1", "/patterns", "/activity", "/runs/run_x", "/runs/run_x/replay"]
)
def test_nobody_sees_a_page_without_signing_in(pages: "Pages", path: str) -> None:
    answer = pages.app.test_client().get(path)
    assert answer.status_code == 303
    assert answer.headers["Location"].startswith("/sign-in")


def test_the_theme_follows_the_choice(pages: "Pages") -> None:
    pages.olivia.client.set_cookie("theme", "dark")
    assert 'data-theme="dark"' in pages.olivia.get("/").html
    pages.olivia.client.set_cookie("theme", '"><script>')
    assert "data-theme=" not in pages.olivia.get("/").html.split("<head>")[0]


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
    page = pages.ada.get(f"/activity?user={pages.company.olivia.id}&kind=run_started&collection=&createdAt.gte=2020-01-01")
    assert page.text.count("started Care review") == 1
    assert "Person: Olivia" in page.text
    assert "What happened: Run started" in page.text
    assert "From: 1 Jan 2020" in page.text
    assert any("kind=" not in link and "user=" in link for link in page.links)
    only = pages.ada.get(f"/activity?run={run}&record=1")
    assert "Tom" not in only.text.split("Export")[1]


def test_kinds_are_offered_by_their_groups_when_the_filter_is_opened(pages: "Pages") -> None:
    pages.company.started("1")
    sequencing.catch_up()
    assert "Sign in failed" not in pages.ada.get("/activity").text, "the sheet comes when it is opened"
    for sheet in (pages.ada.get("/activity?kind=run", htmx="filter"), pages.ada.get("/activity?kind=run&filter=1")):
        assert {told["label"] for told in sheet.with_attribute("label")} == {*GROUPS.values()}
        assert {*GROUPS, *KINDS} <= {told["value"] for tag, told in sheet.attributes if tag == "option"}
        assert next(told["value"] for told in sheet.with_attribute("selected")) == "run"
        assert not [word for word in sheet.text.split() if word in KINDS], "kinds are offered in words"
    page = pages.ada.get("/activity?kind=run")
    assert "What happened: Runs" in page.text
    assert "started Care review" in page.text
    assert "started Care review" not in pages.ada.get("/activity?kind=approval").text


def test_people_whom_an_event_is_about_stand_there_by_name(pages: "Pages") -> None:
    known = accounts.create_person("cleo@fernwick.example", role="operator", team="operations", name="Cleo Horn")
    accounts.disable_person(known.person.id)
    sequencing.catch_up()
    page = pages.ada.get("/activity?kind=person_changed")
    assert "PersonCleo Horn" in page.text
    assert "former colleague" not in page.text


def test_a_filter_that_cannot_be_read_is_said(pages: "Pages") -> None:
    page = pages.ada.get("/activity?kind=nothing_like_it", status=400)
    assert "The filter cannot be read" in page.text


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
    from console.views import activity
    from console.views.formats import Look

    told = dict(
        activity.filters_for_log(
            [("createdAt.gte", "2026-07-01"), ("createdAt.lt", "nonsense!!"), ("user", "usr_1")], Look(zone="Europe/Vilnius")
        )
    )
    assert told == {"createdAt.gte": "2026-06-30T21:00:00Z", "createdAt.lt": "nonsense!!", "user": "usr_1"}
    for day, moment in (("2026-07-01", ("createdAt.lt", "2026-07-01T21:00:00Z")), ("9999-12-31", ("createdAt.lte", "9999-12-31"))):
        assert activity.filters_for_log([("createdAt.lte", day)], Look(zone="Europe/Vilnius")) == [moment], "to a day is to its end"
    with pytest.raises(Malformed):
        service.parse_query([("createdAt.lt", "nonsense!!")])


def test_patterns_show_every_component_and_read_nothing(pages: "Pages") -> None:
    page = pages.olivia.get("/patterns")
    assert {"Buttons", "Fields", "Table", "Icons"} <= {words for _, words in page.headings}
    assert "Ana" in page.text


@pytest.mark.parametrize("demo", [True, False])
def test_the_demo_says_so_on_every_page(pages: "Pages", monkeypatch: pytest.MonkeyPatch, demo: bool) -> None:
    monkeypatch.setenv("CONSOLE_DEMO", "1" if demo else "0")
    settings.current.cache_clear()
    run = pages.company.at("note")
    for path, status in (
        ("/", 200),
        ("/c", 200),
        ("/settings/me", 200),
        ("/c/customer", 200),
        ("/c/customer/1", 200),
        (f"/runs/{run}", 200),
        ("/nothing", 404),
    ):
        assert ("Demo data" in pages.olivia.get(path, status=status).text) is demo, path
    assert ("badge demo" in pages.app.test_client().get("/sign-in").text) is demo
    settings.current.cache_clear()


def test_home_costs_the_same_statements_however_much_waits(pages: "Pages") -> None:
    """One statement for each list and each collection of a list: none for each run, record or pin, nor for what runs have read and taken over of proposals."""
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
                pages.olivia.get("/")
            looks.append((ours, of_source))
        asked.append(min(looks, key=lambda look: len(look[0]) + len(look[1])))
    few, many = [(len(ours), len(of_source)) for ours, of_source in asked]
    assert few == many, asked
    assert sum(few) <= 40
