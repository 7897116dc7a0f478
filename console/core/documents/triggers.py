"""The triggers of a workflow document: what starts runs of it."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from console.core.documents.schedule_presets import Preset
from console.core.signatures import Signature

MOST_TRIGGERS = 50
TriggerKind: TypeAlias = Literal["manual", "record", "api", "mcp", "schedule", "event", "webhook"]
"""What a trigger of a document may be. `console.core.run.origin.StartKind` has these, and what starts a run without a trigger."""
Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,63}$")]


def complete_triggers(document: Mapping[str, Any]) -> list["Trigger"]:
    """The triggers of a draft that are complete; a problem of the draft names each of the others."""
    found = []
    for written in document.get("triggers") or ():
        with suppress(ValidationError):
            found.append(Trigger.model_validate(written))
    return found


class Trigger(BaseModel):
    """What starts runs. Secrets, addresses, and how far it has come are no part of the file."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    id: Name = Field(description="Name of the trigger; runs that it starts have it")
    kind: TriggerKind
    enabled: bool | None = Field(
        None, description="Whether it starts runs when it is published first; none: all do but webhooks"
    )
    title: str | None = Field(
        None, min_length=1, max_length=200, description="What people read; none: in words of the console"
    )
    filter: str | None = Field(
        None,
        min_length=1,
        max_length=2000,
        description="Expression that must be true; over `record`, `former` and `event` of an event, `input` of a webhook",
    )
    input: dict[Name, str] = Field(
        default_factory=dict,
        max_length=50,
        description="Field of the start to the expression that gives its value; over what the filter knows",
    )
    record: str | None = Field(
        None,
        min_length=1,
        max_length=2000,
        description="Expression for the key of the record that the run is about, where that is another one",
    )
    find_by: str | None = Field(
        None,
        min_length=1,
        max_length=100,
        description="Of a webhook: the field of the workflow's collection by which the record is found, such as email; none: the key",
    )
    cron: str | None = Field(
        None, max_length=200, description="Of a schedule: minute, hour, day of month, month, day of week"
    )
    preset: Preset | None = Field(
        None, description="Of a schedule, in place of `cron`: how often, in parts that people know"
    )
    zone: str | None = Field(
        None,
        max_length=100,
        description="Of a schedule: the time zone that the fields are in; of a webhook: that of times which are sent without one; none: UTC",
    )
    missed: Literal["skip", "once", "all"] | None = Field(
        None,
        description="Of a schedule: what becomes of times at which no worker was there: left out, one run for all, or one each (at most ten); none: one for all",
    )
    segment: str | None = Field(
        None,
        min_length=1,
        max_length=60,
        description="Of a schedule: everybody in this segment of the workflow's collection is enrolled",
    )
    sort: str | None = Field(
        None,
        min_length=1,
        max_length=100,
        description="Of a segment: the field in whose order they are enrolled and begin, `-` before it for descending; none: the key",
    )
    on: str | None = Field(None, max_length=60, description="Of an event: which, such as record.updated")
    collection: str | None = Field(
        None, max_length=200, description="Of an event: the collection of its records; none: the workflow's"
    )
    signed: bool | None = Field(
        None, description="Of a webhook: signed by its sender in place of a key; the run acts for `run_as`"
    )
    signature: Signature | None = Field(
        None,
        description="Of a signed webhook: how its sender signs, where that is neither by Standard Webhooks nor one that the console knows",
    )

    @property
    def starts_enabled(self) -> bool:
        """Whether it starts runs when it is published first."""
        return self.kind != "webhook" if self.enabled is None else self.enabled

    @property
    def fields(self) -> str | None:
        """Of a schedule: the cron fields, also those that its preset stands for; None where neither says when."""
        return self.cron or (self.preset.cron if self.preset is not None else None)

    def to_json(self) -> dict[str, Any]:
        """The trigger in canonical order, without default values."""
        given = {
            name: value
            for name, value in self.model_dump(mode="json", exclude_none=True).items()
            if value != {}
        }
        if self.signature is not None:
            given["signature"] = self.signature.model_dump(mode="json", exclude_defaults=True)
        return given | ({"input": dict(sorted(self.input.items()))} if self.input else {})
