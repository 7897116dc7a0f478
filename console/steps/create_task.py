"""Create task: a task for a person or a team; the run may wait for it."""

from typing import ClassVar, Self

from pydantic import Field, model_validator

from console.core import expressions
from console.core.errors import Invalid
from console.core.expressions.operands import date_of
from console.core.speaking import NAMES, fill_text
from console.steps.base import (
    Completion,
    Context,
    Prompt,
    StepConfig,
    StepType,
    StepView,
    TaskWanted,
    Values,
    fill_template,
)
from console.steps.filled_text import at_a_glance

DONE, NOT_DONE = "done", "not_done"
LONGEST_TITLE = 200


class CreateTaskConfig(StepConfig):
    """The task, its assignee and its due date."""

    title: str = Field(
        min_length=1, max_length=500, description="The task in a few words; {{ expressions }} are filled in"
    )
    text: str | None = Field(
        None, max_length=20_000, description="Markdown: more about it; {{ expressions }} are filled in"
    )
    assignee: str | None = Field(
        None, description="Expression for a person, by id or e-mail address, such as run.started_by"
    )
    team: str | None = Field(
        None,
        min_length=1,
        max_length=100,
        description="The team that does it, where nobody is named or beside them",
    )
    due: str | None = Field(None, description="Expression for a day, such as addDays(today(), 14)")
    waits: bool = Field(
        False, description="The run goes on when the task is closed: outcome done or not_done"
    )
    once: str | None = Field(
        None,
        min_length=1,
        max_length=500,
        description="What the task is about, {{ expressions }} filled in: a task that this step of the workflow has made for the same is not made again",
    )

    @model_validator(mode="after")
    def _for_somebody(self) -> Self:
        if self.assignee is None and self.team is None:
            raise ValueError("the task is for nobody: name an assignee or a team")
        if self.once is not None and self.waits:
            raise ValueError("a task that is made once may be closed already: it is not waited for")
        return self


class CreateTask(StepType):
    """Automatic. Output `{"title", "due"}`; where the run waits also `result`, `note` and `closed_by` of the task; with `once` also `made`: whether it is new."""

    name, title, family, icon = "create_task", "Create task", "action", "checklist"
    gist = "A piece of work for a person or a team"
    automatic = True
    Config: ClassVar[type[StepConfig]] = CreateTaskConfig
    always_changes = True
    computes, texts = ("assignee", "due"), ("title", "text", "once")

    def says(self, config: CreateTaskConfig) -> str:
        """What the task is."""
        return at_a_glance(config.title)

    def outcomes(self, config: CreateTaskConfig) -> tuple[str, ...]:
        """The results of the task where the run waits for it."""
        return (DONE, NOT_DONE) if config.waits else ("default",)

    def prepare(self, step: StepView, context: Context) -> Prompt:
        """The task, for a person who handles the step manually."""
        return Prompt(fill_template(step.config.title, context.roots), button=step.button or "Done")

    def complete(
        self, step: StepView, context: Context, submitted: Values, outcome: str | None
    ) -> Completion:
        """The task. Raises Invalid where the due date is not a date."""
        config: CreateTaskConfig = step.config
        due = None
        if config.due is not None:
            due = date_of(expressions.parse(config.due).value(context.roots))
            if due is None:
                raise Invalid(
                    f"`{config.due}` gives no day by which the task should be finished.", code="no_day"
                )
        assignee = (
            expressions.parse(config.assignee).evaluate(context.roots)
            if config.assignee is not None
            else None
        )
        if config.assignee is not None and not isinstance(assignee, str) and config.team is None:
            raise Invalid(f"`{config.assignee}` names nobody who could do the task.", code="no_such_person")
        title = fill_text(config.title, context.roots).strip()[:LONGEST_TITLE] or step.title
        text = fill_template(config.text, context.roots, links=False) if config.text is not None else None
        keys = {
            name: value for name, value in context.roots.items() if name != NAMES
        }  # two records may have one name
        once = fill_text(config.once, keys).strip() if config.once is not None else None
        wanted = TaskWanted(
            title, text, assignee if isinstance(assignee, str) else None, config.team, due, config.waits, once
        )
        output = {"title": title, "due": due.isoformat() if due is not None else None}
        return Completion(DONE if config.waits else "default", {}, output, task=wanted)

    def by_hand(self, step: StepView, context: Context) -> Completion:
        """A person continues without the task."""
        return Completion(NOT_DONE if step.config.waits else "default", {}, {"title": None, "due": None})

    def outputs(self, config: CreateTaskConfig) -> frozenset[str]:
        """The task and its result."""
        more = (
            ("result", "note", "closed_by") if config.waits else ("made",) if config.once is not None else ()
        )
        return frozenset({"title", "due", *more})
