"""The step types in short, as a model reads them; made once in a process."""

import functools
from typing import Any

from console import steps
from console.ai.builder_prompt import described
from console.core.expressions.functions import FUNCTIONS


@functools.cache
def catalogue() -> str:
    """One line for each step type, by name; then the functions of expressions."""
    lines = [
        described(kind.name, kind.title, kind.gist, _outcomes(kind), kind.Config.model_json_schema(by_alias=True))
        for kind in steps.all_types().values()
    ]
    return "\n".join([*lines, f"Functions of expressions: {', '.join(sorted(FUNCTIONS))}"])


def _outcomes(kind: Any) -> tuple[str, ...]:
    """The outcomes of the type, unless they depend on its settings."""
    try:
        return tuple(kind.outcomes(kind.Config()))
    except Exception:  # noqa: BLE001 (settings are needed: which outcomes there are stands in them)
        return ("by its settings",)
