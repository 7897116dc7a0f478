"""The components of a workspace: what each is told in its document. A component's `type` is stored and is never renamed."""

import re
from typing import Annotated, Any, ClassVar, Literal, TypeAlias

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, model_validator

from console.core.documents.collections.collection_document import (
    ID_PATTERN,
    SEGMENT_PATTERN,
    Column,
    Label,
    Said,
    Text as Expression,
)
from console.core.documents.document_parts import Name, Slug

GRID = 12
MOST_ROWS = 50
MOST_GROUPS = 50

ComponentId = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
CollectionId = Annotated[str, StringConstraints(pattern=ID_PATTERN)]
Words = Annotated[str, StringConstraints(min_length=1, max_length=8_000)]
Path = Annotated[
    str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,63}(\.[A-Za-z][A-Za-z0-9_-]{0,62}){0,3}$")
]
Where = Annotated[list[Expression], Field(max_length=20)]
Width = Annotated[int, Field(ge=1, le=GRID)]


def _as_stored(value: Any) -> Any:
    """A float, as the first documents with objectives were stored, is the number or text that is stored now."""
    return value if not isinstance(value, float) else int(value) if value.is_integer() else str(value)


def _above_nought(value: int | str) -> int | str:
    if not re.fullmatch(r"[0-9]{1,15}(\.[0-9]{1,6})?", str(value)) or not str(value).strip("0."):
        raise ValueError("an objective is a number above 0, such as 50000 or 99.5")
    return value


Objective = Annotated[int | str, BeforeValidator(_as_stored), AfterValidator(_above_nought)]


class Part(Said):
    """What every component has. `label`, `icon` and `offered` are of the kind, for the builder."""

    kind_label: ClassVar[str] = ""
    icon: ClassVar[str] = "layout-grid"
    help: ClassVar[str] = ""

    id: ComponentId = Field(description="Its name in the document and in the page")
    title: Annotated[str, StringConstraints(max_length=200)] | None = Field(
        None, description="Heading; {{ expressions }} are filled in"
    )
    width: Width = Field(GRID, description="Of twelve columns")
    visible_if: Expression | None = Field(
        None, description="Expression; the component is left out unless it certainly holds"
    )


class Section(Part):
    """Components under a heading, in a grid of their own."""

    kind_label, icon, help = "Section", "layout-grid", "Groups components"
    type: Literal["section"] = "section"
    look: Literal["plain", "panel", "bar", "figures"] = Field(
        "plain", description="Panel: a shaded pane; bar: inputs in a row; figures: metrics in a row"
    )
    components: list["Component"] = Field(default_factory=list, max_length=40)


class Tab(Said):
    """One tab."""

    id: ComponentId
    title: Label
    components: list["Component"] = Field(default_factory=list, max_length=40)


class Tabs(Part):
    """Tabs, of which only the open one is read. Its name in the address says which is open."""

    kind_label, icon, help = "Tabs", "columns-3", "Up to ten tabs; only the open one is read"
    type: Literal["tabs"] = "tabs"
    name: Name = Field(description="Its name in the address")
    tabs: list[Tab] = Field(min_length=1, max_length=10)


class Text(Part):
    """Words in Markdown."""

    kind_label, icon, help = "Text", "file-text", "Words, with values filled in"
    type: Literal["text"] = "text"
    text: Words = Field(description="Markdown; {{ expressions }} are filled in")


class Link(Part):
    """A link to a page of the console or to another site."""

    kind_label, icon, help = "Link", "link", "A page of the console or a web address"
    type: Literal["link"] = "link"
    text: Label = Field(description="Words of the link; {{ expressions }} are filled in")
    to: Expression = Field(
        description="Address: a path such as /c/customer or an https address; values are encoded"
    )


class Divider(Part):
    """A line."""

    kind_label, icon, help = "Divider", "minus", "A line between parts"
    type: Literal["divider"] = "divider"


class Named(Part):
    """A component whose value is in the address, as `input.<name>` for the others."""

    name: Name = Field(description="Its name in the address and in expressions: input.<name>")
    label: Label


class Search(Named):
    """Search words for lists."""

    kind_label, icon, help = "Search", "search", "Searches a list of this workspace"
    type: Literal["search"] = "search"


class Input(Named):
    """A line of text."""

    kind_label, icon, help = "Input", "pencil", "A text that filters others"
    type: Literal["input"] = "input"
    default: Annotated[str, StringConstraints(max_length=200)] | None = None


class Choice(Said):
    """A value of a dropdown."""

    value: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    label: Label


class Dropdown(Named):
    """One of several values: those listed, or the choices of a field."""

    kind_label, icon, help = "Dropdown", "chevron-down", "One value of several that filters others"
    type: Literal["dropdown"] = "dropdown"
    options: list[Choice] | None = Field(None, min_length=1, max_length=200)
    collection: CollectionId | None = Field(
        None, description="In place of options: the collection of the field"
    )
    field: Column | None = Field(None, description="The field whose choices are offered")
    default: Annotated[str, StringConstraints(max_length=200)] | None = None

    @model_validator(mode="after")
    def _one(self) -> "Dropdown":
        if (self.options is None) == (self.collection is None or self.field is None):
            raise ValueError("list options, or name a collection and a field")
        return self


class Date(Named):
    """A day."""

    kind_label, icon, help = "Date", "calendar", "A day that filters others"
    type: Literal["date"] = "date"
    default_days: int | None = Field(
        None, ge=-36_500, le=36_500, description="So many days from today; none: empty"
    )


class Toggle(Named):
    """Yes or no."""

    kind_label, icon, help = "Toggle", "adjustments", "Yes or no, which filters others"
    type: Literal["toggle"] = "toggle"
    default: bool = False


class Listed(Part):
    """Something over the records of a collection: which of them it is about."""

    collection: CollectionId
    segment: Annotated[str, StringConstraints(pattern=SEGMENT_PATTERN)] | None = None
    where: Where = Field(
        default_factory=list,
        description="Expressions over `record`, of which all must hold; one over an `input` that is empty is left out",
    )


class CollectionList(Listed):
    """Records of a collection; a chosen one is `selected.<select>`."""

    kind_label, icon, help = "Collection", "list", "Records; choosing one drives the rest"
    type: Literal["collection"] = "collection"
    select: Name | None = Field(None, description="Name under which a chosen record drives other components")
    search: Name | None = Field(None, description="Name of the search component that searches this list")
    columns: Annotated[list[Column], Field(min_length=1, max_length=20)] | None = None
    sort: Column | None = Field(None, description="A field, `-` before it for descending")
    limit: int = Field(10, ge=1, le=MOST_ROWS)
    look: Literal["table", "list"] = Field(
        "table", description="List: title and up to three values, for a narrow pane"
    )


class Fields(Part):
    """Fields of a chosen record, or of one that it leads to."""

    kind_label, icon, help = "Record fields", "list-details", "Values of the chosen record"
    type: Literal["fields"] = "fields"
    of: Path = Field(description="The selection, and relations to follow from it: charge.customer")
    fields: Annotated[list[Column], Field(min_length=1, max_length=60)] | None = None
    head: bool = Field(False, description="Title and state of the record above its fields")
    columns: Literal[1, 2] = 1


class Related(Part):
    """Records of a relation of the chosen record."""

    kind_label, icon, help = "Related", "table", "Records that belong to the chosen one"
    type: Literal["related"] = "related"
    of: Path
    relation: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    columns: Annotated[list[Column], Field(min_length=1, max_length=20)] | None = Field(
        None, description="None: those of the record's page"
    )
    limit: int = Field(5, ge=1, le=MOST_ROWS)


class Action(Part):
    """Buttons of the actions offered on the chosen record."""

    kind_label, icon, help = "Action", "bolt", "What can be done to the chosen record"
    type: Literal["action"] = "action"
    of: Path
    actions: (
        Annotated[list[Annotated[str, StringConstraints(max_length=200)]], Field(min_length=1, max_length=20)]
        | None
    ) = None


class WorkflowButtons(Part):
    """Start, Resume or Open: the workflows of the chosen record."""

    kind_label, icon, help = "Workflow", "player-play", "Start, Resume or Open on the chosen record"
    type: Literal["workflow"] = "workflow"
    of: Path
    workflows: Annotated[list[Slug], Field(min_length=1, max_length=20)] | None = None


class Inbox(Part):
    """The tickets to do of an inbox; a chosen one's record is `selected.<select>`."""

    kind_label, icon, help = "Inbox", "inbox", "Tickets to do; choosing one drives the rest"
    type: Literal["inbox"] = "inbox"
    inbox: Annotated[str, StringConstraints(min_length=1, max_length=60)]
    select: Name | None = None
    limit: int = Field(10, ge=1, le=MOST_ROWS)


Measure: TypeAlias = Literal["count", "sum", "average", "lowest", "highest", "distinct"]
Period: TypeAlias = Literal["day", "week", "month", "quarter", "year"]


class Figures(Part):
    """What metrics and charts share: records of a collection, or one read-only SELECT."""

    collection: CollectionId | None = None
    segment: Annotated[str, StringConstraints(pattern=SEGMENT_PATTERN)] | None = None
    where: Where = Field(default_factory=list)
    measure: Measure = "count"
    field: Column | None = Field(None, description="What is added up or compared; none for a count")
    date: Column | None = Field(None, description="The day or moment by which periods are told apart")
    period: Period = "month"
    sql: Annotated[str, StringConstraints(min_length=1, max_length=8_000)] | None = Field(
        None,
        description="In place of a collection: one SELECT over tables of the data source, by the names of their collections or tables",
    )
    source: Annotated[str, StringConstraints(min_length=1, max_length=63)] | None = Field(
        None, description="The data source of the SELECT"
    )

    @model_validator(mode="after")
    def _told(self) -> Any:
        if (self.sql is None) == (self.collection is None):
            raise ValueError("name a collection or write a SELECT, one of the two")
        if self.sql is not None and self.source is None:
            raise ValueError("a SELECT needs the data source")
        if self.sql is None and self.measure != "count" and self.field is None:
            raise ValueError("say the field that is measured")
        return self


class Metric(Figures):
    """One figure or percentage, how it changed, how near its objective is, and a line of the periods before."""

    kind_label, icon, help = "Metric", "tag", "One figure or percentage with its trend and objective"
    type: Literal["metric"] = "metric"
    last: int = Field(8, ge=2, le=60, description="Periods in the line, the present one included")
    good: Literal["up", "down", "none"] = Field("none", description="Which way is good")
    whole: bool = Field(True, description="The figure is over all records, not only over the present period")
    words: Annotated[str, StringConstraints(max_length=200)] | None = Field(
        None, description="Words under the figure"
    )
    part: Where = Field(
        default_factory=list,
        description="Makes it a percentage: what the records of the part meet besides, out of all of these",
    )
    target: Objective | None = Field(
        None,
        description='The objective, as the figure is shown: in whole euros, or in per cent; one with decimals is a text, "99.5"',
    )
    currency: Annotated[str, StringConstraints(min_length=1, max_length=20)] | None = Field(
        None,
        description="Of the figure and its objective, where each amount has a currency of its own; none: that of which there is most",
    )

    @model_validator(mode="after")
    def _has_parts(self) -> "Metric":
        if self.part and (self.sql is not None or self.measure not in ("count", "sum")):
            raise ValueError("a percentage is of how many records, or of the sum of a field")
        return self


class Stage(Said):
    """A stage of a funnel."""

    label: Label
    where: Expression


class Chart(Figures):
    """A time line, shares, leaders, cohorts or a funnel."""

    kind_label, icon, help = "Chart", "chart-bar", "Time line, shares, leaders, cohorts, funnel"
    type: Literal["chart"] = "chart"
    chart: Literal["time", "share", "leaders", "cohort", "funnel"] = "time"
    last: int = Field(12, ge=2, le=60, description="Periods shown, the present one included")
    by: Column | None = Field(
        None,
        description="Shares and leaders: the field whose values are told apart; time line: one line for each value",
    )
    limit: int = Field(5, ge=1, le=MOST_GROUPS, description="How many values; the others are added up")
    then: Column | None = Field(None, description="Cohort: the later day that is counted")
    stages: Annotated[list[Stage], Field(min_length=2, max_length=12)] | None = None
    currency: Annotated[str, StringConstraints(min_length=1, max_length=20)] | None = Field(
        None,
        description="Drawn first, where each amount has a currency of its own; none: that of most records",
    )

    @model_validator(mode="after")
    def _fits(self) -> "Chart":
        if self.sql is not None:
            return self
        if self.chart in ("time", "cohort") and self.date is None:
            raise ValueError("say the date by which periods are told apart")
        if self.chart in ("share", "leaders") and self.by is None:
            raise ValueError("say the field whose values are told apart")
        if self.chart == "cohort" and self.then is None:
            raise ValueError("say the later day that is counted (“Then by the day”)")
        if self.chart == "funnel" and self.stages is None:
            raise ValueError("say the stages")
        return self


Component: TypeAlias = Annotated[
    Section
    | Tabs
    | Text
    | Link
    | Divider
    | Search
    | CollectionList
    | Fields
    | Related
    | Action
    | WorkflowButtons
    | Inbox
    | Chart
    | Metric
    | Dropdown
    | Date
    | Toggle
    | Input,
    Field(discriminator="type"),
]

KINDS: dict[str, type[Part]] = {
    str(kind.model_fields["type"].default): kind
    for kind in (
        Section,
        Tabs,
        Text,
        Link,
        Divider,
        Search,
        CollectionList,
        Fields,
        Related,
        Action,
        WorkflowButtons,
        Inbox,
        Chart,
        Metric,
        Dropdown,
        Date,
        Toggle,
        Input,
    )
}
"""Type → its class, in the order in which the builder offers them."""

INPUTS = (Search, Input, Dropdown, Date, Toggle)
SELECTING = (CollectionList, Inbox)

for _kind in (Section, Tab, Tabs):
    _kind.model_rebuild()
