"""Names of the records that conditions of a workflow compare with, whose keys their expressions hold."""

from collections.abc import Mapping
from dataclasses import replace

from console import browse
from console.core.documents import condition_words
from console.core.documents.collections import condition_rows
from console.core.documents.condition_words import Compared, Rows
from console.views import frame


def rows(text: str, known: Mapping[str, Compared]) -> Rows | None:
    """Return the rows that the expression stands for; None where rows cannot say it."""
    return condition_words.rows(text, _named(known, text))


def sentence(text: str, known: Mapping[str, Compared]) -> str:
    """Return the condition in words, with the names of records."""
    return condition_words.sentence(text, _named(known, text))


def _named(known: Mapping[str, Compared], text: str) -> Mapping[str, Compared]:
    """What rows may compare; what leads to records has those that the expression names, as far as the reader may know them, as its options."""
    _, said = condition_rows.rows_of(text, condition_rows.path_of) or ("", [])
    wanted = {
        (known[row.field].references, key)
        for row in said
        if row.field in known and known[row.field].references
        for key in row.value.split(", ")
        if key
    }
    if not wanted:
        return known
    titles = {
        place: each.title
        for place, each in browse.named(frame.actor(), wanted).items()
        if not each.absent and each.title.strip()
    }
    return {
        path: replace(
            each,
            options=[
                (key, title) for (collection, key), title in titles.items() if collection == each.references
            ],
        )
        if each.references
        else each
        for path, each in known.items()
    }
