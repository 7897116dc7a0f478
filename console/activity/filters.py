"""The filters of the log, once for its page, the API and the command. `log/event_lists.py` says which column each is."""

from pydantic import BaseModel, Field


class Filters(BaseModel):
    """Filters of events as an address has them; `event_list` validates them. The title names one on the page."""

    user: str | None = Field(
        None, title="Person", description="Only what this person did: an id (usr_…) or an e-mail address"
    )
    team: str | None = Field(None, title="Team", description="Only events of this team")
    collection: str | None = Field(
        None, title="Collection", description="Only events about records of this collection"
    )
    record: str | None = Field(None, title="Record", description="Only events about the record with this key")
    run: str | None = Field(None, title="Run", description="Only events of this run")
    workflow: str | None = Field(
        None,
        title="Workflow",
        description="Only events of this workflow and its runs: an id (wf_…) or its slug",
    )
    kind: list[str] = Field(
        default_factory=list,
        title="What happened",
        description="Only events of this kind; may be given several times",
    )
    gt: str | None = Field(
        None, alias="createdAt.gt", title="After", description="A moment such as 2026-11-20T06:30:00Z"
    )
    gte: str | None = Field(None, alias="createdAt.gte", title="From")
    lt: str | None = Field(None, alias="createdAt.lt", title="Before")
    lte: str | None = Field(None, alias="createdAt.lte", title="To")


LABELS = {field.alias or name: str(field.title) for name, field in Filters.model_fields.items()}
MOMENTS = {field.alias: name for name, field in Filters.model_fields.items() if field.alias}
"""Name in an address → name in `LogFilter`."""
TEXTS = {
    name: str(field.description)
    for name, field in Filters.model_fields.items()
    if name != "kind" and not field.alias
}
"""Filters by one text, and what each finds."""
