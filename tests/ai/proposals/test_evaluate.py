"""Proposers tried on recorded cases and on attacks: what a case holds, what is counted, which one to take, and the commands."""

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anthropic  # noqa: F401 (its import takes a second of the first call's deadline)
import pytest
from click.testing import CliRunner, Result

from console import log, runs
from console.ai.evaluation import evaluate, replayed
from console.ai.evaluation.replayed import Case
from console.ai.proposals import options, settings_document
from console.commands.ai import ai
from console.core.errors import NotFound
from console.core.proposal_types import Ask, FieldSpec, Judged, Proposed, Source
from console.infra.db.engine import fetch
from tests.ai.proposals import hostile

if TYPE_CHECKING:
    from tests.ai.proposals.conftest import House

pytestmark = pytest.mark.slow

USUAL = options.Current(settings_document.read({}))

RULES = evaluate.proposer_for("rules", None, USUAL)


def run(*words: str) -> Result:
    """The command, as it is typed."""
    return CliRunner().invoke(ai, words)


def ended(house: "House", record: str = "1", *, heard: str = "clean", **values: Any) -> str:
    """A run to whose form something was proposed and which a person then handed in with these values."""
    run_id = house.at_judge(record, verdict=heard)
    house.work()
    told = house.company.told(run_id)
    given = {"display_name": "Adaeze Okonkwo-Bell", "balance": "12.50", "verdict": heard} | values
    runs.complete(
        house.company.olivia,
        run_id,
        runs.Submission(step="judge", revision=told["revision"], values=given, outcome=None),
    )
    assert house.company.told(run_id)["status"] == "completed"
    return run_id


def test_a_case_is_what_was_asked_and_what_was_put_in(house: "House") -> None:
    ended(house, balance="99.00")
    (case,) = replayed.recorded()
    assert (case.kind, case.ask.step, case.ask.type, case.version) == ("recorded", "judge", "update_data", 1)
    assert [(spec.name, spec.type) for spec in case.ask.fields] == [
        ("display_name", "text"),
        ("balance", "decimal"),
        ("verdict", "text"),
    ]
    assert {source.kind for source in case.ask.sources} >= {"record", "step"}
    assert case.expected["verdict"] == "clean"
    assert case.expected["balance"] == "99.00"
    assert case.recorded["model"] == "claude-haiku-5-5"
    assert [entry["id"] for entry in case.provenance] == [source.id for source in case.ask.sources]


def test_a_case_holds_no_more_than_a_model_got(house: "House") -> None:
    ended(house)
    told = "\n".join(str(case) for case in replayed.recorded())
    kept = "\n".join(str(asked.body) for asked in house.model.requests)
    for hidden in ("adaeze@customers.example", "LT459999900012345678", "IE123"):
        assert hidden not in told, hidden
        assert hidden not in kept, hidden


def test_what_is_under_way_handled_manually_erased_or_confidential_is_no_case(house: "House") -> None:
    run_id = ended(house)
    assert len(list(replayed.recorded())) == 1
    for change, back in (
        (
            "update console.ai_call set label = 'sealed_matter' where run = %s returning 1",
            "update console.ai_call set label = null where run = %s returning 1",
        ),
        (
            "update console.ai_call set handled_manually = true where run = %s returning 1",
            "update console.ai_call set handled_manually = false where run = %s returning 1",
        ),
        (
            "update console.run set ended_at = null where id = %s returning 1",
            "update console.run set ended_at = now() where id = %s returning 1",
        ),
    ):
        fetch(change, (run_id,))
        assert list(replayed.recorded()) == []
        fetch(back, (run_id,))
    assert len(list(replayed.recorded())) == 1
    assert list(replayed.recorded("wf_other")) == []
    fetch("delete from console.ai_prompt returning 1")
    assert list(replayed.recorded()) == []


def test_cases_go_into_a_file_and_come_back(house: "House", tmp_path: Path) -> None:
    ended(house)
    file = tmp_path / "cases.jsonl"
    told = run("cases", "--workflow", "triage", "--out", str(file))
    assert told.output == f"1 cases written to {file}\n"
    assert replayed.read(file) == list(replayed.recorded())
    assert [event.type for event in log.events_of("sys:config")][-1] == "ai_cases_exported"
    assert isinstance(run("cases", "--workflow", "nothing", "--out", str(file)).exception, NotFound)


def test_every_ask_comes_back_out_of_its_prompt() -> None:
    from console.ai import prompt

    for case in replayed.read(hostile.ATTACKS):
        again = replayed.parse_prompt(prompt.rendered(case.ask, b"k").user)
        assert again is not None
        assert [(spec.name, spec.type, spec.trusted_only) for spec in again.fields] == [
            (spec.name, spec.type, spec.trusted_only) for spec in case.ask.fields
        ]
        assert (again.outcomes, [source.id for source in again.sources]) == (
            case.ask.outcomes,
            [source.id for source in case.ask.sources],
        )
        assert [source.trusted for source in again.sources] == [source.trusted for source in case.ask.sources]


def test_no_attack_comes_through_when_a_model_obeys_it() -> None:
    attacks = replayed.read(hostile.ATTACKS)
    assert len(attacks) >= 25
    assert len({case.id for case in attacks}) == len(attacks)
    assert all(case.kind == "attack" and case.note and case.obeyed for case in attacks)
    assert hostile.guarded(attacks) == []


def test_an_attack_that_comes_through_is_named() -> None:
    case = next(case for case in replayed.read(hostile.ATTACKS) if case.id == "attack-plain-lie")
    trusted = replace(
        case,
        ask=replace(case.ask, sources=tuple(replace(source, trusted=True) for source in case.ask.sources)),
    )
    assert hostile.guarded([trusted]) == ["attack-plain-lie: amount = 899.0, high"]
    assert evaluate.came_through(case, Judged(fields=(Proposed("admin", True, "high", "", ("s1",)),))) == [
        "admin = True, high"
    ]
    warned = replace(case, suspicious=True)
    assert evaluate.came_through(warned, Judged()) == ["no warning"]


def test_rules_fall_for_no_attack() -> None:
    score = evaluate.scored(RULES, replayed.read(hostile.ATTACKS), USUAL)
    assert (score.attacks, score.caught, score.cases) == (len(replayed.read(hostile.ATTACKS)), [], 0)


def ask(**data: Any) -> Ask:
    """A form of three fields, and a source with this data."""
    fields = (
        FieldSpec("name", "Name", "text"),
        FieldSpec("turnover", "Turnover", "decimal"),
        FieldSpec("note", "Note", "long_text"),
    )
    return Ask(
        "propose",
        "step",
        "Step",
        "update_data",
        "",
        fields,
        sources=(Source("s1", "record", "Record", data, trusted=True),),
    )


def test_what_is_counted() -> None:
    told = [
        Case(
            "one",
            "recorded",
            ask(name="Ada", turnover="12.50"),
            {"name": "ada", "turnover": "12.5", "note": "x"},
        ),
        Case("two", "recorded", ask(name="Ada", turnover="12.50"), {"name": "Eve", "turnover": "12.5"}),
        Case("three", "recorded", ask(name="Ada"), {"name": None, "note": "x"}),
        Case("four", "recorded", ask(), {"name": "Ada"}),
    ]
    score = evaluate.scored(RULES, told, USUAL)
    assert (score.cases, score.wanted, score.covered, score.proposed, score.right) == (4, 7, 4, 5, 3)
    assert (score.answered, score.whole, score.codes) == (3, 1, {"nothing_supported": 1})
    assert score.levels["high"] == [3, 5]
    shown = score.to_json()
    assert (shown["coverage"], shown["precision"], shown["whole_step"]) == (0.5714, 0.6, 0.3333)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--provider", "anthropic"], "needs ANTHROPIC_API_KEY"),
        (["--provider", "openai_compatible", "--model", "m"], "needs CONSOLE_AI_BASE_URL"),
        (["--model", "m"], "needs a provider"),
        (["--workflow", "nothing"], "no workflow nothing"),
    ],
)
def test_what_cannot_be_tried(asking_company: Any, words: list[str], said: str) -> None:
    told = run("evaluate", *words)
    assert told.exit_code != 0
    assert said in told.output + str(told.exception)


def test_a_model_is_tried_on_stored_cases(house: "House", tmp_path: Path) -> None:
    for number in range(3):
        ended(house, record=str(number % 2 + 1))
    asked = len(house.model.requests)
    told = run("evaluate", "--format", "json")
    assert told.exit_code == 0, told.output + str(told.exception)
    found = json.loads(told.stdout)
    assert (found["cases"], found["proposer"]) == (3, "anthropic claude-haiku-5-5")
    assert found["tokens"]["input"] > 0
    assert found["p95_ms"] is not None
    assert len(house.model.requests) - asked >= 3


def test_attacks_of_a_file_come_to_nothing(house: "House") -> None:
    told = run("evaluate", "--cases", str(hostile.ATTACKS), "--format", "json")
    assert told.exit_code == 0, told.output + str(told.exception)
    tried = len(replayed.read(hostile.ATTACKS))
    assert json.loads(told.stdout)["attacks"] == {"tried": tried, "clean": tried, "not_clean": []}


def test_without_a_provider_the_rules_are_tried(asking_company: Any) -> None:
    told = run("evaluate")
    assert told.exit_code == 0, told.output + str(told.exception)
    assert "rules: 0 recorded cases" in told.stdout
