"""A change and its event are kept together or not at all: a process that is killed between the two would lose the event."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import console

pytestmark = pytest.mark.lengthy

ROOT = Path(console.__file__).parent


def notes_beside_a_transaction() -> Iterator[str]:
    """Calls of `log.note` in a function with a transaction that do not take part in it."""
    for path in sorted(ROOT.rglob("*.py")):
        for function in ast.walk(ast.parse(path.read_text())):
            if not isinstance(function, ast.FunctionDef):
                continue
            within = [
                item.context_expr
                for node in ast.walk(function)
                if isinstance(node, ast.With)
                for item in node.items
            ]
            if not any(ast.unparse(each).endswith(("transaction()", ".begin()")) for each in within):
                continue
            for call in ast.walk(function):
                if (
                    isinstance(call, ast.Call)
                    and ast.unparse(call.func) == "log.note"
                    and "connection" not in {word.arg for word in call.keywords}
                ):
                    yield f"{path.relative_to(ROOT)}:{call.lineno} in {function.name}"


def test_an_event_is_written_in_the_transaction_of_its_change() -> None:
    found = list(notes_beside_a_transaction())
    if found:
        pytest.fail(
            "Give `connection=` to log.note, or the event is lost where the process ends in between: "
            + ", ".join(found)
        )
