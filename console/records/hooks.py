"""Code of the company's own: fields, segments and actions that a Python module adds to collections.

A module is named by the setting `CONSOLE_HOOKS`, or by an installed package under the entry point `console.hooks`. What it decorates is found when the
process first needs it. A hook that fails or is slow says so in its own place; nothing else waits for it, and nothing else fails.
"""

import functools
import importlib
import inspect
import logging
import threading
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import entry_points
from types import MappingProxyType, ModuleType
from typing import Any, Literal, TypeAlias, TypeVar

from console.core.documents.collections import FIELD_TYPES
from console.infra import settings

ENTRY_POINT = "console.hooks"
LIMIT_S = 0.5
REST_S = 30.0
MARK = "__console_hooks__"
logger = logging.getLogger(__name__)

Kind: TypeAlias = Literal["computed", "segment", "action", "module"]
Function = TypeVar("Function", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Hook:
    """One thing that code adds. `inputs` are the columns that a computed field is called with; `label` and `type` are how it is shown."""

    kind: Kind
    collection: str
    name: str
    function: Callable[..., Any]
    label: str = ""
    type: str = "text"
    inputs: tuple[str, ...] = ()
    module: str = ""
    file: str = ""
    line: int = 0

    @property
    def key(self) -> tuple[str, str, str]:
        """What it is known by."""
        return self.kind, self.collection, self.name


@dataclass(frozen=True, slots=True)
class Answer:
    """The value of a computed field for one record. If there is none, `wrong` says why in words."""

    value: Any = None
    wrong: str = ""


@dataclass(slots=True)
class State:
    """How a hook has fared in this process: its last error with the moment (seconds since 1970), and until when it rests."""

    error: str = ""
    at: float | None = None
    rests_until: float = 0.0
    busy: threading.Thread | None = field(default=None, repr=False)


def computed(
    collection: str, name: str, *, inputs: Sequence[str], type: str = "text", label: str = ""
) -> Callable[[Function], Function]:
    """A field that the function works out of the columns `inputs`: it gets them by name, typed, and gives the value.

    Who may not read one of the inputs does not see the field. It is called for each record that is shown, and has half a second for a page.
    """
    if type not in FIELD_TYPES:
        raise ValueError(f"there is no field type {type!r}")
    return _marked("computed", collection, name, label=label, type=type, inputs=tuple(inputs))


def segment(collection: str, name: str, label: str) -> Callable[[Function], Function]:
    """A saved filter: the function takes nothing and gives an expression over `record`, once for each time the configuration is read."""
    return _marked("segment", collection, name, label=label)


def action(name: str) -> Callable[[Function], Function]:
    """A function that effects of kind `python` call by this name: `(values, key, door)`, as those under the entry point `console.actions`."""
    return _marked("action", "", name)


def _marked(kind: Kind, collection: str, name: str, **more: Any) -> Callable[[Function], Function]:
    def mark(function: Function) -> Function:
        made = Hook(
            kind,
            collection,
            name,
            function,
            module=function.__module__,
            file=inspect.getsourcefile(function) or "",
            line=inspect.getsourcelines(function)[1],
            **more,
        )
        setattr(function, MARK, [*getattr(function, MARK, []), made])
        return function

    return mark


# ---------------------------------------------------------------------------------------------------------------- finding


@functools.cache
def loaded() -> tuple[Hook, ...]:
    """Every hook of every module that is named, in order; of two with one name the first. A module that cannot be imported is a hook of kind `module`."""
    found: dict[tuple[str, str, str], Hook] = {}
    sources: list[tuple[str, Callable[[], Any]]] = [
        (name, functools.partial(importlib.import_module, name)) for name in settings.current().hooks
    ]
    sources += [(point.value, point.load) for point in entry_points(group=ENTRY_POINT)]
    for name, load in sources:
        try:
            made = _hooks_in(load())
        except Exception as error:  # whatever a company's code does when it is imported
            logger.exception("hooks of %s", name)
            broken = Hook("module", "", name, load, module=name, file=_place(error)[0], line=_place(error)[1])
            found[broken.key] = broken
            fail(broken, error)
            continue
        for hook in made:
            if found.setdefault(hook.key, hook) is not hook:
                fail(
                    found[hook.key],
                    ValueError(f"{hook.module} has another {hook.kind} of this name, which is left out"),
                )
    return tuple(found.values())


def _hooks_in(source: Any) -> list[Hook]:
    """The hooks of a module, or of a function."""
    functions = [source] if not isinstance(source, ModuleType) else vars(source).values()
    return list({id(hook): hook for function in functions for hook in getattr(function, MARK, ())}.values())


def hooks_of(kind: Kind, collection: str | None = None) -> list[Hook]:
    """The hooks of a kind, all of them or those of one collection."""
    return [hook for hook in loaded() if hook.kind == kind and collection in (None, hook.collection)]


def actions() -> Mapping[str, Callable[..., Any]]:
    """Functions for actions by name."""
    return {hook.name: hook.function for hook in hooks_of("action")}


# ---------------------------------------------------------------------------------------------------------------- calling


def compute(collection: str, name: str, records: Sequence[Mapping[str, Any]]) -> list[Answer]:
    """What a computed field comes to for each of these records, within half a second for all; what is not done by then says so."""
    hook = next((hook for hook in hooks_of("computed", collection) if hook.name == name), None)
    if hook is None:
        return [Answer(wrong="The code for this field is not here any more.")] * len(records)
    state = states()[hook.key]
    if time.monotonic() < state.rests_until or (state.busy is not None and state.busy.is_alive()):
        return [
            Answer(
                wrong=f"The code for this field was too slow; it is tried again within {REST_S:.0f} seconds."
            )
        ] * len(records)
    answers = [Answer(wrong=f"The code for this field took longer than {LIMIT_S} seconds.")] * len(records)
    state.busy = threading.Thread(
        target=_called, args=(hook, records, answers), name=f"hook {name}", daemon=True
    )
    state.busy.start()
    state.busy.join(LIMIT_S)
    if state.busy.is_alive():
        state.rests_until = time.monotonic() + REST_S
        fail(hook, TimeoutError(f"it took longer than {LIMIT_S} seconds for {len(records)} records"))
    return list(answers)


def _called(hook: Hook, records: Sequence[Mapping[str, Any]], answers: list[Answer]) -> None:
    for number, record in enumerate(records):
        try:
            answers[number] = Answer(hook.function(MappingProxyType(dict(record))))
        except Exception as error:  # noqa: BLE001 - whatever a company's code does
            answers[number] = Answer(wrong=f"The code for this field failed: {type(error).__name__}.")
            fail(hook, error)


def called(hook: Hook) -> Any:
    """What the function of a segment gives; None where it fails, which its state says."""
    try:
        return hook.function()
    except Exception as error:  # noqa: BLE001 - as above
        fail(hook, error)
        return None


# ------------------------------------------------------------------------------------------------------------------ state


class _States(dict[tuple[str, str, str], State]):
    """A state for whatever is asked for."""

    def __missing__(self, key: tuple[str, str, str]) -> State:
        self[key] = State()
        return self[key]


@functools.cache
def states() -> _States:
    """How each hook has fared in this process."""
    return _States()


def fail(hook: Hook, error: BaseException) -> None:
    """Remember and log what went wrong; the text of an error may hold what stands in a record, and stays in the log of the process and on the page of the code."""
    state = states()[hook.key]
    state.error, state.at = f"{type(error).__name__}: {error}"[:500], time.time()
    if error.__traceback__ is not None:
        logger.warning("hook %s of %s failed", hook.name, hook.module, exc_info=error)


def _place(error: BaseException) -> tuple[str, int]:
    """File and line where it went wrong."""
    last = traceback.extract_tb(error.__traceback__)[-1:]
    return (last[0].filename, last[0].lineno or 0) if last else ("", 0)
