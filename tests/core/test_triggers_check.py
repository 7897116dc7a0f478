"""What is wrong with the triggers of a document, with the field to mend."""

from typing import Any

from console import steps
from console.core.documents import workflow_check
from console.core.documents.workflow import read

DOCUMENT: dict[str, Any] = {
    "format": 1,
    "slug": "nightly",
    "title": "Nightly",
    "steps": [
        {
            "id": "start",
            "type": "start",
            "title": "Start",
            "config": {"fields": [{"name": "why", "label": "Why", "type": "text"}]},
            "next": {"default": "end"},
        },
        {"id": "end", "type": "end", "title": "End", "config": {"label": "Done"}, "next": {}},
    ],
}


def wrong(*triggers: dict[str, Any], **more: Any) -> dict[str, str]:
    told = [{"id": f"t{number}", **trigger} for number, trigger in enumerate(triggers)]
    found = workflow_check.check({**DOCUMENT, **more, "triggers": told}, steps.all_types())
    return {problem.field: problem.reason for problem in found if problem.field not in ("run_as", "")}


def test_a_signature_is_of_a_signed_webhook_and_covers_the_body() -> None:
    how = {"header": "X-Sig"}
    assert wrong({"kind": "webhook", "signed": True, "signature": how}) == {}
    assert list(wrong({"kind": "webhook", "signature": how})) == ["triggers[0].signature"]
    assert list(wrong({"kind": "schedule", "cron": "0 0 * * *", "signature": how})) == [
        "triggers[0].signature"
    ]
    assert any(
        field.startswith("triggers[0].signature")
        for field in wrong({"kind": "webhook", "signed": True, "signature": how | {"signed": "{id}"}})
    )


def test_each_field_that_is_wrong_is_named() -> None:
    found = wrong(
        {"kind": "schedule", "cron": "61 * * * *", "zone": "Mars"},
        {"kind": "event", "on": "record.upd", "collection": "order", "filter": "record.x == "},
        {"kind": "webhook", "cron": "* * * * *", "input": {"wy": "input.a", "why": "record.x"}},
        {"kind": "event", "on": "run.failed", "filter": "event.workflow == 'x' && steps.a.b == 1"},
        {"kind": "manual", "filter": "true"},
        {"kind": "schedule"},
        {"kind": "event", "on": "tag.added"},
    )
    assert set(found) == {
        "triggers[0].cron",
        "triggers[0].zone",
        "triggers[1].on",
        "triggers[1].filter",
        "triggers[2].cron",
        "triggers[2].input.wy",
        "triggers[2].input.why",
        "triggers[3].filter",
        "triggers[4].filter",
        "triggers[5].cron",
        "triggers[6].collection",
    }
    assert "is record.updated meant?" in found["triggers[1].on"]
    assert "is why meant?" in found["triggers[2].input.wy"]


def test_a_workflow_about_a_record_says_which_one_a_time_means() -> None:
    assert (
        "record" in wrong({"kind": "schedule", "cron": "0 2 * * *"}, collection="order")["triggers[0].record"]
    )
    other = {"kind": "event", "on": "record.created", "collection": "line"}
    assert set(wrong(other, collection="order")) == {"triggers[0].record"}
    assert wrong({**other, "record": "record.order_id"}, collection="order") == {}


def test_only_a_segment_has_an_order() -> None:
    assert set(wrong({"kind": "schedule", "cron": "0 2 * * *", "sort": "-name"})) == {"triggers[0].sort"}
    assert (
        wrong(
            {"kind": "schedule", "cron": "0 2 * * *", "segment": "late", "sort": "-name"}, collection="order"
        )
        == {}
    )


def test_the_same_triggers_are_the_same_bytes() -> None:
    trigger = {"input": {"why": "'it is time'"}, "cron": "0 2 * * *", "kind": "schedule", "id": "night"}
    assert read({**DOCUMENT, "triggers": [trigger]}).to_json()["triggers"] == [trigger]
    assert "triggers" not in read(DOCUMENT).to_json()
    assert [
        read({**DOCUMENT, "triggers": [{"id": "x", "kind": kind}]}).triggers[0].starts_enabled
        for kind in ("webhook", "api")
    ] == [
        False,
        True,
    ]


def test_a_schedule_names_a_record_or_a_segment() -> None:
    night = {"kind": "schedule", "cron": "0 2 * * *"}
    twice = wrong(night | {"segment": "late", "record": "'1'"}, collection="order")
    assert twice == {"triggers[0].record": "The trigger names a segment already: keep one of the two."}
    assert wrong(night | {"segment": "late"}) == {
        "triggers[0].segment": "The workflow is about no record: remove this, or name a collection."
    }
    assert wrong(night | {"segment": "late"}, collection="order") == {}


def test_a_webhook_that_reads_what_the_start_calls_almost_so_is_warned_of() -> None:
    reads = {"kind": "webhook", "record": "input.whi", "filter": "input.type == 'order'"}
    found = workflow_check.check(
        {**DOCUMENT, "collection": "order", "triggers": [{"id": "hook", **reads}]}, steps.all_types()
    )
    told = {problem.field: (problem.reason, problem.severity) for problem in found}
    assert told["triggers[0].record"] == (
        "The start asks for no whi: is why meant? Whoever calls has to send whi, or nothing starts.",
        "warning",
    )
    assert "triggers[0].filter" not in told, "nothing of the start is called like it"
