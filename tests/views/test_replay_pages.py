"""Replay pages: what was shown and answered, at every event, with nothing on them that could act."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from console import access, records, runs
from tests.papers import at_note, workflow

if TYPE_CHECKING:
    from tests.views.conftest import Page, Pages


def inert(page: "Page") -> None:
    """Nothing of the page can change anything."""
    assert not page.forms
    for tag, told in page.attributes:
        if tag in ("input", "select", "textarea"):
            assert "data-navigation" in told
        if tag == "button":
            assert told.get("type") == "button"
        assert not any(name in told for name in ("hx-post", "hx-put", "hx-patch", "hx-delete"))


def test_every_event_has_its_page_and_none_can_act(pages: "Pages") -> None:
    run = pages.company.finished("1")
    last = pages.company.told(run)["last_event"]
    for at in range(1, last + 1):
        page = pages.rosa.get(f"/runs/{run}/replay?at={at}")
        inert(page)
        assert f"{at} of {last}" in page.text
    assert pages.company.told(run)["last_event"] == last


def test_the_page_begins_at_the_end_and_its_links_walk_it(pages: "Pages") -> None:
    run = pages.company.finished("1")
    last = pages.company.told(run)["last_event"]
    page = pages.rosa.get(f"/runs/{run}/replay")
    assert f"{last} of {last}" in page.text
    assert "Care review is done: Approved" in page.text
    assert f"/runs/{run}/replay?at={last - 1}" in page.links
    assert "?at=1" in page.links
    fragment = pages.rosa.get(f"/runs/{run}/replay?at=3", htmx="replay")
    assert "<html" not in fragment.html
    assert fragment.html.lstrip().startswith("<title>Replay, event 3, ")


def test_values_are_those_of_then_and_changed_since_shows_now(pages: "Pages") -> None:
    run = pages.company.at("rate")
    pages.olivia.get(f"/runs/{run}")
    at = pages.company.told(run)["last_event"]
    pages.company.sql("update customer set email = 'later@customers.example' where id = 1")
    then = pages.olivia.get(f"/runs/{run}/replay?at={at}")
    assert "adaeze@customers.example" in then.text
    assert "later@customers.example" not in then.text
    since = next(link for link in then.links if "since=1" in link)
    both = pages.olivia.get(since)
    inert(both)
    assert "adaeze@customers.example" in both.text
    assert "Now: later@customers.example" in both.text


def test_changed_since_keeps_what_is_uncovered_one_by_one(pages: "Pages") -> None:
    run = pages.company.at("rate", by="mona")
    pages.mona.get(f"/runs/{run}")
    at = pages.company.told(run, "mona")["last_event"]
    pages.company.sql("update customer set tax_id = 'IE987', email = 'later@customers.example' where id = 1")
    address = f"/runs/{run}/replay?at={at}&since=1"
    assert "Now: IE987" in pages.mona.get(address).text
    access.grant("lead", "collection:customer", ["reveal"], team="operations")
    access.refresh()
    page = pages.mona.get(address)
    assert "IE987" not in page.html
    assert "IE123" not in page.html
    assert "••••••masked" in page.text.replace(" ", "")


@contextmanager
def spied(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The collections whose records were asked for by their keys."""
    asked: list[str] = []
    named = records.named

    def noted(collection: str, *more: Any) -> Any:
        asked.append(collection)
        return named(collection, *more)

    with monkeypatch.context() as patched:
        patched.setattr(records, "named", noted)
        yield asked


def test_rows_and_answers_that_differ_today_are_marked(pages: "Pages", monkeypatch: pytest.MonkeyPatch) -> None:
    related = [{"name": "accounts", "relation": "account", "fields": ["iban", "status"]}]
    workflow("rows", {"type": "get_data", "config": {"fields": ["display_name"], "related": related}, "next": {"default": "rate"}})
    run = at_note(pages.company, "rows")
    pages.olivia.get(f"/runs/{run}")
    at = pages.company.told(run)["last_event"]
    revision = pages.company.told(run)["revision"]
    runs.complete(pages.company.olivia, run, runs.Submission(step="note", revision=revision, values={}))
    pages.olivia.get(f"/runs/{run}")
    pages.company.answer(run, risk="low")
    rated = next(
        event["n"]
        for event in runs.events(pages.company.olivia, run, limit=100)[0]
        if event["kind"] == "step_completed" and event["step"] == "rate"
    )
    first, second = pages.company.sql("select iban from account where customer_id = 1 order by iban")
    pages.company.sql("update account set status = 'frozen' where iban = ?", first[0])
    pages.company.sql("delete from account where iban = ?", second[0])
    pages.company.sql("update customer set risk = 'high' where id = 1")
    then = pages.olivia.get(f"/runs/{run}/replay?at={at}")
    assert "frozen" not in then.text.lower()
    with spied(monkeypatch) as asked:
        since = pages.olivia.get(f"/runs/{run}/replay?at={at}&since=1")
    assert "Now: Frozen" in since.text or "Now: frozen" in since.text
    assert "Not there today, or not yours to see" in since.text
    assert sorted(asked) == ["account", "customer"], "one question for each collection"
    inert(since)
    answered = pages.olivia.get(f"/runs/{run}/replay?at={rated}&since=1")
    assert "In the record now: High" in answered.text


def test_at_the_moment_of_a_choice_it_is_marked(pages: "Pages") -> None:
    run = pages.company.at("decide")
    pages.olivia.get(f"/runs/{run}")
    pages.company.answer(run)
    [chosen] = [event["n"] for event in runs.events(pages.company.olivia, run, limit=100)[0] if event["kind"] == "outcome_chosen"]
    page = pages.olivia.get(f"/runs/{run}/replay?at={chosen}")
    [marked] = [told for told in page.with_attribute("class") if told["class"] == "outcome chosen"]
    assert marked
    assert not [
        told
        for told in pages.olivia.get(f"/runs/{run}/replay?at={chosen - 1}").with_attribute("class")
        if told["class"] == "outcome chosen"
    ]


def test_cancelled_attempts_stay_struck_through(pages: "Pages") -> None:
    run = pages.company.at("decide")
    runs.revise(pages.company.olivia, run, revision=pages.company.told(run)["revision"], step="note", attempt=None, reason="Again.")
    page = pages.olivia.get(f"/runs/{run}/replay")
    assert [told["class"] for told in page.with_attribute("class") if told["class"].startswith("step cancelled")]
    inert(page)


@pytest.mark.parametrize("at", ["0", "-1", "9999", "x", "1.5", "99999999999999"])
def test_an_event_that_is_not_there_is_not_found(pages: "Pages", at: str) -> None:
    run = pages.company.started("1")
    pages.olivia.get(f"/runs/{run}/replay?at={at}", status=404)


def test_replay_takes_no_other_method(pages: "Pages") -> None:
    run = pages.company.started("1")
    pages.olivia.post(f"/runs/{run}/replay?at=1", {"csrf_token": pages.olivia.token}, status=405)


def test_long_runs_have_a_bounded_scrubber() -> None:
    from datetime import UTC, datetime, timedelta

    from console.views.formats import Look
    from console.views.run import replay

    begin = datetime(2026, 11, 20, tzinfo=UTC)
    events = [
        {
            "n": n,
            "kind": "step_completed",
            "at": begin + timedelta(hours=n),
            "actor": "person" if n % 2 else "automatic",
            "sentence": "x",
            "decision": n % 3 == 0,
        }
        for n in range(1, 5001)
    ]
    ticks = replay.ticks(events, 2500, lambda n: f"?at={n}", Look(now=begin))
    assert len(ticks) <= replay.MOST_TICKS + 5
    assert {1, 2499, 2500, 2501, 5000} <= {tick.n for tick in ticks}
    assert [tick.n for tick in ticks if tick.here] == [2500]
    assert ticks[1].pause
    short = replay.ticks(events[:10], 3, lambda n: f"?at={n}", Look(now=begin))
    assert [tick.tone for tick in short[:2]] == ["person", "automatic"]


def test_a_mark_names_the_day_once_and_not_the_run_again() -> None:
    from datetime import UTC, datetime, timedelta

    from console.views.formats import Look
    from console.views.run import replay

    begin = datetime(2026, 11, 20, 22, 0, tzinfo=UTC)
    events = [
        {
            "n": n,
            "kind": "step_entered",
            "at": begin + timedelta(hours=n),
            "actor": "engine",
            "sentence": "Care on Ada came to “Note”",
            "decision": False,
        }
        for n in range(1, 4)
    ]
    told = replay.ticks(events, 1, lambda n: f"?at={n}", Look(now=begin, zone="UTC"), "Care on Ada ")
    assert [tick.sentence for tick in told] == ["Came to “Note”"] * 3
    assert [tick.when for tick in told] == ["20 Nov 2026, 23:00:00", "21 Nov 2026, 00:00:00", "01:00:00"]


def test_a_long_run_keeps_what_people_and_models_did_far_from_the_event_at_hand() -> None:
    from datetime import UTC, datetime

    from console.views.formats import Look
    from console.views.run import replay

    begin = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
    kinds = {50: "proposal_requested", 60: "step_completed"}
    events = [
        {
            "n": n,
            "kind": kinds.get(n, "step_entered"),
            "at": begin,
            "actor": "person" if n == 60 else "engine",
            "sentence": "x",
            "decision": False,
        }
        for n in range(1, 301)
    ]
    told = {tick.n: tick.tone for tick in replay.ticks(events, 300, lambda n: f"?at={n}", Look(now=begin))}
    assert (told.get(50), told.get(60), told.get(70)) == ("proposal", "person", None)
    assert {1, 300, 290} <= told.keys()


def test_while_its_change_is_made_what_was_handed_in_is_known_and_has_no_outcome_yet(pages: "Pages") -> None:
    run = pages.company.finished("1")
    found = runs.events(pages.company.olivia, run, limit=100)[0]
    for kind, outcome in (("step_submitted", None), ("step_completed", "updated")):
        [at] = [event["n"] for event in found if event["kind"] == kind and event["step"] == "rate"]
        then = runs.replay(pages.company.olivia, run, at).run
        [rated] = [each for each in then.json["attempts"] if each["step"] == "rate"]
        assert (rated["outcome"], then.chosen["rate", 1]) == (outcome, "updated")
