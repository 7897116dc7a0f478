"""Settings that a step has where documents are checked beside its form."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from pydantic import Field, model_validator

from console.core.documents.fields import Located
from console.core.papers.document_checks import Check, said_of_checks, texts_of_checks
from console.steps.base import StepConfig


@dataclass(frozen=True, slots=True)
class Checked:
    """What to check beside the form: the checks, the roots of their expressions, and the documents.

    `documents` is what the settings' expression came to: names under which files were handed in, or files; `collection` and `key` name a record whose files are meant.
    """

    checks: tuple[Check, ...]
    roots: Mapping[str, Any]
    documents: Any = None
    collection: str | None = None
    key: str | None = None
    item: str | None = None


class ChecksConfig(StepConfig):
    """The checks, and which documents they are for."""

    checks: list[Check] = Field(
        default_factory=list, max_length=40, description="What is judged by rule, and shown beside the form"
    )
    documents: str | None = Field(
        None,
        description="Expression: the name under which files were handed in, a file, or a list of these; in a loop over records without it the files that the record at hand names",
    )

    @model_validator(mode="after")
    def _once_each(self) -> Self:
        ids = [check.id for check in self.checks]
        if twice := sorted({name for name in ids if ids.count(name) > 1}):
            raise ValueError(f"two checks are named {twice[0]}")
        if self.documents is not None and not self.checks:
            raise ValueError("documents is for checks, and there are none")
        return self

    def check_texts(self) -> list[Located]:
        """The expressions of the checks with their places."""
        texts = [Located("documents", self.documents)] if self.documents is not None else []
        return texts + texts_of_checks(self.checks)

    def check_templates(self) -> list[Located]:
        """The templates of the checks with their places."""
        return said_of_checks(self.checks)
