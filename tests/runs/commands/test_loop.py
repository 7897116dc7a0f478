"""A list gone through by people: one item after the other, by several hands, while the list itself changes."""

from typing import Any

import pytest

from console import runs, sources, workflows
from console.auth import access
from console.core.errors import Conflict, Invalid
from console.runs.store import typed_drafts
from tests.company import Company
from tests.runs.commands.test_midway import denied, ruled
from tests.support.engine import whole

LOOP: dict[str, Any] = {
    "items": {"relation": "account", "fields": ["iban", "status"], "sort": "iban"},
    "title": "{{ item.iban }}",
    "form": [
        {
            "name": "verdict",
            "label": "Verdict",
            "type": "enum",
            "required": True,
            "options": [{"value": "good", "label": "Good"}, {"value": "bad", "label": "Bad"}],
        },
        {
            "name": "remark",
            "label": "Remark",
            "required_if": "item.verdict == 'bad' && item.status == 'open'",
        },
    ],
    "gather": [{"name": "rejected", "if": "item.verdict == 'bad'", "value": "item.iban"}],
    "branches": [{"if": "size(steps.check.rejected) > 0", "outcome": "bad"}],
}


def document(loop: dict[str, Any] | None = None, **settings: Any) -> dict[str, Any]:
    return {
        "format": 1,
        "slug": "check-list",
        "title": "Check list",
        "collection": "customer",
        "team": "operations",
        "roles": ["operator"],
        "settings": settings,
        "steps": [
            {"id": "start", "type": "start", "title": "Start", "next": {"default": "check"}},
            {
                "id": "check",
                "type": "loop",
                "title": "Check each",
                "config": {**LOOP, **(loop or {})},
                "next": {"bad": "sorry", "default": "fine"},
            },
            {
                "id": "sorry",
                "type": "guidance",
                "title": "Sorry",
                "config": {"text": "{{ steps.check.rejected }}"},
                "next": {"default": "again"},
            },
            {"id": "again", "type": "go_to", "title": "Again", "next": {"default": "check"}},
            {
                "id": "fine",
                "type": "guidance",
                "title": "Fine",
                "config": {"text": "{{ steps.check.count }} done"},
                "next": {"default": "end"},
            },
            {"id": "end", "type": "end", "title": "End"},
        ],
    }


def begin(company: Company, loop: dict[str, Any] | None = None, record: str = "1", **settings: Any) -> str:
    workflows.import_file(document(loop, **settings), publish=True)
    return runs.start(company.olivia, "check-list", "customer", record, {})


def hand_in(
    company: Company,
    run_id: str,
    item: str | None = None,
    by: str = "olivia",
    outcome: str | None = None,
    **values: Any,
) -> dict[str, Any]:
    told = company.told(run_id, by)
    key = item or told["current"]["progress"]["key"]
    runs.complete(
        company.people[by],
        run_id,
        runs.Submission(
            step="check", revision=told["revision"], values={"item": key, **values}, outcome=outcome
        ),
    )
    return company.told(run_id, by)


def states(told: dict[str, Any]) -> list[tuple[str, str]]:
    return [(item["key"][-1], item["state"]) for item in told["current"]["progress"]["items"]]


def test_one_item_after_the_other_then_the_way_by_all_of_them(company: Company) -> None:
    run_id = begin(company)
    told = company.told(run_id)
    assert (told["status"], told["current"]["type"], told["current"]["take_over"]) == (
        "waiting_person",
        "loop",
        None,
    )
    assert states(told) == [("8", "todo"), ("9", "todo")]
    assert told["current"]["progress"]["item"]["rows"][0]["values"] == {
        "iban": "LT459999900012345678",
        "status": "open",
    }
    told = hand_in(company, run_id, verdict="good")
    assert states(told) == [("8", "done"), ("9", "todo")]
    assert told["context"]["check"]["done"] == 1
    told = hand_in(company, run_id, verdict="bad")
    assert told["current"]["step"] == "sorry"
    found = told["context"]["check"]
    assert (found["count"], found["done"], found["finished"], found["rejected"]) == (
        2,
        2,
        True,
        ["LT459999900012345679"],
    )
    assert [(item["title"], item["values"]["verdict"]) for item in found["items"]] == [
        ("LT45 9999 9000 1234 5678", "good"),
        ("LT459999900012345679", "bad"),
    ]
    whole(run_id)


def test_a_form_of_an_item_looks_at_the_item_and_at_itself(company: Company) -> None:
    run_id = begin(company)
    with pytest.raises(Invalid) as wrong:
        hand_in(company, run_id, verdict="bad")
    assert [detail["field"] for detail in wrong.value.details] == ["remark"]
    with pytest.raises(Invalid) as wrong:
        runs.complete(
            company.olivia,
            run_id,
            runs.Submission(step="check", revision=None, values={"item": None, "verdict": "good"}),
        )
    assert (
        wrong.value.details[0]["reason"]
        == "Say which item this is for: `item`, such as LT459999900012345678."
    )
    runs.complete(
        company.olivia, run_id, runs.Submission(step="check", revision=None, values={"verdict": "good"})
    )
    assert states(company.told(run_id)) == [("8", "done"), ("9", "todo")], (
        "a program that names no item means the one at hand"
    )


def test_an_answer_without_its_item_is_for_nobody_where_several_were_shown(company: Company) -> None:
    run_id = begin(company)
    revision = runs.get(company.olivia, run_id, "LT459999900012345678").json["revision"]
    runs.get(company.olivia, run_id, "LT459999900012345679")
    with pytest.raises(Conflict) as refused:
        runs.complete(
            company.olivia,
            run_id,
            runs.Submission(step="check", revision=revision, values={"verdict": "good"}),
        )
    assert [detail["field"] for detail in refused.value.details] == ["item"]
    assert states(company.told(run_id)) == [("8", "todo"), ("9", "todo")]


def test_an_answer_without_its_item_is_for_the_one_that_was_shown(company: Company) -> None:
    run_id = begin(company)
    runs.get(company.olivia, run_id, "LT459999900012345679")
    revision = runs.get(company.olivia, run_id, "LT459999900012345679").json["revision"]
    runs.complete(
        company.olivia,
        run_id,
        runs.Submission(step="check", revision=revision, values={"verdict": "bad", "remark": "Smudged"}),
    )
    assert states(company.told(run_id)) == [("8", "todo"), ("9", "done")]
    whole(run_id)


def test_items_come_and_go_meanwhile(company: Company) -> None:
    run_id = begin(company)
    hand_in(company, run_id, verdict="good")
    company.sql("delete from account where iban = 'LT459999900012345679'")
    company.sql(
        "insert into account values ('LT459999900012345670', 1, 'open'), ('LT459999900012345671', 1, 'open')"
    )
    with pytest.raises(Invalid, match="Nothing was saved"):
        hand_in(company, run_id, "LT459999900012345679", verdict="good")
    assert states(company.told(run_id)) == [("0", "todo"), ("1", "todo"), ("8", "done")]
    company.sql("delete from account where iban = 'LT459999900012345678'")
    hand_in(company, run_id, verdict="good")
    told = hand_in(company, run_id, verdict="good")
    assert told["current"]["step"] == "fine"
    assert [item["key"][-1] for item in told["context"]["check"]["items"]] == ["0", "1"], (
        "what is gone from the list does not count"
    )


def test_revising_the_list_keeps_what_was_done_of_it(company: Company) -> None:
    run_id = begin(company)
    hand_in(company, run_id, verdict="good")
    hand_in(company, run_id, verdict="good")
    runs.revise(company.olivia, run_id, revision=None, step="check", attempt=None, reason="Looked again")
    told = company.told(run_id)
    assert states(told) == [("8", "done"), ("9", "todo")]
    assert (told["current"]["progress"]["key"][-1], told["current"]["form"]["fields"][0]["value"]) == (
        "9",
        "good",
    )
    told = hand_in(company, run_id, "LT459999900012345678", verdict="bad", remark="Torn")
    told = hand_in(company, run_id, verdict="good")
    assert (told["current"]["step"], told["context"]["check"]["rejected"]) == (
        "sorry",
        ["LT459999900012345678"],
    )
    whole(run_id)


EDIT: dict[str, Any] = {
    "items": {"collection": "customer", "fields": ["desk"], "where": "record.id <= 2", "sort": "id"},
    "form": [{"name": "remark", "label": "Remark"}],
    "edit": ["risk"],
    "required": ["risk"],
    "set": [{"field": "updated_at", "value": "item.remark"}],
    "title": "{{ item.desk }}",
    "gather": [{"name": "rejected", "if": "item.remark == 'bad'"}],
}


@pytest.mark.parametrize("done", [0, 1])
@pytest.mark.parametrize(
    ("loop", "values"),
    [({**LOOP, "screen": "one"}, {"verdict": "good"}), (EDIT, {"risk": "high", "remark": "fine"})],
)
def test_what_is_typed_for_other_items_is_kept_when_one_is_handed_in_elsewhere(
    company: Company, loop: dict[str, Any], values: dict[str, Any], done: int
) -> None:
    run_id = begin(company, loop)
    told = company.told(run_id)
    keys = [item["key"] for item in told["current"]["progress"]["items"]]
    part = typed_drafts.item_part("check", keys[1])
    typed = {"item": keys[0], "remark": f"of {keys[0]}", f"{part}/remark": f"of {keys[1]}"}
    runs.draft(company.olivia, run_id, step="check", revision=told["revision"], values=typed)
    seen = runs.get(company.olivia, run_id, keys[done]).json
    given = runs.Submission("check", seen["revision"], {"item": keys[done], **values})
    told = runs.complete_and_look(company.olivia, run_id, given).json
    assert [item["state"] for item in told["current"]["progress"]["items"]].count("done") == 1
    left = typed_drafts.drafts_of_items(told["current"]["draft"]["values"])
    (other,) = {*keys} - {keys[done]}
    assert {key: each["remark"] for key, each in left.items()} == {other: f"of {other}"}


def test_fields_of_the_items_record_are_written_compared_and_set(company: Company) -> None:
    run_id = begin(company, EDIT)
    told = company.told(run_id)
    fields = {field["name"]: field for field in told["current"]["form"]["fields"]}
    assert {name: (one["readonly"], one["now"]) for name, one in fields.items() if name != "remark"} == {
        "risk": (False, None),
        "updated_at": (True, None),
    }
    with pytest.raises(Invalid):
        hand_in(company, run_id, remark="x")
    told = hand_in(company, run_id, risk="high", remark="x")
    assert company.sql("select id, risk from customer where id < 3") == [(1, "high"), (2, "low")]
    assert (told["status"], states(told)) == ("waiting_person", [("1", "done"), ("2", "todo")])
    company.sql("update customer set risk = 'medium' where id = 2")
    runs.complete(
        company.olivia,
        run_id,
        runs.Submission(step="check", revision=told["revision"], values={"item": "2", "risk": "high"}),
    )
    told = company.told(run_id)
    assert (told["current"]["errors"][0]["field"], told["current"]["take_over"]) == ("risk", None), (
        "what moved is not overwritten"
    )
    assert told["current"]["progress"]["key"] == "2"
    told = hand_in(company, run_id, risk="high")
    assert (told["current"]["step"], company.sql("select risk from customer where id = 2")) == (
        "fine",
        [("high",)],
    )
    whole(run_id)


def test_what_was_seen_of_one_item_is_not_compared_with_another(company: Company) -> None:
    run_id = begin(company, EDIT)
    assert runs.get(company.olivia, run_id, "2").screen
    assert runs.get(company.olivia, run_id, "1").screen
    company.sql("update customer set risk = 'medium' where id = 2")
    with pytest.raises(Invalid) as wrong:
        runs.complete(
            company.olivia,
            run_id,
            runs.Submission(step="check", revision=None, values={"item": "2", "risk": "high"}),
        )
    assert wrong.value.details[0]["reason"].startswith("You turned to another item")
    assert company.sql("select risk from customer where id = 2") == [("medium",)]


def test_without_the_right_to_change_the_record_nothing_is_written(company: Company) -> None:
    run_id = begin(company, EDIT)
    with ruled(denied(company.olivia.id, "collection:customer", "update")), pytest.raises(Invalid) as wrong:
        runs.complete(
            company.olivia,
            run_id,
            runs.Submission(step="check", revision=None, values={"item": "1", "risk": "high"}),
        )
    assert "risk" in [detail["field"] for detail in wrong.value.details]
    assert company.sql("select risk from customer where id = 1") == [(None,)]


SECOND: dict[str, Any] = {"second": {"if": "item.verdict == 'good'", "title": "Two look at what is good"}}


def test_a_second_person_confirms_and_never_the_same(company: Company) -> None:
    run_id = begin(company, SECOND)
    hand_in(company, run_id, verdict="good")
    told = hand_in(company, run_id, verdict="bad")
    assert (states(told), told["current"]["outcomes"]) == ([("8", "second"), ("9", "done")], []), (
        "her own item is a form again"
    )
    with pytest.raises(Invalid) as wrong:
        hand_in(company, run_id, outcome="confirmed")
    assert (
        wrong.value.details[0]["reason"]
        == "Two look at what is good: you handled this item yourself, so somebody else has to confirm it."
    )
    runs.save(company.olivia, run_id, revision=None)
    runs.resume(company.tom, run_id, revision=None)
    told = company.told(run_id, "tom")
    assert [option["value"] for option in told["current"]["outcomes"]] == ["confirmed", "sent_back"]
    assert [(field["name"], field["readonly"]) for field in told["current"]["form"]["fields"]] == [
        ("verdict", True),
        ("remark", True),
        ("answer", False),
    ]
    with pytest.raises(Invalid):
        hand_in(company, run_id, by="tom", outcome="sent_back")
    told = hand_in(company, run_id, by="tom", outcome="sent_back", answer="Look at page 2")
    assert (states(told), "Look at page 2" in str(runs.get(company.tom, run_id).screen)) == (
        [("8", "todo"), ("9", "done")],
        True,
    )
    told = hand_in(company, run_id, by="tom", verdict="good")
    assert states(told)[0] == ("8", "second")
    runs.save(company.tom, run_id, revision=None)
    runs.resume(company.olivia, run_id, revision=None)
    told = hand_in(company, run_id, outcome="confirmed")
    assert told["current"]["step"] == "sorry"
    assert [(item["by"], item.get("second", {}).get("by")) for item in told["context"]["check"]["items"]] == [
        (company.tom.id, company.olivia.id),
        (company.olivia.id, None),
    ]
    whole(run_id)


@pytest.mark.parametrize("needed", [False, True])
def test_a_column_that_is_gone_is_left_out_of_each_item_unless_it_is_needed(
    company: Company, needed: bool
) -> None:
    access.grant("operator", "collection:account", ["update"], team="operations")
    items = {"relation": "account", "fields": ["iban"], "sort": "iban"}
    run_id = begin(
        company,
        {
            "items": items,
            "edit": ["status"],
            "form": LOOP["form"][:1],
            "required": ["status"] if needed else [],
        },
    )
    company.sql("alter table account rename column status to state")
    sources.refresh("company")
    view = runs.get(company.olivia, run_id)
    assert (view.vanished, view.down) == (["status"], None)
    assert view.screen is not None
    assert ("This step needs it" if needed else "This step goes on without it") in view.screen["text"], (
        "said before anything is typed"
    )
    if needed:
        with pytest.raises(Invalid) as refused:
            hand_in(company, run_id, verdict="good")
        assert "moved to that version" in refused.value.details[0]["reason"], (
            "nobody may change it: handing the run on helps nobody"
        )
    else:
        hand_in(company, run_id, verdict="good")
        assert company.told(run_id)["context"]["check"]["items"][0]["values"]["verdict"] == "good"
