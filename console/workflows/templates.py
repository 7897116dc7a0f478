"""Templates: the workflows that are shipped with the console, to begin a new one from."""

import functools
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from console.core.documents.workflow import read

PACKAGE = Path(__file__).parent.parent
PLACES = (PACKAGE.parent / "workflows", PACKAGE / "workflows")
"""In a checkout, and in a wheel."""


@dataclass(frozen=True, slots=True)
class Template:
    """A shipped workflow. `steps` is their number."""

    id: str
    title: str
    description: str
    steps: int


@functools.cache
def templates() -> Sequence[Template]:
    """The templates by title."""
    found = [template_document(path.stem) for path in sorted(templates_folder().glob("*.json"))]
    return sorted(
        (
            Template(each["slug"], each["title"], each.get("description") or "", len(each["steps"]))
            for each in found
        ),
        key=_title,
    )


def template_document(template: str) -> dict[str, Any]:
    """The document of a template. Raises KeyError for one that is not shipped."""
    path = next((path for path in templates_folder().glob("*.json") if path.stem == template), None)
    if path is None:
        raise KeyError(template)
    return read(json.loads(path.read_text(encoding="utf-8"))).to_json()


def _title(template: Template) -> str:
    return template.title.casefold()


def templates_folder() -> Path:
    """Return where the shipped workflows are."""
    return next((place for place in PLACES if place.is_dir()), PLACES[0])
