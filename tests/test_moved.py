"""Code of others that was written by the documentation of 0.5.0 still imports what it named, and gets the very modules of today."""

import importlib
import subprocess
import sys
from pathlib import Path

import pytest

from console.moved import MOVED
from tests.tables import cases

NAMED_IN_0_5_0 = {
    "console.access": (),
    "console.accounts": (),
    "console.channels.base": (
        "ABOUT_US",
        "Answer",
        "BadSignature",
        "Callback",
        "Handed",
        "Letter",
        "Provider",
        "Receipt",
    ),
    "console.core.actor": ("Actor",),
    "console.core.blocks.base": ("At", "Block", "Data", "Expr", "Say", "hidden", "number_in", "share"),
    "console.core.contacting": ("Kind",),
    "console.core.documents.fields": ("Located", "Use"),
    "console.core.documents.workflow": ("Name",),
    "console.core.effect_kinds.base": ("Kind", "Placed"),
    "console.core.forms": ("FormField", "examine"),
    "console.effects.effect_call": ("Call", "TryResult"),
    "console.errors": ("IntegrationError", "Invalid", "OutcomeUnknown"),
    "console.hooks": ("action", "computed", "segment"),
    "console.integrations.net": (),
    "console.messages.outside_addresses": (),
    "console.queue": (),
    "console.reports.tables.base": ("Cell", "Column", "TableReport"),
    "console.runs.rows.run_store": ("load",),
    "console.settings": (),
    "console.steps.base": (
        "Completion",
        "Context",
        "Prompt",
        "StepConfig",
        "StepType",
        "StepView",
        "Values",
        "fill_template",
        "require_right",
    ),
    "console.upkeep.copies": (),
}
"""Module → names, as docs/developers and docs/how-to imported them."""

PLUGIN = """
from console.errors import Invalid
from console.hooks import action, segment
from console.integrations import net
from console.steps.base import StepType

@action("acme.greet")
def greet(record, values):
    if not values:
        raise Invalid("Say something.")
    return values
"""


@cases("module", sorted(NAMED_IN_0_5_0))
def test_what_the_documentation_named_is_still_there(module: str) -> None:
    found = importlib.import_module(module)
    assert [name for name in NAMED_IN_0_5_0[module] if not hasattr(found, name)] == []


@cases("former", sorted(MOVED))
def test_a_module_has_one_copy_whatever_it_is_called(former: str) -> None:
    now = importlib.import_module(f"console.{MOVED[former]}")
    assert importlib.import_module(f"console.{former}") is now
    assert now.__spec__ is not None
    assert now.__spec__.name == f"console.{MOVED[former]}"


@pytest.mark.parametrize(
    "name", ["console.integrations.nothing", "console.nothing", "console.errors.nothing"]
)
def test_what_never_was_there_is_not_found(name: str) -> None:
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module(name)


def test_a_plug_in_of_then_is_read_in_first_of_all(tmp_path: Path) -> None:
    """Before anything else was imported, as in a process that begins with it."""
    (tmp_path / "acme.py").write_text(PLUGIN)
    script = "import acme, console.core.errors; assert acme.Invalid is console.core.errors.Invalid; print(acme.net.__name__)"
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=Path(__file__).parents[1],
        env={"PYTHONPATH": f"{tmp_path}:."},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.strip() == "console.infra.outbound.net", done.stderr
