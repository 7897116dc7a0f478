"""What every step type keeps to, ours and those of other packages."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import ValidationError

from console import steps
from console.core.documents.document_parts import NAME_PATTERN
from console.core.documents.workflow import read
from console.core.errors import DefinitionError, Invalid
from console.steps.base import Completion, Context, Family, Prompt, Read, StepConfig, StepType, StepView
from console.views.step_parts import PARTS
from tests.steps.acts import act
from tests.steps.registered import handed_in, smallest
from tests.steps.walk import NOW, context as walked

KINDS = steps.all_types()
ROOT = Path(__file__).parents[2]


CUSTOMER = {
    "display_name": "Adaeze Okonkwo-Bell",
    "email": "adaeze@customers.example",
    "risk": None,
    "name": "Adaeze",
}
"""What a step's expressions find of customer 1 of the small company."""


def context(**roots: Any) -> Context:
    return replace(walked(**roots), acts={"thing.mend": act()})


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    yield
    steps.all_types.cache_clear()


@pytest.mark.parametrize("name", KINDS)
def test_a_type_says_what_it_is(name: str) -> None:
    kind = KINDS[name]
    assert kind.name == name
    assert re.fullmatch(NAME_PATTERN, name)
    assert kind.title
    assert kind.gist
    assert not kind.gist.endswith(".")
    assert re.fullmatch(r"[a-z][a-z0-9-]*", kind.icon)
    assert kind.family in get_args(Family)
    assert type(kind).__doc__
    assert type(kind).__module__ == f"console.steps.{name}"


def test_a_template_of_a_step_type_has_parts_that_the_page_asks_for() -> None:
    """A misspelt block, or a template of no type, would be passed over without a word."""
    for path in sorted((ROOT / "templates" / "steps").glob("*.html")):
        assert path.stem in steps.all_types(), f"{path.name}: there is no step type {path.stem}"
        drawn = set(re.findall(r"{%-? *block (\w+)", path.read_text()))
        assert drawn, f"{path.name} draws nothing: give it one of the blocks {', '.join(PARTS)}"
        assert drawn <= set(PARTS), (
            f"{path.name} has {', '.join(sorted(drawn - set(PARTS)))}: a page asks for {', '.join(PARTS)} alone"
        )


@pytest.mark.parametrize("name", KINDS)
def test_settings_are_closed_described_and_have_a_schema(name: str) -> None:
    config = KINDS[name].Config
    assert issubclass(config, StepConfig)
    assert config.model_validate(smallest(name))
    with pytest.raises(ValidationError):
        config.model_validate({**smallest(name), "no_such_setting": 1})
    assert json.dumps(config.model_json_schema(by_alias=True))


@pytest.mark.parametrize("name", KINDS)
def test_a_type_answers_every_question_with_the_smallest_settings(name: str) -> None:
    kind = KINDS[name]
    config = kind.Config.model_validate(smallest(name))
    view = StepView("here", name, "Here", config, kind.outcomes(config))
    assert all(isinstance(outcome, str) for outcome in kind.outcomes(config))
    assert all(isinstance(entry, Read) for entry in kind.reads(view))
    assert len({entry.name for entry in kind.reads(view)}) == len(kind.reads(view))
    assert isinstance(kind.edits(view), tuple)
    assert all(text.text for text in [*kind.expressions(config), *kind.templates(config)])
    assert kind.uses(config) is not None
    assert isinstance(kind.prepare(view, context()), Prompt)


@pytest.mark.parametrize("name", KINDS)
def test_completing_gives_one_of_the_outcomes_and_values_that_are_json(name: str) -> None:
    kind = KINDS[name]
    config = kind.Config.model_validate(smallest(name))
    view = StepView("here", name, "Here", config, kind.outcomes(config))
    offered = [option.value for option in kind.prepare(view, context()).outcomes]
    typed, chosen = handed_in(name)
    done = kind.complete(view, context(record=CUSTOMER), typed, chosen or (offered[0] if offered else None))
    assert done.outcome in (*kind.outcomes(config), "default")
    assert (done.ends is not None) == (name == "end")
    assert json.dumps([done.values, done.output], allow_nan=False)
    known = kind.outputs(config)
    assert known is None or set(done.values if done.output is None else done.output) <= known


class Looked(dict[str, Any]):
    """A record that notes which of its fields were looked at by name."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        super().__init__(values)
        self.names: set[str] = set()

    def __getitem__(self, name: str) -> Any:
        self.names.add(name)
        return super().__getitem__(name)

    def get(self, name: str, default: Any = None) -> Any:
        self.names.add(name)
        return super().get(name, default)


@pytest.mark.parametrize("name", KINDS)
def test_a_field_that_the_settings_name_is_one_that_the_check_looks_for(name: str) -> None:
    """Else a slip in its name is published, and nobody can complete the step."""
    kind = KINDS[name]
    config = kind.Config.model_validate(smallest(name))
    view = StepView("here", name, "Here", config, kind.outcomes(config))
    record = Looked(CUSTOMER)
    offered = [option.value for option in kind.prepare(view, context(record=record)).outcomes]
    typed, chosen = handed_in(name)
    kind.complete(view, context(record=record), typed, chosen or (offered[0] if offered else None))
    named = {value for value in dict(config).values() if isinstance(value, str)}
    lacking = sorted(record.names & named - {use.column for use in kind.uses(config)})
    assert not lacking, (
        f"{name} looks at the field {lacking} of its settings: give it `uses`, which docs/developers/add-a-step-type.md shows"
    )


@pytest.mark.parametrize("name", [name for name in KINDS if not KINDS[name].automatic])
def test_a_form_that_was_just_opened_is_not_told_to_be_refused(name: str) -> None:
    """The page asks what would come of the form before anything is typed."""
    kind = KINDS[name]
    config = kind.Config.model_validate(smallest(name))
    view = StepView("here", name, "Here", config, kind.outcomes(config))
    opened = replace(context(record=CUSTOMER), foretold=True)
    offered = [option.value for option in kind.prepare(view, opened).outcomes]
    try:
        kind.complete(view, opened, {}, handed_in(name)[1] or (offered[0] if offered else None))
    except Invalid as refused:
        wanted = "read it with `examine` and hand what is wrong to `require_right`, as docs/developers/add-a-step-type.md shows"
        raise AssertionError(
            f"{name} refuses an empty form before anybody typed ({refused.details}): {wanted}"
        ) from None


@pytest.mark.parametrize("name", [name for name in KINDS if not KINDS[name].automatic])
def test_a_step_for_people_refuses_a_name_that_is_not_in_its_form(name: str) -> None:
    kind = KINDS[name]
    view = StepView("here", name, "Here", kind.Config.model_validate(smallest(name)), ())
    with pytest.raises(Invalid) as caught:
        kind.complete(view, context(), {"no_such_field": 1}, "yes")
    assert "no_such_field" in [detail["field"] for detail in caught.value.details]


@pytest.mark.parametrize("name", KINDS)
def test_what_a_step_is_shown_does_not_depend_on_the_second(name: str) -> None:
    """The same screen twice is noted once: nothing of the clock stands in it."""
    kind = KINDS[name]
    view = StepView("here", name, "Here", kind.Config.model_validate(smallest(name)), ())
    later = context(now=NOW.replace(second=59))
    assert kind.prepare(view, context()) == kind.prepare(view, later)


def test_an_unknown_type_is_told_with_the_known_ones() -> None:
    with pytest.raises(DefinitionError, match=f"known are {', '.join(sorted(KINDS))}"):
        steps.get("teleport")


def test_a_step_of_a_document_is_handed_on_with_its_settings_parsed() -> None:
    document = read(
        {
            "format": 1,
            "slug": "a-b",
            "title": "T",
            "steps": [
                {"id": "e", "type": "end", "title": "End", "config": {"label": "gone"}, "button": "Bye"}
            ],
        }
    )
    made = steps.view(document.step("e"))
    assert (made.id, made.type, made.config.label, made.outcomes, made.button, made.completion) == (
        "e",
        "end",
        "gone",
        (),
        "Bye",
        "manual",
    )


class Teleport(StepType):
    """A type of another package."""

    name, title, family, icon, gist = "teleport", "Teleport", "action", "zap", "Away at once"

    def complete(
        self, step: StepView, context: Context, submitted: dict[str, Any], outcome: str | None
    ) -> Completion:
        """Gone."""
        return Completion("default", {"to": "Mars"})


class Impostor(Teleport):
    """A type under a name that is taken."""

    name = "end"


def test_another_package_brings_its_type_by_an_entry_point(monkeypatch: pytest.MonkeyPatch) -> None:
    brought = EntryPoint("teleport", f"{__name__}:Teleport", steps.ENTRY_POINT)
    monkeypatch.setattr(steps, "entry_points", lambda group: [brought] if group == steps.ENTRY_POINT else [])
    steps.all_types.cache_clear()
    assert steps.get("teleport").title == "Teleport"
    assert list(steps.all_types()) == sorted([*KINDS, "teleport"])


def test_a_name_that_is_taken_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        steps, "entry_points", lambda group: [EntryPoint("end", f"{__name__}:Impostor", group)]
    )
    steps.all_types.cache_clear()
    with pytest.raises(DefinitionError, match="Two step types are named end"):
        steps.all_types()
