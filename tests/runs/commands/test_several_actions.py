"""A step that offers several actions, in a run: one of them is done, with its own form, rights, approval and key; and it is told so afterwards."""

from typing import Any

import pytest

from console import runs, workflows
from console.auth import access, accounts
from console.core.documents.saved_tests import ChosenAnswer, ChosenEnding
from console.core.errors import Conflict, Invalid
from console.core.run.simulation import Script
from console.monitoring import reports
from console.runs.simulation import dry_runs
from tests.ai.proposals.conftest import denied
from tests.company import Company
from tests.conftest import web_app
from tests.support.acting import imported
from tests.support.engine import step
from tests.support.paying import PAY, RECALL, providing
from tests.views.conftest import Pages

RATE: dict[str, Any] = {
    "format": 1,
    "id": "customer.rate",
    "title": "Set the risk",
    "collection": "customer",
    "form": [{"name": "level", "label": "Level", "type": "text", "required": True}],
    "effects": [
        {"kind": "sql_write", "name": "rated", "summary": "Sets the risk.", "set": {"risk": "input.level"}}
    ],
}
WRITE: dict[str, Any] = {
    "format": 1,
    "id": "customer.write",
    "title": "Change the address",
    "collection": "customer",
    "form": [
        {"name": "level", "label": "Level", "type": "text", "value": "record.email"},
        {"name": "email", "label": "New address", "type": "text", "required": True},
    ],
    "effects": [
        {
            "kind": "sql_write",
            "name": "written",
            "summary": "Changes the address.",
            "set": {"email": "input.email"},
        }
    ],
    "require": [{"if": "input.email != 'no'", "message": "Not this one.", "field": "email"}],
    "approval": [{"roles": ["lead"], "why": "{{ input.email }} is new."}],
}
ACT: dict[str, Any] = {
    "action": "customer.rate",
    "values": {"level": "record.risk"},
    "actions": [{"action": "customer.write", "values": {"email": "'new@example.org'"}}],
}


def begin(company: Company, config: dict[str, Any] = ACT, **more: Any) -> str:
    """A run that stands at the choice."""
    access.grant("operator", "collection:customer", ["act"], team="operations")
    access.grant("lead", "action:customer.write", ["approve"], team="operations")
    imported(RATE, WRITE)
    steps = [
        step("start", "start", "act"),
        step("act", "trigger_action", "after", config) | more,
        step("after", "guidance", "end", {"text": "{{ steps.act.action }} {{ steps.act.level }}"}),
        step("end", "end", None),
    ]
    document = {
        "format": 1,
        "slug": "picking",
        "title": "Picking",
        "team": "operations",
        "collection": "customer",
    }
    workflows.import_file(document | {"steps": steps}, publish=True)
    return runs.start(company.olivia, "picking", "customer", "1")


def answer(company: Company, run_id: str, outcome: str | None, **values: Any) -> dict[str, Any]:
    told = company.told(run_id)
    sent = runs.Submission(step="act", revision=told["revision"], values=values, outcome=outcome)
    runs.complete(company.olivia, run_id, sent)
    return company.told(run_id)


def test_one_of_several_actions_is_done_and_told_afterwards(company: Company) -> None:
    run_id = begin(company)
    current = company.told(run_id)["current"]
    assert [each["value"] for each in current["outcomes"]] == ["customer.rate", "customer.write"]
    told = answer(
        company, run_id, "customer.rate", customer__rate__level="high", customer__write__email="x@y.example"
    )
    assert told["current"]["step"] == "after"
    done = next(each for each in told["attempts"] if each["step"] == "act")
    assert (done["outcome"], done["values"]) == ("succeeded", {"customer__rate__level": "high"})
    assert [each["summary"] for each in done["effects"]] == ["Sets the risk."]
    assert {name: told["context"]["act"][name] for name in ("action", "level")} == {
        "action": "customer.rate",
        "level": "high",
    }
    chosen = next(each for each in runs.events(company.olivia, run_id)[0] if each["kind"] == "outcome_chosen")
    assert (chosen["data"]["outcome"], chosen["data"]["label"]) == ("customer.rate", "Set the risk")
    assert company.sql("select risk, email from customer where id = 1") == [
        ("high", "adaeze@customers.example")
    ]
    assert runs.replay(company.olivia, run_id).run.chosen["act", 1] == "customer.rate"


def test_without_a_choice_or_with_a_strange_one_nothing_is_done(company: Company) -> None:
    run_id = begin(company)
    for outcome in (None, "succeeded", "customer.pay"):
        with pytest.raises(Invalid) as error:
            answer(company, run_id, outcome)
        assert [each["field"] for each in error.value.details] == ["outcome"]
    assert company.told(run_id)["current"]["step"] == "act"


def test_who_may_not_do_one_of_them_is_told_why_it_is_not_offered(company: Company) -> None:
    run_id = begin(company)
    denied(company.olivia, "action:customer.write", "execute")
    screen = runs.get(company.olivia, run_id).screen or {}
    assert [each["value"] for each in screen["outcomes"]] == ["customer.rate"]
    assert [(each["value"], each["reason"]) for each in screen["not_offered"]] == [
        ("customer.write", "You may not do “Change the address”. An admin can grant it.")
    ]
    with pytest.raises(Invalid):
        answer(company, run_id, "customer.write", customer__write__email="x@y.example")


def test_an_action_that_needs_an_approval_is_requested_and_done_with_the_same_values(
    company: Company,
) -> None:
    run_id = begin(company)
    told = answer(company, run_id, "customer.write", customer__write__email="x@y.example")
    assert told["current"]["waiting"]["for"] == "approval"
    runs.approve(company.mona, told["current"]["waiting"]["key"])
    told = company.told(run_id)
    assert told["current"]["step"] == "after"
    assert told["context"]["act"]["action"] == "customer.write"


def test_what_must_hold_is_said_at_its_field_of_the_whole_form(company: Company) -> None:
    run_id = begin(company)
    with pytest.raises(Conflict) as error:
        answer(company, run_id, "customer.write", customer__write__email="no")
    assert [each["field"] for each in error.value.details] == ["customer__write__email"]


def test_revise_begins_with_what_was_done_and_another_may_be_chosen(company: Company) -> None:
    run_id = begin(company)
    answer(company, run_id, "customer.rate", customer__rate__level="high")
    runs.revise(company.olivia, run_id, revision=None, step="act", attempt=None, reason="Wrong one.")
    fields = {each["name"]: each["value"] for each in company.told(run_id)["current"]["form"]["fields"]}
    assert fields["customer__rate__level"] == "high"
    told = company.told(run_id)
    sent = runs.Submission(
        step="act",
        revision=told["revision"],
        values={"customer__write__email": "x@y.example"},
        outcome="customer.write",
        repeat="again",
        reason="The other one was meant.",
    )
    runs.complete(company.olivia, run_id, sent)
    assert company.told(run_id)["current"]["waiting"]["for"] == "approval"


def test_what_is_refused_when_it_is_done_opens_the_form_again_with_the_choice_and_the_error_at_its_field(
    company: Company,
) -> None:
    run_id = begin(company)
    told = answer(company, run_id, "customer.write", customer__write__email="x@y.example")
    imported(
        WRITE | {"require": [{"if": "input.email == 'no'", "message": "Not this one.", "field": "email"}]}
    )
    with pytest.raises(Conflict):
        runs.approve(company.mona, told["current"]["waiting"]["key"])
    told = company.told(run_id)
    assert told["current"]["step"] == "act"
    fields = {each["name"]: each["value"] for each in told["current"]["form"]["fields"]}
    assert fields["customer__write__email"] == "x@y.example"


RENAME: dict[str, Any] = {
    "format": 1,
    "id": "customer.rename",
    "title": "Rename",
    "collection": "customer",
    "form": [{"name": "display_name", "label": "Name", "type": "text"}],
    "effects": [
        {
            "kind": "sql_write",
            "name": "done",
            "summary": "Renames it.",
            "set": {"display_name": "input.display_name"},
        }
    ],
}


def test_what_the_database_refuses_is_said_at_the_field_of_the_chosen_action(company: Company) -> None:
    imported(RENAME)
    run_id = begin(company, {"action": "customer.rate", "actions": [{"action": "customer.rename"}]})
    told = answer(company, run_id, "customer.rename", customer__rename__display_name=None)
    assert told["current"]["step"] == "act"
    screen = runs.get(company.olivia, run_id).screen or {}
    assert [each["field"] for each in screen["errors"]] == ["customer__rename__display_name"]
    assert screen["chosen"] == "customer.rename"


def test_a_record_that_the_person_cannot_see_is_refused_at_its_field(company: Company) -> None:
    about = {"name": "other", "label": "Other", "type": "reference", "collection": "customer"}
    imported(RENAME | {"form": [*RENAME["form"], about]})
    run_id = begin(company, {"action": "customer.rate", "actions": [{"action": "customer.rename"}]})
    values = {"customer__rename__display_name": "Ada", "customer__rename__other": "999"}
    with pytest.raises(Invalid) as error:
        answer(company, run_id, "customer.rename", **values)
    assert [each["field"] for each in error.value.details] == ["customer__rename__other"]


def test_what_was_done_here_is_kept_though_it_is_not_possible_a_second_time(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    with providing(monkeypatch) as provider:
        imported(RECALL, PAY | {"if": "record.risk == null", "why_not": "It is rated."})
        run_id = begin(company, {"action": "customer.rate", "actions": [{"action": "customer.pay"}]})
        answer(company, run_id, "customer.pay", customer__pay__amount=5)
        company.sql("update customer set risk = 'low' where id = 1")
        runs.revise(company.olivia, run_id, revision=None, step="act", attempt=None, reason="Looked again.")
        told = company.told(run_id)
        assert [each["value"] for each in told["current"]["outcomes"]] == ["customer.rate", "customer.pay"]
        sent = runs.Submission(
            step="act", revision=told["revision"], values={}, outcome="customer.pay", repeat="keep"
        )
        runs.complete(company.olivia, run_id, sent)
        assert company.told(run_id)["current"]["step"] == "after"
        assert provider.payments == [5]


def test_over_the_api_the_choice_is_one_of_the_outcomes(company: Company) -> None:
    run_id = begin(company)
    client = web_app().test_client()
    headers = {"Authorization": f"Bearer {accounts.create_key('script', company.olivia.id).text}"}
    told = client.get(f"/api/v1/runs/{run_id}", headers=headers).get_json()
    offered = {each["value"]: each for each in told["current"]["outcomes"]}
    assert offered["customer.rate"]["required"] == ["customer__rate__level"]
    sent = {"step": "act", "revision": told["revision"], "values": {"customer__rate__level": "high"}}
    refused = client.post(f"/api/v1/runs/{run_id}/complete", json=sent, headers=headers)
    assert (refused.status_code, [each["field"] for each in refused.get_json()["details"]]) == (
        422,
        ["outcome"],
    )
    done = client.post(
        f"/api/v1/runs/{run_id}/complete", json=sent | {"outcome": "customer.rate"}, headers=headers
    )
    assert (done.status_code, done.get_json()["current"]["step"]) == (200, "after")


def test_the_case_file_and_the_page_name_the_action_and_leave_out_the_forms_of_the_others(
    company: Company,
) -> None:
    run_id = begin(company)
    answer(company, run_id, "customer.rate", customer__rate__level="high")
    pages = Pages(company, web_app())
    n = next(each["n"] for each in runs.events(company.olivia, run_id)[0] if each["kind"] == "step_submitted")
    text = pages.olivia.get(f"/runs/{run_id}/replay?at={n}").html
    assert "customer__rate__level" in text
    assert "customer__write__email" not in text
    found = reports.case_file(company.olivia, run_id, "pdf", ready=lambda: None)
    assert found.chosen["act", 1] == "customer.rate"


def test_a_dry_run_does_the_action_that_is_chosen(company: Company) -> None:
    begin(company)
    definition = workflows.live("picking")
    chosen = ChosenAnswer(values={"customer__rate__level": "high"}, outcome="customer.rate", approval=None)
    endings = {"act": ChosenEnding(outcome="succeeded", result=None)}
    found = dry_runs.dry_run(company.olivia, definition, "1", {}, Script({"act": chosen}, endings))
    assert [each.step for each in found.path][:2] == ["start", "act"]
    assert [each.summary for each in found.would_send] == ["Sets the risk."]
    assert company.sql("select risk from customer where id = 1") == [(None,)]
