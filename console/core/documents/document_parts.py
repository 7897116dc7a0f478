"""What every document is made of: names, titles and the part that refuses unknown keys."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, StringConstraints

SLUG_PATTERN = r"^[a-z][a-z0-9-]{0,62}[a-z0-9]$"
NAME_PATTERN = r"^[a-z][a-z0-9_]{0,63}$"
RESERVED = frozenset(
    {"record", "input", "steps", "variables", "tables", "item", "run", "now", "default", "error", "settle", "true", "false", "null", "in"}
)

Slug = Annotated[str, StringConstraints(pattern=SLUG_PATTERN)]
Name = Annotated[str, StringConstraints(pattern=NAME_PATTERN)]
Title = Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=False)]


class Part(BaseModel):
    """A part of a document; unknown keys are refused, so that a typing error is never silently nothing."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, populate_by_name=True)


def sorted_keys(value: Any) -> Any:
    """The same value with sorted object keys at every depth."""
    if isinstance(value, dict):
        return {key: sorted_keys(value[key]) for key in sorted(value)}
    if isinstance(value, list):
        return [sorted_keys(entry) for entry in value]
    return value
