"""What a change in a database breaks."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Break:
    """Something that refers to what is gone: a workflow, an action, a workspace, a collection, its draft, a segment or a policy condition."""

    kind: str
    name: str
    link: str | None
    reason: str
    collection: str = ""
    """Whose document, segment or right it is."""
