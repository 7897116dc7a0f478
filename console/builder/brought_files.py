"""A workflow file of another console, or of a colleague, becomes a draft of its own by page. What can be opened is opened; what is wrong with it is a problem of the draft."""

import re
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

from console import workflows
from console.core import drafting
from console.core.actor import Actor
from console.core.documents import foreign_files
from console.core.documents.json_shape import loaded, problems_of_values
from console.core.drafting import ChangeError, SetDocument
from console.errors import Invalid

UNTITLED = "Brought in from a file"
LONGEST_TITLE = 200
STEP = re.compile(r"^steps\[(\d+)\]")


def bring_in(actor: Actor, content: bytes, name: str, *, team: str | None) -> workflows.Entry:
    """Create a draft from the content of a file called `name`, under an address of its own and in the team. Everything else of the file is kept.

    Raises Invalid with every reason why it cannot be opened, NotAllowed.
    """
    document = _opened(content)
    title = document.get("title")
    if not isinstance(title, str) or not title.strip() or len(title) > LONGEST_TITLE:
        title = PurePath(name).stem.replace("-", " ").replace("_", " ").strip().capitalize()[:LONGEST_TITLE] or UNTITLED
    made = workflows.create(actor, title, team=team)
    own = {"slug": made.slug, "team": made.team}
    workflows.edit(actor, made.slug, 0, [SetDocument(value={**document, **own, **({} if document.get("title") else {"title": title})})])
    return made


def _opened(content: bytes) -> Mapping[str, Any]:
    """The document in the file. Raises Invalid."""
    if (other := foreign_files.reason(content)) is not None:
        raise _refused([("file", other)])
    document, spots = loaded(content)
    if document is None or spots:
        raise _refused([(spot.path, spot.reason) for spot in spots])
    if unkept := problems_of_values(document):
        raise _refused([(spot.path, spot.reason) for spot in unkept])
    try:
        drafting.require_shape(document)
    except ChangeError as error:
        raise _refused([(error.field, error.reason)]) from None
    return document


def _refused(reasons: list[tuple[str, str]]) -> Invalid:
    details = [
        {"field": STEP.sub(lambda found: f"step {int(found[1]) + 1}", field) or "file", "reason": reason} for field, reason in reasons
    ]
    return Invalid("This file cannot be opened as a workflow. Nothing was made of it.", details=details)
