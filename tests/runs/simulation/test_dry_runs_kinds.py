"""Dry runs of what leaves or asks outside: messages, calls, documents, a model, the items of a list, the body of a loop. Each ends as the tester says."""

from typing import Any

from tests.company import Company
from tests.runs.simulation.test_dry_runs import document, end, ends, path, said, trial, written
from tests.support.contact_club import found_club
from tests.support.engine import step

CALL = {"script": "Hi {{ record.name }}. How are you?", "answers": ["interested", "not_now"]}


def ways(id: str, type: str, config: dict[str, Any], **to: str) -> dict[str, Any]:
    return {**step(id, type, None, config), "next": to}


LOST = step("lost", "end", None, {"label": "Lost"})


def test_messages_and_calls_take_the_way_that_the_tester_chose(company: Company) -> None:
    found_club(company)
    made = document(
        step("start", "start", "mail"),
        ways(
            "mail",
            "email",
            {"subject": "Hello {{ record.name }}", "body": "We write."},
            sent="text",
            failed="lost",
            skipped="call",
            expired="lost",
        ),
        ways(
            "text",
            "sms",
            {"text": "Hello {{ record.name }}"},
            sent="call",
            failed="lost",
            skipped="call",
            expired="lost",
        ),
        ways(
            "call",
            "ai_call",
            CALL,
            answered="end",
            interested="hot",
            no_answer="lost",
            failed="lost",
            skipped="lost",
            busy="lost",
            voicemail="lost",
            expired="lost",
        ),
        step("hot", "change_stage", "tag", {"stage": "engaged"}),
        step("tag", "add_tag", "tell", {"tag": "hot"}),
        step("tell", "notify", "end", {"roles": ["operations_lead"], "text": "{{ record.name }} is hot"}),
        LOST,
        end(),
        collection="contact",
    )
    before = written()

    def tried(**endings: Any) -> Any:
        return trial(
            company, made, who="olivia", endings={name: ends(**given) for name, given in endings.items()}
        )

    usual = tried()
    assert (usual.outcome, path(usual)) == ("Done", ["start", "mail", "text", "call", "end"])
    assert [(each.step, each.kind) for each in usual.would_send] == [
        ("mail", "message"),
        ("text", "message"),
        ("call", "message"),
    ]
    assert "Hello Sam Whitfield" in str(usual.would_send[0].request)
    assert [each.request["channel"] for each in usual.would_send] == ["email", "sms", "call"]
    skipped = tried(mail={"outcome": "succeeded", "result": {"outcome": "skipped"}})
    assert path(skipped) == ["start", "mail", "call", "end"]
    assert tried(text={"outcome": "failed"}).outcome == "Lost"
    assert tried(call={"outcome": "succeeded", "result": {"outcome": "no_answer"}}).outcome == "Lost"
    hot = tried(call={"outcome": "succeeded", "result": {"outcome": "interested"}})
    assert path(hot)[-4:] == ["hot", "tag", "tell", "end"], hot.question
    assert written() == before


def test_documents_a_model_and_the_items_of_a_list_are_answered_in_the_panel(company: Company) -> None:
    wanted = {
        "documents": [{"id": "extract", "label": "Extract"}],
        "to": "'ada@customers.example'",
        "text": "Please send it.",
    }
    answer = {
        "prompt": "Sum it up.",
        "output": [{"name": "summary", "label": "Summary", "type": "long_text", "required": True}],
    }
    items = {
        "items": {"relation": "account", "fields": ["iban", "status"]},
        "form": [{"name": "verdict", "label": "Verdict", "type": "text", "required": True}],
    }
    made = document(
        step("start", "start", "papers"),
        ways("papers", "request_documents", wanted, received="model", expired="lost"),
        {**step("model", "llm", "list", answer), "completion": "automatic"},
        step("list", "loop", "told", items),
        step(
            "told",
            "output",
            "end",
            {"values": {"summary": "steps.model.summary", "count": "steps.list.count"}},
        ),
        LOST,
        end(),
    )
    before, kinds = written(), []
    answers: dict[str, Any] = {}
    given = {
        "papers": said(outcome="received"),
        "model": said(values={"summary": "All is well."}),
        "list": [said(values={"verdict": "Fine"}), said(values={"verdict": "Closed"})],
    }
    for name, each in given.items():
        found = trial(company, made, answers=answers)
        assert found.question is not None
        kinds.append((found.question.step, found.question.kind))
        answers[name] = each
    assert kinds == [("papers", "documents"), ("model", "model"), ("list", "form")]
    refused = trial(company, made, answers=answers | {"model": said(values={})})
    assert refused.question is not None
    assert (refused.question.step, refused.question.refused) == ("model", True)
    done = trial(company, made, answers=answers)
    assert (done.outcome, done.question) == ("Done", None)
    assert {each.step: each.output for each in done.path}["told"] == {"summary": "All is well.", "count": 2}
    assert trial(company, made, answers={"papers": said(outcome="expired")}).outcome == "Lost"
    assert written() == before
