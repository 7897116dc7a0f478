"""Configuration of a workflow: a change is a new version for the runs that start next; alerts are set and taken away there."""

import copy
import re
from typing import TYPE_CHECKING, Any

import pytest

from console import workflows
from console.work import due_times
from tests.company import DOCUMENT
from tests.support.failing import REMINDING

if TYPE_CHECKING:
    from tests.views.conftest import Pages

pytestmark = pytest.mark.lengthy

PLACE = "/workflows/care-review/configuration"


def rule_document(**more: Any) -> dict[str, Any]:
    return (
        copy.deepcopy(DOCUMENT)
        | {"variables": {"days": 90, "exact": True, "words": ["a"], "name": "Fernwick"}}
        | more
    )


def test_what_is_saved_is_a_new_version_and_nothing_else_of_the_draft_is(pages: "Pages") -> None:
    workflows.import_file(rule_document(), publish=True)
    workflows.import_file(rule_document(description="Half written"))
    inside = pages.company.started()
    mona = pages.mona
    page = mona.get(PLACE)
    mona.post(PLACE, page.form(PLACE)["fields"] | {"retries": "7", "timeout_ms": "5"})
    live = workflows.live("care-review")
    assert (live.number, live.document.settings.retries, live.document.settings.timeout_ms) == (3, 7, 300_000)
    assert live.document.description is None
    draft = workflows.definition(pages.company.mona, "care-review")
    assert (draft["settings"]["retries"], draft["description"]) == (7, "Half written")
    assert pages.company.told(inside)["version"] == 2
    assert pages.company.told(pages.company.started("2"))["version"] == 3
    page = mona.get(PLACE)
    assert page.form(PLACE)["fields"]["timeout_ms"] == "5"
    refused = mona.post(
        PLACE, page.form(PLACE)["fields"] | {"retries": "1.5", "backoff_ms": "0.0001"}, status=422
    )
    assert "Max retries: a whole number." in refused.text
    assert "Backoff: a number." in refused.text
    mona.post(PLACE, page.form(PLACE)["fields"] | {"backoff_ms": "2.5", "timeout_ms": "0.25"})
    settings = workflows.live("care-review").document.settings
    assert (settings.backoff_ms, settings.timeout_ms) == (2_500, 15_000)
    mona.post(PLACE, mona.get(PLACE).form(PLACE)["fields"] | {"timeout_ms": ""})
    assert workflows.live("care-review").document.settings.timeout_ms is None


def test_two_who_save_at_once_undo_nothing_of_each_other(pages: "Pages") -> None:
    workflows.import_file(rule_document(), publish=True)
    mona, stale = pages.mona, pages.mona.get(PLACE).form(PLACE)["fields"]
    mona.post(PLACE, stale | {"retries": "7"})
    mona.post(PLACE, stale | {"parallel": "11"})
    settings = workflows.live("care-review").document.settings
    assert (settings.retries, settings.parallel) == (7, 11), (
        "what was not touched stays as the other saved it"
    )
    page = mona.post(PLACE, stale | {"retries": "9", "visit_limit": "8"}, status=409)
    assert "Somebody else changed this meanwhile, to 7." in page.text
    again = page.form(PLACE)["fields"]
    assert (again["retries"], again["visit_limit"]) == ("9", "8"), "what was typed stays"
    mona.post(PLACE, again)
    settings = workflows.live("care-review").document.settings
    assert (settings.retries, settings.parallel, settings.visit_limit) == (9, 11, 8)
    for odd in ("", "[]", "{", "null", '{"retries": [1]}', "[" * 50_000):
        mona.post(PLACE, mona.get(PLACE).form(PLACE)["fields"] | {"drawn": odd})


def test_what_cannot_be_is_named_and_what_was_typed_stays(pages: "Pages") -> None:
    workflows.import_file(rule_document(), publish=True)
    fields = pages.mona.get(PLACE).form(PLACE)["fields"]
    for changed, words in (
        ({"retries": "many"}, "Max retries: a whole number."),
        ({"retries": "99"}, "at most"),
    ):
        page = pages.mona.post(PLACE, fields | changed, status=422)
        assert words in page.text
        assert next(iter(changed.values())) in page.form(PLACE)["fields"].values()
    assert workflows.live("care-review").number == 2


def test_the_pace_and_the_inbox_are_set_and_taken_back(pages: "Pages") -> None:
    workflows.import_file(rule_document(), publish=True)
    names = ("parallel", "per_minute", "per_day", "inbox")
    fields = pages.mona.get(PLACE).form(PLACE)["fields"]
    pages.mona.post(
        PLACE, fields | {"parallel": "2", "per_minute": "60", "per_day": "1,000", "inbox": "desk"}
    )
    live = workflows.live("care-review").document.settings
    assert [getattr(live, name) for name in names] == [2, 60, 1_000, "desk"]
    page = pages.mona.get(PLACE)
    fields = page.form(PLACE)["fields"]
    assert [fields[name] for name in names] == ["2", "60", "1000", "desk"]
    assert "Compliance desk" in page.text
    for wrong, words in (
        ({"parallel": "0"}, "at least 1"),
        ({"per_day": "1000001"}, "at most"),
        ({"inbox": "nowhere"}, "There is no inbox nowhere"),
    ):
        assert words in pages.mona.post(PLACE, fields | wrong, status=422).text
    pages.mona.post(PLACE, fields | dict.fromkeys(names, ""))
    live = workflows.live("care-review").document.settings
    assert [getattr(live, name) for name in names] == [None] * 4


def test_who_may_not_change_it_reads_it(pages: "Pages") -> None:
    page = pages.olivia.get(PLACE)
    assert "you need the rights to edit and to publish" in page.text
    pages.olivia.post(PLACE, {"csrf_token": pages.olivia.token, "retries": "1"}, status=403)
    pages.stan.get(PLACE, status=404)


def test_alerts_are_set_and_taken_away(pages: "Pages") -> None:
    workflows.import_file(REMINDING, publish=True)
    mona, place = pages.mona, "/workflows/reminding/alerts"
    page = mona.get("/workflows/reminding/configuration")
    offered = re.findall(r'name="people"\s+value="([^"]+)"[^>]*><span>([^<]+)', page.html)
    assert ("tom@fernwick.example", "Tom") in offered
    assert "stan@fernwick.example" not in dict(offered), "who may not see it"
    people = ["mona@fernwick.example", "tom@fernwick.example"]
    page = mona.post(place, {"csrf_token": mona.token, "kind": "slow", "people": people}, status=422)
    assert "How many minutes" in page.text
    assert len(re.findall(r'name="people"\s+value="[^"]+" checked', page.html)) == len(people), (
        "what was chosen is kept"
    )
    mona.post(place, {"csrf_token": mona.token, "kind": "failed", "people": people, "mail": "on"})
    page = mona.get("/workflows/reminding/configuration")
    assert "When a run fails" in page.text
    assert "tells Mona, Tom" in page.text
    assert "by e-mail too once a mail server is set up" in page.text
    assert "No mail server is set up, so nothing leaves by e-mail" in page.text
    (remove,) = [form["action"] for form in page.forms if form["action"].endswith("/remove")]
    change = remove.removesuffix("/remove")
    page = mona.get(f"/workflows/reminding/configuration?alert={change.rsplit('/', 1)[1]}")
    (form,) = [form for form in page.forms if form["action"] == change]
    assert form["fields"]["kind"] == "failed"
    assert re.search(r'name="mail" checked', page.html)
    assert len(re.findall(r'name="people"\s+value="[^"]+" checked', page.html)) == len(people), (
        "whom it tells is ticked"
    )
    page = mona.post(change, {**form["fields"], "kind": "error", "pattern": ""}, status=422)
    assert "Change the alert" in page.text
    mona.post(change, {"csrf_token": mona.token, "kind": "error", "pattern": "time*", "people": people[:1]})
    page = mona.get("/workflows/reminding/configuration")
    assert "When the error is like “time*”" in page.text
    assert "tells Mona ·" in page.text
    mona.post(remove, {"csrf_token": mona.token})
    assert "Nobody gets a notice when a run fails" in mona.get("/workflows/reminding/configuration").text


def test_a_due_time_is_set_in_hours_and_shown_at_its_runs(pages: "Pages") -> None:
    run_id, mona, place = pages.company.started(), pages.mona, "/workflows/care-review/due-time"
    page = mona.get(place)
    fields = page.form(place)["fields"]
    wrong = {
        "hours": "soon",
        "people": "nobody@x.example",
        "days": "",
        "holidays": "2026-12-25 25 December",
        "remind_after": "-4",
    }
    page = mona.post(place, fields | wrong, status=422)
    assert page.text.count("How many hours, such as 16 or 1.5.") == 3, "once above, and at each of two fields"
    assert "Nobody signs in as nobody@x.example." in page.text
    assert "There is no day 25; one looks like 2026-12-25." in page.text
    assert "Choose the days on which work is done." in page.text
    mona.post(
        place,
        fields
        | {
            "hours": "1.5",
            "people": "tom@fernwick.example",
            "inbox": "desk",
            "closes": "00:00",
            "opens": "00:00",
        }
        | {"remind_after": "4", "substitute_after": "8"},
    )
    assert mona.get(place).form(place)["fields"]["substitute_after"] == "8"
    text = mona.get(PLACE).text
    for words in (
        "within 1.5 hours of work, around the clock",
        "At 50 % it reminds who holds it.",
        "At 80 % it tells Tom",
        "At 100 % it moves it to Compliance desk.",
        "When an approval has waited 4 hours of work it reminds who may decide.",
        "When an approval has waited 8 hours of work it tells who stands in for them.",
    ):
        assert words in text, words
    journal = mona.get(f"/workflows/care-review/executions/{run_id}")
    assert "Of its age of " in journal.text
    bar = " ".join(journal.html.partition("<meter")[2].partition(">")[0].split())
    assert 'low="79" high="99" optimum="0"' in bar, (
        "browsers draw it green, yellow and red as the words beside it say"
    )
    known = next(each for each in workflows.all_known() if each.slug == "care-review")
    stages = [{"percent": 70, "do": "tell", "people": [pages.company.tom.id]}]
    due_times.set_for_workflow(pages.company.mona, known, {"minutes": 60, "stages": stages})
    assert "At 70 % it tells Tom" in mona.get(place).text, "what saving the form would take away is said"
    pages.olivia.post(place, fields | {"hours": "1"}, status=403)
    mona.post(place, {"csrf_token": mona.token, "remove": "1"})
    assert "no run is ever overdue" in mona.get(PLACE).text
