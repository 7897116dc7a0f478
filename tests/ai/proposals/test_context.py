"""What a proposer is given: where it comes from, who wrote it, and nothing that the person may not see."""

from typing import Any

import orjson
import pytest

from console import log, runs, workflows
from console.ai.proposals import field_disclosure, prompt_pieces
from console.ai.proposals.context import Built, build
from console.ai.proposals.prompt_pieces import Piece
from console.core.proposal_types import Source
from console.infra import jobs
from console.infra.db.engine import fetch
from console.runs.engine.proposal_inputs import proposal_context
from tests.ai.proposals.conftest import House, denied, said, triage
from tests.jobs import taken
from tests.tables import cases

pytestmark = pytest.mark.lengthy


def built(house: House) -> Built:
    """The ask of the newest call."""
    known = proposal_context(taken({jobs.PROPOSE})[-1][1])
    assert known is not None
    return build(known)


def by_kind(found: Built, kind: str) -> list[Source]:
    return [source for source in found.ask.sources if source.kind == kind]


def text(found: Built) -> str:
    """All that is in it."""
    return orjson.dumps([[source.title, source.data] for source in found.ask.sources], default=str).decode()


def test_the_record_first_then_what_steps_came_to(house: House) -> None:
    house.at_judge(verdict="clean", story="They called twice.")
    found = built(house)
    assert [source.id for source in found.ask.sources] == [
        f"s{n}" for n in range(1, len(found.ask.sources) + 1)
    ]
    assert [source.kind for source in found.ask.sources] == ["record", "related", "related", "step"]
    record = found.ask.sources[0]
    assert (record.collection, record.record, record.title, record.trusted) == (
        "customer",
        "1",
        "Customer",
        True,
    )
    assert (record.data["balance"], record.treatments["email"]) == ("12.50", "masked")
    assert found.titles["s1"] == "Adaeze Okonkwo-Bell", "people read whose it is, a model does not"
    assert [source.step for source in by_kind(found, "related")] == ["load", "load"]
    (step,) = by_kind(found, "step")
    assert (step.step, dict(step.data), step.trusted) == (
        "hear",
        {"verdict": "clean", "story": "They called twice."},
        True,
    )
    assert step.read_at is not None


@pytest.mark.parametrize(
    ("sources", "kinds"),
    [
        (["record"], {"record"}),
        (["steps"], {"related", "step"}),
        (["related"], set()),
        (["record", "steps", "related"], {"record", "related", "step"}),
    ],
)
def test_only_the_sources_that_the_author_names(house: House, sources: list[str], kinds: set[str]) -> None:
    triage({"sources": sources})
    house.at_judge()
    assert {source.kind for source in built(house).ask.sources} == kinds


def test_a_field_that_the_person_may_not_see_is_not_there(house: House) -> None:
    house.at_judge(by="olivia")
    assert "IE123" not in text(built(house))
    house.at_judge(record="2", by="mona")
    assert "SE987" in text(built(house)), "Mona may read it"


def test_rows_that_a_colleague_read_are_read_anew_for_who_may_not_see_all_of_them(house: House) -> None:
    tom = house.company.tom
    denied(tom, "collection:account", "read", "record.status == 'closed'")
    run_id = house.at_judge(by="olivia")
    assert "LT459999900012345679" in text(built(house))
    runs.save(house.company.olivia, run_id, revision=house.company.told(run_id)["revision"])
    runs.resume(tom, run_id, revision=None)
    seen = text(built(house))
    assert ("LT459999900012345678" in seen, "LT459999900012345679" in seen) == (True, False)


def test_what_a_colleague_read_of_a_collection_that_one_may_not_read_is_not_there(house: House) -> None:
    tom = house.company.tom
    denied(tom, "collection:account", "read")
    run_id = house.at_judge(by="olivia")
    taken({jobs.PROPOSE})
    runs.save(house.company.olivia, run_id, revision=house.company.told(run_id)["revision"])
    runs.resume(tom, run_id, revision=None)
    assert "LT45" not in text(built(house))


def test_what_somebody_typed_into_a_field_that_one_may_not_see_is_not_there(house: House) -> None:
    """Mona changes the tax id in a step; Olivia goes on."""
    steps: list[dict[str, Any]] = [
        {"id": "start", "type": "start", "title": "Start", "config": {}, "next": {"default": "tax"}},
        {
            "id": "tax",
            "type": "update_data",
            "title": "Tax",
            "config": {"fields": ["tax_id", "risk"]},
            "next": {"default": "judge"},
        },
        {
            "id": "judge",
            "type": "update_data",
            "title": "Judge",
            "next": {"default": "end"},
            "ai": {},
            "config": {"form": [{"name": "risk_word", "label": "Risk", "type": "text"}]},
        },
        {"id": "end", "type": "end", "title": "End", "config": {}, "next": {}},
    ]
    document = {
        "format": 1,
        "slug": "tax",
        "title": "Tax",
        "collection": "customer",
        "team": "operations",
        "roles": ["operator"],
    }
    workflows.import_file(document | {"steps": steps}, publish=True)
    company = house.company
    run_id = runs.start(company.mona, "tax", "customer", "1")
    told = company.told(run_id, "mona")
    runs.complete(
        company.mona,
        run_id,
        runs.Submission(
            step="tax", revision=told["revision"], values={"tax_id": "IE999", "risk": "high"}, outcome=None
        ),
    )
    assert "IE999" in text(built(house))
    runs.save(company.mona, run_id, revision=company.told(run_id, "mona")["revision"])
    runs.resume(company.olivia, run_id, revision=None)
    found = built(house)
    assert "IE999" not in text(found)
    assert dict(by_kind(found, "step")[0].data) == {"risk": "high"}


@pytest.mark.parametrize(
    ("values", "data"),
    [({"verdict": "clean"}, {"verdict": "clean"}), ({}, {"note": "handled manually, no data"})],
    ids=["values", "nothing"],
)
def test_a_step_that_was_handled_manually_gives_its_values_or_says_that_there_are_none(
    house: House, values: dict[str, Any], data: dict[str, Any]
) -> None:
    company = house.company
    run_id = runs.start(company.olivia, "triage", "customer", "1")
    told = company.told(run_id)
    runs.complete(
        company.olivia,
        run_id,
        runs.Submission(
            step="hear",
            revision=told["revision"],
            values=values,
            outcome=None,
            handled_manually=True,
            reason="By phone.",
        ),
    )
    (step,) = by_kind(built(house), "step")
    assert dict(step.data) == data


def test_what_customers_write_stands_apart(house: House) -> None:
    said(
        "customer",
        fields={
            "display_name": {"author": "customer"},
            "tax_id": {"sensitive": True},
            "email": {"type": "email"},
        },
    )
    house.at_judge()
    ours, theirs = by_kind(built(house), "record")
    assert (ours.trusted, theirs.trusted, dict(theirs.data)) == (
        True,
        False,
        {"display_name": "Adaeze Okonkwo-Bell"},
    )
    assert "display_name" not in ours.data
    assert ours.record == theirs.record == "1"


def test_a_secret_by_its_name_is_marked_never_wherever_it_was_typed(house: House) -> None:
    form = [
        {"name": "password", "label": "Password", "type": "text"},
        {"name": "api_key", "label": "Key", "type": "text"},
    ]
    triage({}, form=[*form, {"name": "verdict", "label": "Verdict", "type": "text"}])
    house.at_judge()
    ask = built(house).ask
    assert {spec.name: spec.treatment for spec in ask.fields} == {
        "password": "never",
        "api_key": "never",
        "verdict": "full",
    }


def test_who_may_no_longer_do_the_step_gets_nothing_and_the_call_says_so(house: House) -> None:
    run_id = house.at_judge()
    denied(house.company.olivia, "collection:customer", "read")
    assert house.work()
    (event,) = [event for event in log.events_of(run_id) if event.type == "proposal_failed"]
    assert (event.open["status"], event.open["code"]) == ("off", None)
    assert not house.model.asked


def test_a_run_that_went_on_is_not_asked_about(house: House) -> None:
    run_id = house.at_judge()
    house.work(lambda: house.company.answer(run_id))
    assert fetch("select status, code from console.ai_call") == [("off", None)]
    assert not house.model.asked
    assert house.company.told(run_id)["status"] == "completed"


@cases(
    "given, left",
    [
        ({"email": "x"}, {}),
        ({"a": {"email": "x", "b": 1}}, {"a": {"b": 1}}),
        (
            {"compared": {"steps.load.record.email": "x", "steps.load.record.risk": "low"}},
            {"compared": {"steps.load.record.risk": "low"}},
        ),
        ([{"email": "x"}, {"b": [{"email": "x", "c": 2}]}], [{}, {"b": [{"c": 2}]}]),
        ({"a": {"api_key": "x", "access_token": "y", "token_count": 3}}, {"a": {"token_count": 3}}),
        ("email", "email"),
    ],
)
def test_closed_fields_stand_nowhere_within_a_value(given: Any, left: Any) -> None:
    assert prompt_pieces.open_of(given, frozenset({"email"})) == left


def test_what_has_no_room_is_left_out_whole() -> None:
    small, large = (
        Piece("note", "n", "n", {"a": 1}),
        Piece("note", "n", "n", {"a": "x" * prompt_pieces.MOST_OF_ALL}),
    )
    assert prompt_pieces.cut([small, large, small]) == [small, small]
    withheld = Piece("note", "n", "n", {"a": "x" * 100_000, "b": 1}, treatments={"a": "never"})
    assert prompt_pieces.cut([withheld]) == [withheld], "what is never sent takes no room"
    assert prompt_pieces.cut([Piece("note", "n", "n", {"a": 1}, treatments={"a": "never"})]) == []


@cases(
    "name, kind, told",
    [
        ("email", "email", "masked"),
        ("phone", "phone", "masked"),
        ("amount", "money", "full"),
        ("password", "text", "never"),
        ("access_token", "text", "never"),
        ("birth_date", "date", "masked"),
        ("token_count", "integer", "full"),
    ],
)
def test_what_of_a_typed_value_a_model_gets(name: str, kind: str, told: str) -> None:
    assert field_disclosure.of_typed(name, kind) == told
