"""Documents beside a run as sources: page by page, line by line, each line with its place."""

from collections.abc import Iterator, Sequence
from typing import Any

from console import log
from console.errors import ConsoleError
from console.proposals import allowed, waits
from console.proposals.pieces import Piece
from console.runs.engine.preparing import ProposalContext

FOR_THE_MODEL_S = 3.5
"""Of the time that there is, what is left for whoever is asked; recognising characters may take longer than all of it."""
LEAST_S = 0.5
NUMBERS = frozenset({"number", "tax_id", "personal_number", "policy_no"})
"""Names under which rules find numbers of papers and of persons."""


class NotRead(Exception):
    """There was no time to read the documents. They are read on, and are there the next time."""


def documents_of(known: ProposalContext) -> Iterator[Piece]:
    """The pages that this person may open. Others wrote them, whoever handed them in; a document that cannot be read is none. Raises NotRead."""
    numbers: dict[str, int] = {}
    for page in _pages(known):
        number = numbers.setdefault(page.document, len(numbers) + 1)
        lines = {f"line_{at}": line for at, line in enumerate(page.lines, 1)}
        yield Piece(
            "document",
            f"Document {number}, page {page.page}",
            f"{page.title}, page {page.page}",
            {**page.data, **{name: line.text for name, line in lines.items()}},
            trusted=False,
            collection=page.collection,
            record=page.record,
            document=page.document,
            page=page.page,
            boxes={**{name: line.box for name, line in lines.items()}, **page.boxes},
            labels=page.labels,
            treatments={name: "masked" for name in page.data if _names_a_person(name)},
        )


def _names_a_person(name: str) -> bool:
    """Whether what rules found under this name is a number or day that names somebody, in print or in a machine-readable zone."""
    bare = name.removeprefix("mrz_")
    return bare in NUMBERS or allowed.of_typed(bare, "text") != "full"


def _pages(known: ProposalContext) -> Sequence[Any]:
    left = (known.deadline_at - log.now()).total_seconds() - FOR_THE_MODEL_S
    try:
        return waits.within(max(LEAST_S, left), lambda: _read(known))
    except waits.Late:
        raise NotRead from None
    except ConsoleError:
        return []


def _read(known: ProposalContext) -> Sequence[Any]:
    """The pages beside the run; of a list those of the item at hand alone."""
    from console import documents

    item = known.at_hand
    mine = documents.of_item(known.person, known.run.id, item) if item is not None else None
    return documents.pages_of(known.person, known.run.id, recognise=known.ai.ocr, of=mine)
