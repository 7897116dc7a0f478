"""Replay pages: what was shown and answered, and nothing on them that could act."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from console import log, records, runs, workflows
from console.auth import access
from tests.papers import at_note, workflow
from tests.runs.commands.test_gathered import document, submitted
from tests.runs.commands.test_loop import begin, hand_in

if TYPE_CHECKING:
    from tests.views.conftest import Page, Pages

pytestmark = pytest.mark.lengthy


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


def test_replay_opens_at_the_start_and_shows_choices_before_fields_as_the_form_did(pages: "Pages") -> None:
    run = pages.company.at("decide")
    form = pages.olivia.get(f"/runs/{run}")
    at = pages.company.told(run)["last_event"]
    start = pages.rosa.get(f"/runs/{run}/replay")
    assert f"1 of {at}" in start.text
    assert "UTC" not in start.text
    then = pages.rosa.get(f"/runs/{run}/replay?at={at}")
    choices = [label for label in ("Approve", "Reject") if label in form.text]
    assert choices
    for page in (form, then):
        step = page.text[page.text.index("What do you decide?") :]
        assert [label for label in choices if label in step] == choices


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
    named = records.records_by_key

    def noted(collection: str, *more: Any) -> Any:
        asked.append(collection)
        return named(collection, *more)

    with monkeypatch.context() as patched:
        patched.setattr(records, "records_by_key", noted)
        yield asked


def test_rows_and_answers_that_differ_today_are_marked(
    pages: "Pages", monkeypatch: pytest.MonkeyPatch
) -> None:
    related = [{"name": "accounts", "relation": "account", "fields": ["iban", "status"]}]
    workflow(
        "rows",
        {
            "type": "get_data",
            "config": {"fields": ["display_name"], "related": related},
            "next": {"default": "rate"},
        },
    )
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


@pytest.mark.parametrize("at", ["0", "-1", "9999", "x", "1.5", "99999999999999"])
def test_an_event_that_is_not_there_is_not_found(pages: "Pages", at: str) -> None:
    run = pages.company.started("1")
    pages.olivia.get(f"/runs/{run}/replay?at={at}", status=404)


def test_a_screen_of_several_steps_is_one_screen_in_replay(pages: "Pages") -> None:
    workflows.import_file(document(), publish=True)
    company = pages.company
    run = runs.start(company.olivia, "gathered", "customer", "1", {"why": "periodic"})
    company.answer(run)
    pages.olivia.get(f"/runs/{run}")
    shown = company.told(run)["last_event"]
    submitted(company, run)
    numbers = {(event.type, event.open.get("n")): event.n for event in log.events_of(run)}
    note = next(
        event.open["n"] for event in log.events_of(run) if (event.body["step"] or {}).get("id") == "note"
    )
    first, last = (numbers["step_entered", note], numbers["step_completed", note + 3])
    then = pages.rosa.get(f"/runs/{run}/replay?at={shown}")
    assert "Twice." not in then.text
    for at in (numbers["step_completed", note], numbers["step_shown", note + 2], last):
        page = pages.rosa.get(f"/runs/{run}/replay?at={at}")
        inert(page)
        places = [
            page.text.index(words)
            for words in ("Judgement", "Fine.", "Twice.", "High", "Events of this screen")
        ]
        assert places == sorted(places), at
        assert {f"/runs/{run}/replay?at={first - 1}", f"/runs/{run}/replay?at={last + 1}"} <= set(page.links)


def test_each_item_of_a_screen_has_the_checks_that_were_beside_it(pages: "Pages") -> None:
    known = {"id": "known", "label": "Number", "about": "values", "pass": "item.iban != null"}
    run = begin(pages.company, {"screen": "one", "checks": [known]})
    keys = [item["key"] for item in pages.company.told(run)["current"]["progress"]["items"]]
    pages.olivia.get(f"/runs/{run}")
    for number, key in enumerate(keys):
        pages.olivia.get(f"/runs/{run}/checks?item={key}&part={number}", htmx="checks")
    for key in keys:
        hand_in(pages.company, run, key, verdict="good")
    done = [event.n for event in log.events_of(run) if event.type == "step_completed"][1:]
    for at in done[: len(keys)]:
        page = pages.rosa.get(f"/runs/{run}/replay?at={at}")
        assert page.text.count("Checked by rule") == len(keys), at
        ids = Counter(told["id"] for told in page.with_attribute("id"))
        assert [name for name, count in ids.items() if count > 1] == []
