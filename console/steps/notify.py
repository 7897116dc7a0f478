"""Notify: people are told something, in the console and where it is set up by mail; nobody twice."""

from typing import ClassVar, Self

from pydantic import Field, model_validator

from console.core import expressions
from console.core.documents.fields import Located
from console.steps.base import Completion, Context, NoticeWanted, People, StepConfig, StepType, StepView, Values


class Addressed(StepConfig):
    """Who is meant: persons, roles and a team, each once."""

    people: list[str] = Field(
        default_factory=list, max_length=20, description="Expressions for persons by id or e-mail address, such as run.holder"
    )
    roles: list[str] = Field(default_factory=list, max_length=20, description="Everybody who has one of these roles")
    team: str | None = Field(None, min_length=1, max_length=100, description="Everybody in this team")

    @model_validator(mode="after")
    def _somebody(self) -> Self:
        if not self.people and not self.roles and self.team is None:
            raise ValueError("nobody is meant: name people, roles or a team")
        return self

    def meant(self, context: Context) -> People:
        """Whom the expressions name now; those that name nobody are left out."""
        named = [expressions.parse(text).evaluate(context.roots) for text in self.people]
        persons = [one for entry in named for one in (entry if isinstance(entry, list) else [entry]) if isinstance(one, str)]
        return People(tuple(persons), tuple(self.roles), self.team)

    def texts(self, place: str) -> list[Located]:
        """The expressions with their place."""
        return [Located(f"{place}people[{number}]", text) for number, text in enumerate(self.people)]


class NotifyConfig(Addressed):
    """What is said, and to whom."""

    text: str = Field(min_length=1, max_length=2_000, description="What is said; {{ expressions }} are filled in")
    mail: bool = Field(True, description="By mail, too, where a mail server is set up")


class Notify(StepType):
    """Automatic. Only people who may see the run are told of it. Output `{"text"}`."""

    name, title, family, icon = "notify", "Notify", "action", "bell"
    gist = "People are told something"
    automatic = True
    Config: ClassVar[type[StepConfig]] = NotifyConfig

    def changes(self, step: StepView) -> bool:
        """It does."""
        return True

    def complete(self, step: StepView, context: Context, submitted: Values, outcome: str | None) -> Completion:
        """The notice."""
        text = expressions.render(step.config.text, context.roots)
        return Completion("default", {}, {"text": text}, notice=NoticeWanted(text, step.config.meant(context), step.config.mail))

    def by_hand(self, step: StepView, context: Context) -> Completion:
        """A person goes on without it."""
        return Completion("default", {}, {"text": None})

    def expressions(self, config: NotifyConfig) -> list[Located]:
        """Who is told."""
        return config.texts("")

    def templates(self, config: NotifyConfig) -> list[Located]:
        """What is said."""
        return [Located("text", config.text)]

    def outputs(self, config: NotifyConfig) -> frozenset[str]:
        """What was said."""
        return frozenset({"text"})
