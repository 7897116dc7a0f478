"""`console ai evaluate --builder`: what came of each description."""

import json
from pathlib import Path

from click.testing import CliRunner

from console.auth import access
from console.commands.ai import ai
from tests.company import Company

DESCRIPTIONS = Path(__file__).parents[1] / "ai" / "builder_descriptions.json"
END = {
    "op": "add_step",
    "step": {"id": "end", "type": "end", "title": "End", "config": {"label": "Done"}},
    "after": "start",
    "outcome": "",
}
SAY = {
    "op": "add_step",
    "step": {"id": "say", "type": "guidance", "title": "Say", "config": {"text": "Greet them."}},
    "after": "start",
    "outcome": "",
}
BAD = {
    "op": "add_step",
    "step": {"id": "say", "type": "greeting", "title": "Say"},
    "after": "start",
    "outcome": "",
}


def test_what_came_of_each_description_is_told_with_its_round_and_what_it_lacks(
    company: Company, tmp_path: Path
) -> None:
    access.grant("operations_lead", "collection:customer", ["browse", "read"], team="operations")
    answers = {
        "guidance-only": [{"text": "So.", "changes": [BAD, END]}, {"text": "So.", "changes": [END, SAY]}],
        "output": [{"text": "So.", "changes": [END]}],
        "question-reach": [{"text": "Because it has no end.", "changes": []}],
        "injection": [{"text": "Yes.", "changes": [{"op": "publish"}]}, "nonsense", "nonsense"],
    }
    file = tmp_path / "answers.json"
    file.write_text(json.dumps(answers))
    words = ["evaluate", "--builder", str(DESCRIPTIONS), "--answers", str(file)]
    found = CliRunner().invoke(
        ai, [*words, "--as", "mona@fernwick.example", "--format", "json"], catch_exceptions=False
    )
    told = json.loads(found.output)
    results = {each["id"]: each for each in told["results"]}
    assert (told["descriptions"], told["valid_first"], told["valid"], told["right"], told["unanswered"]) == (
        40,
        2,
        3,
        2,
        36,
    )
    assert (results["guidance-only"]["valid"], results["guidance-only"]["round"]) == (True, 2)
    assert results["output"]["lacks"] == ["a step output"]
    assert (results["injection"]["valid"], results["injection"]["round"]) == (False, 3)
    text = CliRunner().invoke(ai, [*words, "--as", "mona@fernwick.example"], catch_exceptions=False).output
    assert "Valid at first 2 of 40, after what was wrong was told 3, and with all that was wished 2." in text
    assert "Say with --as who wishes" in CliRunner().invoke(ai, words).output
