"""Step types: each is a module in this folder and is found by itself; other packages register theirs under the entry point `console.steps`."""

import functools
import importlib
import inspect
import pkgutil
import sys
from collections.abc import Mapping
from importlib import resources
from importlib.metadata import entry_points
from types import MappingProxyType

from pydantic import ValidationError

from console.core.documents import graph
from console.core.documents.workflow import Step, Workflow
from console.core.errors import DefinitionError
from console.steps.base import StepType, StepView

OPEN_MODULES = frozenset(
    {
        "answer_request",
        "base",
        "document_check_settings",
        "effects",
        "items",
        "llm",
        "message_settings",
        "proposable",
        "request_documents",
        "wait",
    }
)

ENTRY_POINT = "console.steps"


@functools.cache
def all_types() -> Mapping[str, StepType]:
    """Name → step type, ours and those of other packages, sorted by name.

    An entry point names a subclass of StepType or a module with some. Raises DefinitionError when two have the same name.
    """
    found: dict[str, StepType] = {}
    ours = [
        importlib.import_module(f"{__name__}.{module.name}")
        for module in pkgutil.iter_modules(__path__)
        if not module.ispkg and module.name != "base"
    ]
    for source in [*ours, *(point.load() for point in entry_points(group=ENTRY_POINT))]:
        for kind in _kinds(source):
            if kind.name in found:
                raise DefinitionError(
                    f"Two step types are named {kind.name}: {type(found[kind.name]).__module__} and {kind.__module__}."
                )
            found[kind.name] = kind()
    return MappingProxyType(dict(sorted(found.items())))


def get(name: str) -> StepType:
    """The step type of that name; raises DefinitionError where there is none."""
    try:
        return all_types()[name]
    except KeyError:
        raise DefinitionError(
            f"There is no step type {name} (new code: restart): known are {', '.join(all_types())}."
        ) from None


def template(name: str) -> str | None:
    """The text of the template `steps/<type>.html`, if the type is of another package with `templates/steps/<type>.html`; else None."""
    kind = (
        all_types().get(name.removeprefix("steps/").removesuffix(".html"))
        if name.startswith("steps/")
        else None
    )
    package = sys.modules[type(kind).__module__].__package__ if kind is not None else None
    if not package or package == __name__:
        return None
    file = resources.files(package) / "templates"
    for part in name.split("/"):  # one at a time: `joinpath` of Python 3.11.2 takes no more
        file = file / part
    return file.read_text(encoding="utf-8") if file.is_file() else None


def view(step: Step) -> StepView:
    """A step of a document with its settings parsed by its type. The document was checked before: a wrong setting is a pydantic error."""
    kind = get(step.type)
    config = kind.Config.model_validate(step.config)
    return StepView(step.id, step.type, step.title, config, tuple(step.next), step.button, step.completion)


def is_readable(step: Step) -> bool:
    """Whether this release has the type of the step and its settings are complete, which those of a draft need not be."""
    try:
        view(step)
    except (DefinitionError, ValidationError):
        return False
    return True


def loops_around(document: Workflow) -> Mapping[str, str]:
    """Step → the loop for each item of which it is done, in a run of its own."""
    edges = {step.id: tuple(step.next.values()) for step in document.steps}
    loops = [step for step in document.steps if get(step.type).by_items]
    return {
        inside: loop.id
        for loop in loops
        for inside in graph.reachable(edges, get(loop.type).begins(view(loop).config))
    }


def _kinds(source: object) -> list[type[StepType]]:
    """The step types that are defined in a module, or the class itself."""
    if inspect.isclass(source) and issubclass(source, StepType):
        return [source]
    members = [entry for _, entry in inspect.getmembers(source, inspect.isclass)]
    made_here = [
        entry
        for entry in members
        if issubclass(entry, StepType) and entry.__module__ == getattr(source, "__name__", "")
    ]
    return [entry for entry in made_here if "name" in vars(entry)]
