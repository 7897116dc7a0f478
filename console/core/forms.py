"""Fields of a form, and the cleaning of what was typed into them."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class FormField:
    """One field as a person or a program sees it; see "FIELD" in the reference of shapes."""

    name: str
    label: str
    type: str = "text"
    required: bool = False
    readonly: bool = False
    value: Any = None
    now: Any = None
    options: Any = None
    min: Any = None
    max: Any = None
    max_length: int | None = None
    help: str | None = None

    def to_json(self) -> dict[str, Any]:
        """The field in the shape that pages, API and log share."""
        return {name: getattr(self, name) for name in self.__slots__}
