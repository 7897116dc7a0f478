"""What all answers are made of: moments, lists, errors, and who asks."""

from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

Row = TypeVar("Row")
Moment = Annotated[str, WithJsonSchema({"type": "string", "format": "date-time"})]
Anything = Annotated[Any, WithJsonSchema({"description": "Any JSON value"})]
Values = Annotated[
    dict[str, Anything],
    Field(description="Values by field name; what the reader may not see is missing or null"),
]
Cursor = Annotated[
    str | None, Field(description="Give it as `after` for the following page; null: this is the last")
]
Status = Literal[
    "running",
    "waiting_person",
    "waiting_time",
    "waiting_event",
    "saved",
    "completed",
    "aborted",
    "failed",
    "cancelled",
    "timed_out",
]


class Shape(BaseModel):
    """A JSON object with these names and no others."""

    model_config = ConfigDict(extra="forbid", defer_build=True)  # most are for the document of the API alone


class BackgroundWork(Shape):
    """Something that is done in the background: `done` of `total` (null until it is known), and `why` it waits or has failed."""

    id: str
    total: int | None
    done: int = Field(ge=0)
    why: str | None


class Open(BaseModel):
    """A JSON object with these names at least; others may stand beside them."""

    model_config = ConfigDict(extra="allow", defer_build=True)


class ErrorDetail(Open):
    """One thing that is wrong."""

    field: str = Field("", description="The field or parameter, `input.reason` for one within")
    reason: str = Field("", description="What is wrong, and the way out")


class Error(Open):
    """What went wrong. Beside these names there may be `run_id` of a live run, `retry_after` in seconds, `request_id` to tell whoever runs the console."""

    code: str = Field(description="For programs; it is never renamed")
    message: str = Field(
        description="For the person who can act on it: what happened, to what, what to do next"
    )
    details: list[ErrorDetail]


class Listed(Shape, Generic[Row]):
    """A page of a list."""

    data: list[Row]
    next: Cursor


class RoleInTeam(Shape):
    """A role and the id of the team in which it is held, `*` for every team."""

    role: str
    team: str


class RoleWithSources(RoleInTeam):
    """A role with what gives it; it goes with the last."""

    sources: list[str] = Field(
        alias="from", description="hand, invitation, or identity:<id> for the groups of an identity"
    )


class LinkedIdentity(Shape):
    """An account of the identity provider with which the person signs in, as the provider last described it."""

    id: str
    issuer: str
    subject: str
    email: str
    name: str
    linked_at: Moment
    last_used_at: Moment
    gave: list[RoleInTeam] = Field(description="The roles that its groups give")


class Account(Shape):
    """A service account."""

    id: str
    kind: str
    email: str
    name: str
    roles: list[RoleInTeam]
    teams: list[str]


class AbsencePlanned(Shape):
    """Days on which a person is away, both ends included, and who stands in."""

    id: str
    person: str
    substitute: str
    first: str
    last: str


class AbsenceKept(AbsencePlanned):
    """An absence as it was planned, with what the substitute may not do."""

    undecidable: list[str] = Field(
        description="Titles of workflows in which the person may give approvals that the substitute may not; of those that the caller may see"
    )


class OutgoingSecret(Shape):
    """A secret for other systems by its name; no answer holds its value."""

    name: str
    hosts: list[str] = Field(description="Where it may go")
    kept: bool = Field(description="False: it stands in the settings of the server, and no call changes it")
    changed_by: str | None
    changed_at: Moment | None
    used_by: list[str] = Field(description="Titles of the workflows and actions that name it")


class McpTool(Shape):
    """A tool that steps may call."""

    name: str
    hash: str = Field(description="SHA-256 of what it accepts: another one is not called")
    schema_: dict[str, Any] = Field(alias="schema", description="JSON Schema of its arguments")
    reads: bool = Field(description="An administrator says that it changes nothing")


class McpServer(Shape):
    """An MCP server; no answer holds its key."""

    name: str
    url: str | None
    command: list[str]
    problem: str | None = Field(description="Why it could not be asked when it was last")
    checked_at: Moment | None
    offered: list[str] = Field(description="Names of the tools that it had when it was last asked")
    tools: list[McpTool]


class ConnectionShown(Shape):
    """A connection of a connector; no answer holds its key."""

    name: str
    connector: str
    url: str
    auth: str | None = Field(description="How one signs in: key, basic or oauth")
    problem: str | None = Field(description="Why the last test failed")
    checked_at: Moment | None


class ConnectorOperation(Shape):
    """What a connector can be asked to do."""

    id: str
    title: str
    schema_: dict[str, Any] = Field(alias="schema", description="JSON Schema of its fields")
    reads: bool = Field(description="Whether it only asks")
    idempotent: bool = Field(description="Whether the same key twice is one request there")


class ConnectorShown(Shape):
    """A connector, and whether a connection has it."""

    id: str
    title: str
    operations: list[ConnectorOperation]
    configured: bool


class ConnectorTest(Shape):
    """What came of the test of a connection."""

    ok: bool
    message: str


class Me(Shape):
    """The person whose rights the key has."""

    id: str
    email: str
    name: str
    roles: list[str]
    grants: list[RoleWithSources] = Field(description="The roles by team, with what gives each")
    teams: list[str]
    identities: list[LinkedIdentity]


class PersonShown(Shape):
    """A person or service account, as those who manage people see them."""

    id: str
    email: str
    name: str
    roles: list[RoleWithSources]
    teams: list[str]
    identities: list[LinkedIdentity]
    kind: Literal["person", "service"]
    state: Literal["active", "disabled", "removed"]
