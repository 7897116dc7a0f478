"""What words of a file mean: values of a choice in another program's words, and every word of a column about consent. Whoever imports says it once for each."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any

from console import formats
from console.core.documents.collections import Collection, Field
from console.core.errors import Invalid
from console.messaging.imports import cells, consent_columns, contact_files, imports, line_values
from console.messaging.imports.consent_columns import AGREED, NOT_AGREED, OTHERS, compared_cell
from console.messaging.imports.contact_files import Row
from console.messaging.imports.imports import CONSENT, Plan, Question

MOST, LONGEST = 20, 80
"""Words of one column that are shown, and their letters."""
YES_OR_NO = (("yes", "Yes"), ("no", "No"))
OPTED_OUT = consent_columns.OPTED_OUT
ABOUT_CONSENT = ((AGREED, "Agreed"), (NOT_AGREED, "Not agreed"), (OPTED_OUT, "Opted out"))
ABOUT_OPTING_OUT = ((OPTED_OUT, "Opted out"), (NOT_AGREED, "Not opted out"))
Words = Mapping[str, Mapping[str, int]]
"""Number of a column → a word of it, of one about consent any, else one that is no value of its field → on how many lines it stands."""


def offered(collection: Collection, column: str) -> Sequence[tuple[str, str]]:
    """(what stands for it, label) of what a word may mean in a column that is this; an empty text leaves the field empty. Nothing where there is nothing to choose from."""
    if column.startswith(CONSENT):
        return ABOUT_CONSENT
    if column.startswith(imports.OPTED_OUT):
        return ABOUT_OPTING_OUT
    field = collection.by_name.get(column)
    if field is None or not _is_choice(field):
        return ()
    options = [(option.value, option.label) for option in field.options or ()] or YES_OR_NO
    return [*options, ("", "Leave empty")]


def fitting_meanings(
    collection: Collection, question: Question, meanings: Mapping[str, Mapping[str, str]]
) -> dict[str, dict[str, str]]:
    """Those of the meanings (number of a column → word → what it stands for) that its column may have now."""
    found: dict[str, dict[str, str]] = {}
    for number, words in meanings.items():
        known = {value for value, _ in offered(collection, question.columns.get(number, ""))}
        if kept := {word: meant for word, meant in words.items() if meant in known and word.strip()}:
            found[number] = kept
    return found


def with_meanings(
    collection: Collection, question: Question, person: str, meanings: Mapping[str, Mapping[str, str]]
) -> Question:
    """The question with what words of its columns mean: heading → word → value. Raises Invalid for a heading or a value that is not there."""
    named, _ = contact_files.sample(question.file, person)
    wrong: list[tuple[str, str]] = []
    numbered: dict[str, Mapping[str, str]] = {}
    for heading, words in meanings.items():
        number = str(named.index(heading)) if heading in named else ""
        known = {value for value, _ in offered(collection, question.columns.get(number, ""))}
        if not known:
            wrong.append((heading, "No such column is a choice, or about consent."))
        elif OTHERS in words and not question.columns[number].startswith(imports.OPTED_OUT):
            wrong.append(
                (
                    f"{heading}.{OTHERS}",
                    "Only in a column about opting out every other word may mean the same.",
                )
            )
        wrong += [
            (f"{heading}.{word}", f"It can only be one of {', '.join(sorted(known))}.")
            for word, meant in words.items()
            if known and meant not in known
        ]
        numbered[number] = words
    if wrong:
        raise Invalid(
            "The file cannot be read like this.",
            details=[(f"meanings.{each}", reason) for each, reason in wrong],
        )
    return replace(question, meanings=fitting_meanings(collection, question, numbered))


def rows(question: Question, person: str, done: int) -> Iterator[list[Row]]:
    """The lines below the heading from number `done` of them on, at most a thousand at a time, each word of a choice as what it means. Raises Invalid for a file that ends in the middle."""
    following = islice(contact_files.rows(question.file, person), done + 1, None)
    about_consent = (CONSENT, imports.OPTED_OUT)
    meant = {
        int(number): {compared_cell(word): cell for word, cell in words.items()}
        for number, words in question.meanings.items()
        if not question.columns.get(number, "").startswith(about_consent)
    }
    while part := list(islice(following, imports.AT_ONCE)):
        yield [_meant(row, meant) for row in part] if meant else part


def _meant(row: Row, meant: Mapping[int, Mapping[str, str]]) -> Row:
    return replace(
        row,
        cells=[
            meant[n].get(compared_cell(cell), cell) if n in meant else cell
            for n, cell in enumerate(row.cells)
        ],
    )


def words_of(plan: Plan, part: Sequence[Row], before: Words) -> dict[str, dict[str, int]]:
    """The words of these lines and those before that somebody says the meaning of."""
    found = {number: {**words} for number, words in before.items()}
    spelled = {number: {compared_cell(word): word for word in words} for number, words in found.items()}
    for row in part:
        for number, cell in _asked_cells(plan, row.cells):
            words = found.setdefault(str(number), {})
            word = spelled.setdefault(str(number), {}).setdefault(compared_cell(cell), cell)
            if word in words or (len(words) < MOST and len(word) <= LONGEST):
                words[word] = words.get(word, 0) + 1
    return found


def unknown(words: Words, meanings: Mapping[str, Mapping[str, str]]) -> dict[str, dict[str, int]]:
    """Those of the words of which nobody has said what they mean."""
    said = {number: {compared_cell(word) for word in known} for number, known in meanings.items()}
    found = {
        number: {
            word: lines
            for word, lines in counts.items()
            if said.get(number, set()).isdisjoint((compared_cell(word), OTHERS))
        }
        for number, counts in words.items()
    }
    return {number: left for number, left in found.items() if left}


def _asked_cells(plan: Plan, row: Sequence[str]) -> Iterator[tuple[int, str]]:
    told_cells = {number: cell for number, each in enumerate(row) if (cell := each.strip())}
    for number, field in plan.fields.items():
        if (
            number in told_cells
            and _is_choice(field)
            and not _known(field, line_values.value_of(plan, field, told_cells[number]))
        ):
            yield number, told_cells[number]
    for number in plan.consents.channels:
        if number in told_cells:
            yield number, told_cells[number]
    for number in plan.consents.refused:
        if number in told_cells and plan.consents.moment(told_cells[number]) is None:
            yield number, told_cells[number]


def _is_choice(field: Field) -> bool:
    return (field.options is not None and field.type not in formats.LISTS) or field.type == "boolean"


def _known(field: Field, value: Any) -> bool:
    return isinstance(value, bool) if field.options is None else cells.chosen(field, value)
