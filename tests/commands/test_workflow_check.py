"""`console workflow check`: every problem of every file, without a database."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from console.commands.workflow import workflow

FILES = sorted(str(file) for file in (Path(__file__).parents[2] / "workflows").glob("*.json"))
RUNNER = CliRunner()


def test_shipped_files_are_fine() -> None:
    done = RUNNER.invoke(workflow, ["check", *FILES])
    assert done.exit_code == 0
    assert done.output == "".join(f"{file}: fine\n" for file in FILES)


def test_each_problem_is_a_line_with_file_step_field_and_reason(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.json"
    wrong.write_text(
        json.dumps(
            {
                "format": 1,
                "slug": "x-y",
                "title": "T",
                "team": 3,
                "steps": [{"id": "go", "type": "start", "title": "Go", "next": {"default": "away"}}],
            }
        )
    )
    done = RUNNER.invoke(workflow, ["check", str(wrong), FILES[0]])
    assert done.exit_code == 1
    assert done.output.splitlines() == [
        f"{wrong}: team: This must be text.",
        f"{wrong}: steps: There is no step of type end: no run could be completed.",
        f"{wrong}: step go: next.default: There is no step away.",
        f"{FILES[0]}: fine",
    ]


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"{", "The file is no JSON"), (b" " * 6_000_000, "too large"), (None, "cannot be read: No such file")],
)
def test_a_file_that_cannot_be_read_is_one_line(tmp_path: Path, content: bytes | None, said: str) -> None:
    file = tmp_path / "file.json"
    if content is not None:
        file.write_bytes(content)
    done = RUNNER.invoke(workflow, ["check", str(file)])
    assert done.exit_code == 1
    (line,) = done.output.splitlines()
    assert line.startswith(f"{file}: ")
    assert said in line
