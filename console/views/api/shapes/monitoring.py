"""Incidents and metrics of workflows."""

from typing import Literal

from pydantic import Field

from console.views.api.shapes.base import Moment, Shape
from console.views.api.shapes.runs import WorkflowRef


class Incident(Shape):
    """Failed runs of a workflow with one cause. `message` is that of the newest."""

    id: str
    workflow: WorkflowRef
    code: str
    step: str
    message: str
    count: int
    versions: list[int]
    first_at: Moment
    last_at: Moment
    newest: str = Field(description="Id of the run that failed last")


class RetriedGroup(Shape):
    """What a retry of a group did."""

    started: dict[str, str] = Field(description="Id of the failed run → id of the new one")
    refused: dict[str, str] = Field(description="Id of the failed run → why it was not done again")
    left: int = Field(description="How many of the group are open still; at most 100, but in a preview")
    runs: list[str] | None = Field(
        description="In a preview: the failed runs that would be done again now, the oldest first; else null"
    )
    acted: bool | None = Field(
        description="In a preview: whether one of them changed something outside or sent a message, which beginning at the start would do again; else null"
    )


class Alert(Shape):
    """A rule that tells people, or starts a workflow, at most once an hour."""

    id: str
    kind: Literal["failed", "error", "slow"]
    minutes: int | None
    pattern: str | None
    people: list[str] = Field(description="Ids of who is told")
    mail: bool
    starts: str | None
    last_at: Moment | None
    held: int = Field(description="What it has kept back since")


class DueStage(Shape):
    """What is done when a part of the time is used up."""

    percent: int
    do: Literal["remind", "tell", "move"]
    people: list[str]
    inbox: str | None


class WaitedStage(Shape):
    """What is done when an approval has waited so long."""

    minutes: int
    do: Literal["remind", "substitute"]


class DueTime(Shape):
    """Within how much working time something has to end."""

    minutes: int
    zone: str
    days: list[str]
    opens: str
    closes: str
    holidays: list[str]
    stages: list[DueStage]
    approvals: list[WaitedStage]


class MetricsDay(Shape):
    """A day, in the caller's zone."""

    day: str
    started: int
    completed: int
    failed: int = Field(description="Timed out ones too")
    stopped: int = Field(description="Aborted or cancelled by people")


class MetricsStep(Shape):
    """A step."""

    step: str
    title: str
    entered: int
    failed: int
    average_s: float | None


class MetricsWay(Shape):
    """A way from step to step of the live version, as its picture shows it."""

    step: str
    way: str = Field(description="The outcome by which it is taken; default: any other")
    to: str = Field(description="The next step")
    runs: int = Field(
        description="How many of the newest 2,000 runs begun in these days took it, each once; without failed ones that were done again"
    )


class WorkflowMetrics(Shape):
    """Figures of a workflow. `steps_of`: the steps were counted over the newest so many runs; null: over all."""

    days: int
    total: int
    live: int
    completed: int
    failed: int
    done_again: int = Field(
        description="Failed ones that another run has taken the place of; `success` leaves them out"
    )
    stopped: int
    unsent: int = Field(description="Messages that did not leave: skipped, waited too long, or failed")
    success: float | None = Field(description="Between 0 and 1; null where nothing counts")
    average_s: float | None = Field(description="Seconds from start to end, of completed runs")
    steps_of: int | None
    series: list[MetricsDay]
    steps: list[MetricsStep]
    ways: list[MetricsWay]
