"""Documents beside a run as sources: page by page, line by line, each line with its place."""

from collections.abc import Iterator

from console.errors import ConsoleError
from console.proposals.pieces import Piece
from console.runs.preparing import ProposalContext

READ_S = 3.0
"""No further document is begun after so long: a person waits."""


def documents_of(known: ProposalContext) -> Iterator[Piece]:
    """The pages that this person may open. Others wrote them, whoever handed them in; a document that cannot be read is none."""
    from console import documents

    try:
        pages = documents.pages_of(known.person, known.run.id, recognise=known.ai.ocr, seconds=READ_S)
    except ConsoleError:
        return
    numbers: dict[str, int] = {}
    for page in pages:
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
        )
