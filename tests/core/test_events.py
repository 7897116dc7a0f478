"""The registry of event kinds: its shape, the vocabulary that other programs rely on, and its page in the reference.

`python -m tests.core.test_events` writes the table of that page anew.
"""

import re
from pathlib import Path

from console.core.event_kind import Kind
from console.core.events import GROUPS, KINDS, MOVES
from tests.tables import cases

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "events.md"
MARK = "<!-- kinds -->"


def table() -> str:
    """The kinds as Markdown: one table per group, `*` at the kinds that are moves of a run."""
    parts = []
    for group, title in GROUPS.items():
        rows = [_row(kind) for kind in KINDS.values() if kind.group == group]
        parts.append(
            "\n".join(
                [f"## {title}", "", "| kind | when | open | sealed |", "| --- | --- | --- | --- |", *rows, ""]
            )
        )
    return "\n".join(parts)


def _row(kind: Kind) -> str:
    return f"| `{kind.name}`{' *' if kind.move else ''} | {kind.when} | {_listed(kind.open)} | {_listed(kind.sealed)} |"


def _listed(names: tuple[str, ...]) -> str:
    return " ".join(f"`{name}`" for name in names) or "–"


@cases("kind", KINDS.values(), ids=lambda kind: kind.name)
def test_kind_is_well_formed(kind: Kind) -> None:
    assert re.fullmatch(r"[a-z]+(_[a-z]+)+", kind.name)
    assert kind.group in GROUPS
    assert kind.when.endswith(".")
    assert kind.when[0].isupper()
    assert kind.label[0].isupper()
    assert "_" not in kind.label
    assert not set(kind.open) & set(kind.sealed), "a name is either open or sealed"
    assert len({*kind.open, *kind.sealed}) == len(kind.open) + len(kind.sealed)
    assert all(re.fullmatch(r"[a-z]+(_[a-z0-9]+)*", name) for name in (*kind.open, *kind.sealed))


@cases("kind", KINDS.values(), ids=lambda kind: kind.name)
def test_what_people_type_is_never_open(kind: Kind) -> None:
    assert not {
        "message",
        "values",
        "input",
        "draft",
        "screen",
        "email",
        "ip",
        "agent",
        "q",
        "filter",
        "old",
        "new",
    } & set(kind.open)


def test_only_events_of_runs_are_moves_and_looking_is_none() -> None:
    assert all(KINDS[name].on_run for name in MOVES)
    looking = {
        "step_shown",
        "source_opened",
        "checks_shown",
        "proposal_requested",
        "proposal_made",
        "proposal_failed",
        "effect_reported",
    }
    assert not looking & MOVES
    assert all(KINDS[name].on_run for name in looking)


def test_events_of_a_move_carry_its_revision_and_no_others_do() -> None:
    assert {name for name, kind in KINDS.items() if "revision" in kind.open} == MOVES


def test_names_that_a_kind_does_not_carry_are_told() -> None:
    kind = KINDS["run_aborted"]
    assert kind.unknown(kind.open, kind.sealed) == frozenset()
    assert kind.unknown(["reason", "former_holder"], ["reason", "mood"]) == {"reason", "mood"}


def test_reference_page_is_the_registry() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert page.partition(MARK)[2].strip() == table().strip(), (
        "write it anew: python -m tests.core.test_events"
    )


def write() -> None:
    """Replace what stands below the mark of the reference page by the registry of today."""
    head = PAGE.read_text(encoding="utf-8").partition(MARK)[0]
    PAGE.write_text(f"{head}{MARK}\n\n{table()}", encoding="utf-8")


if __name__ == "__main__":
    write()
