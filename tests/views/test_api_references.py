"""Whatever a call of the API takes that names something else: what is not there, and what its sender may not see, is refused alike and changes nothing.

The members are found by their names in the examples, so a new call is tried without an entry here.
"""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.company import Company
from tests.conftest import Companies, web_app
from tests.views.test_api_examples import Bench, Scene, exemplary, scenes
from tests.views.test_api_narrowed import made_since, newest, prepared

pytestmark = pytest.mark.slow

NAMES = re.compile(
    r"(?:^|_)(?:record|records|collection|workflow|run|runs|user|person|users|people|inbox|team|teams|role|roles|step|file|field|tickets|substitute|keys|target|source)$"
)
NOTHING = "nothing-of-this-name"
EACH_FOR_ITSELF = {
    ("assignTickets", "tickets"): "each ticket is answered for itself: as one that is not there",
    ("assignTickets", "user"): "the same: each ticket stays where it is",
    ("unassignTickets", "tickets"): "the same",
    ("enrol", "records"): "each record is answered for itself, as refused",
    ("enrol", "keys"): "the same",
    ("previewPublishing", "step"): "looks only",
}
"""References of which a call may take many, some of which are not there."""


@pytest.fixture(name="template_references", scope="module")
def fixture_template_references(companies: Companies) -> Company:
    with companies.furnished("references") as company:
        return exemplary(company)


@pytest.fixture(name="bench")
def fixture_bench(companies: Companies, template_references: Company) -> Iterator[Bench]:
    assert template_references.people
    with companies.lent("references") as company:
        yield Bench(web_app(), company)


def references(body: Any) -> list[str]:
    """Members of a body that name something else by an id or a key."""
    return (
        [name for name, value in body.items() if NAMES.search(name) and value]
        if isinstance(body, dict)
        else []
    )


def elsewhere(value: Any, instead: Any) -> Any:
    """The value with what it names replaced, in the form that it had."""
    if isinstance(value, list):
        return [elsewhere(value[0], instead)]
    if isinstance(value, dict):
        return {name: instead if isinstance(entry, str) else entry for name, entry in value.items()}
    return instead


def sent_with(
    bench: Bench, name: str, who: str, scene: Any, member: str, instead: Any
) -> tuple[int, str, list[str]]:
    """Status, code and what was changed, where a member of the example names something else."""
    made: Scene = prepared(bench, name, scene)
    value = made.get(member, bench.calls[name].operation.example.body[member])
    before = newest()
    answer = bench.send(name, who, made | {member: elsewhere(value, instead)})
    code = str((answer.get_json() or {}).get("code", "")) if answer.is_json else ""
    return answer.status_code, code, made_since(before)


@pytest.mark.parametrize(
    "instead", [NOTHING, "", "a\x00b", "x" * 5000], ids=["not there", "empty", "a zero byte", "much too long"]
)
def test_what_is_not_there_is_refused_wherever_it_is_named(bench: Bench, instead: str) -> None:
    wrong, tried = [], 0
    for name, (who, scene) in scenes(bench).items():
        call = bench.calls[name]
        for member in references(call.operation.example.body):
            if call.method == "GET" or (name, member) in EACH_FOR_ITSELF:
                continue
            status, code, changed = sent_with(bench, name, who, scene, member, instead)
            tried += 1
            optional = instead == "" and status < 300
            if not (400 <= status < 500 or optional) or (changed and not optional):
                wrong.append((name, member, status, code, changed))
    assert wrong == []
    assert tried > 15


def test_a_record_out_of_sight_is_refused_as_one_that_is_not_there(bench: Bench) -> None:
    """What is of another desk than Tom's is no record to him, in whatever call names it."""
    bench.house.people["olivia"] = bench.house.tom
    wrong, tried = [], 0
    for name, (who, scene) in scenes(bench).items():
        body = bench.calls[name].operation.example.body
        if who != "olivia" or not isinstance(body, dict) or "record" not in body or name == "fileReport":
            continue
        for hidden in ("3", "2"):
            told = [sent_with(bench, name, who, scene, "record", key) for key in (hidden, NOTHING)]
            seen = bench.send("getRecord", who, {"key": hidden}).status_code == 200
            tried += not seen
            if not seen and (told[0] != told[1] or told[0][0] < 400):
                wrong.append((name, hidden, told))
    assert wrong == []
    assert tried


def test_a_workflow_out_of_sight_is_answered_word_for_word_as_one_that_is_not_there(bench: Bench) -> None:
    """Stan sees no workflow of operations, in whatever body he names one."""
    naming = [
        name for name, call in bench.calls.items() if "workflow" in references(call.operation.example.body)
    ]
    for name in naming:
        told = [bench.send(name, "stan", {"workflow": workflow}) for workflow in ("kyc-review", NOTHING)]
        assert [answer.status_code for answer in told] == [404, 404], name
        assert told[0].text.replace("kyc-review", NOTHING) == told[1].text, name
    assert "startRun" in naming
