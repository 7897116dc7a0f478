"""Notify: sends people a notice, in the console and where set up by mail; nobody gets it twice."""

from typing import ClassVar, Self

from pydantic import Field, model_validator

from console.core import expressions
from console.core.documents.fields import Located
from console.core.speaking import fill_text
from console.steps.base import (
    Completion,
    Context,
    NoticeWanted,
    People,
    StepConfig,
    StepType,
    StepView,
    Values,
)


class Addressed(StepConfig):
    """The addressees: persons, roles and a team."""

    people: list[str] = Field(
        default_factory=list,
        max_length=20,
        description="Expressions for persons by id or e-mail address, such as run.holder",
    )
    roles: list[str] = Field(
        default_factory=list, max_length=20, description="Everybody who has one of these roles"
    )
    team: str | None = Field(None, min_length=1, max_length=100, description="Everybody in this team")

    @model_validator(mode="after")
    def _somebody(self) -> Self:
        if not self.people and not self.roles and self.team is None:
            raise ValueError("nobody is meant: name people, roles or a team")
        return self

    def meant(self, context: Context) -> People:
        """The people that the expressions name now; empty values are left out."""
        named = [expressions.parse(text).evaluate(context.roots) for text in self.people]
        persons = [
            address
            for entry in named
            for address in (entry if isinstance(entry, list) else [entry])
            if isinstance(address, str)
        ]
        return People(tuple(persons), tuple(self.roles), self.team)

    def texts(self, place: str) -> list[Located]:
        """The expressions with their place."""
        return [Located(f"{place}people[{number}]", text) for number, text in enumerate(self.people)]


class NotifyConfig(Addressed):
    """The text and the addressees."""

    text: str = Field(
        min_length=1, max_length=2_000, description="What is said; {{ expressions }} are filled in"
    )
    mail: bool = Field(True, description="By mail, too, where a mail server is set up")


class Notify(StepType):
    """Automatic. Only people who may see the run get the notice. Output `{"text"}`."""

    name, title, family, icon = "notify", "Notify", "action", "bell"
    gist = "People are told something"
    automatic = True
    Config: ClassVar[type[StepConfig]] = NotifyConfig
    always_changes = True
    texts = ("text",)
    leaves = frozenset({"text"})

    def says(self, config: NotifyConfig) -> str:
        """What is said, as it is written."""
        return " ".join(config.text.split())[:80] if "{{" not in config.text else self.gist

    def complete(
        self, step: StepView, context: Context, submitted: Values, outcome: str | None
    ) -> Completion:
        """The notice."""
        text = fill_text(step.config.text, context.roots)
        return Completion(
            "default",
            {},
            {"text": text},
            notice=NoticeWanted(text, step.config.meant(context), step.config.mail),
        )

    def by_hand(self, step: StepView, context: Context) -> Completion:
        """A person continues without the notice."""
        return Completion("default", {}, {"text": None})

    def expressions(self, config: NotifyConfig) -> list[Located]:
        """The addressees."""
        return config.texts("")
