"""What revising or aborting does away with, in as few lines as it takes: steps that are cancelled, changes that stay."""

from collections.abc import Iterable, Mapping
from typing import Any

from console.runs import Preview


def revise_context(shown: Preview) -> dict[str, Any]:
    """Return what revising a step would do, with names instead of ids."""
    named = [
        {**attempt, "by_name": shown.names.get(attempt["by"], "a former colleague") if attempt.get("by") else "automatic"}
        for attempt in shown.json["cancels"]
    ]
    fields = {"cancels": _once(named, ("step", "by_name")), "effects_done": once(shown.json["effects_done"])}
    return {"preview": dict(shown.json) | fields, "preview_title": shown.title}


def once(effects: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return each change once, with how many `times` it was made; one that can be taken back stands alone."""
    return _once(({**effect, "alone": effect["id"] if effect["compensation"] else ""} for effect in effects), ("summary", "alone"))


def _once(lines: Iterable[Mapping[str, Any]], alike: tuple[str, ...]) -> list[dict[str, Any]]:
    """Return the lines in their order, those that agree in these values once, as the first of them."""
    made: dict[tuple[Any, ...], dict[str, Any]] = {}
    for line in lines:
        found = made.setdefault(tuple(line.get(name) for name in alike), {**line, "times": 0})
        found["times"] += 1
    return list(made.values())
