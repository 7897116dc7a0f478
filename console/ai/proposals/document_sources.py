"""Documents beside a run as sources: page by page, line by line, each line with its place."""

from collections.abc import Iterator, Sequence
from typing import Any

from console import log
from console.ai.proposals import field_disclosure, waits
from console.ai.proposals.prompt_pieces import Piece
from console.core.errors import ConsoleError
from console.runs.engine.proposal_inputs import CaseContext

FOR_THE_MODEL_S = 3.5
"""The part of the time limit that stays reserved for the provider, because reading scanned documents may take longer than the whole limit."""
LEAST_S = 0.5
NUMBERS = frozenset({"number", "tax_id", "personal_number", "policy_no"})
"""Names under which rules find numbers of papers and of persons."""


class NotRead(Exception):
    """There was no time to read the documents. Reading goes on in the background, for the next time."""


def documents_of(ask_context: CaseContext) -> Iterator[Piece]:
    """The pages that this person may open, marked as written by others. Documents that cannot be read are left out. Raises NotRead."""
    numbers: dict[str, int] = {}
    for page in _pages(ask_context):
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
    """Whether the value that rules found under this name is a number or date that identifies a person."""
    bare = name.removeprefix("mrz_")
    return bare in NUMBERS or field_disclosure.of_typed(bare, "text") != "full"


def _pages(ask_context: CaseContext) -> Sequence[Any]:
    left = (ask_context.deadline_at - log.now()).total_seconds() - FOR_THE_MODEL_S
    try:
        return waits.wait_for(max(LEAST_S, left), lambda: _read(ask_context))
    except waits.Late:
        raise NotRead from None
    except ConsoleError:
        return []


def _read(ask_context: CaseContext) -> Sequence[Any]:
    """The pages of the run's documents; in a step that goes through a list, only those of the present item."""
    from console import documents

    item = ask_context.at_hand
    mine = documents.of_item(ask_context.person, ask_context.run.id, item) if item is not None else None
    return documents.pages_of(ask_context.person, ask_context.run.id, recognise=ask_context.ai.ocr, of=mine)
