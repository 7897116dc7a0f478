"""Columns of a file of contacts of which nothing comes, and whether one of them seems to say who agreed, or who wants nothing."""

from console.contacts import consent_words, contact_files
from console.contacts.imports import EVERYONE, OPTED_OUT, Question
from console.errors import Invalid


def unused_columns(question: Question, person: str) -> tuple[list[str], list[str]]:
    """(headings of columns that are not used, those of them that seem to be about consent); none once the file is gone. Raises Invalid."""
    try:
        named, lines = contact_files.sample(question.file, person, contact_files.TELLING)
    except OSError:
        return [], []
    columns = {
        number: [line[number] for line in lines if number < len(line)]
        for number, heading in enumerate(named)
        if heading and str(number) not in question.columns
    }
    told = any(name.startswith(OPTED_OUT) for name in question.columns.values())
    perhaps = [named[n] for n, cells in columns.items() if consent_words.may_be_about_consent(named[n], cells, told=told)]
    return [named[n] for n in columns], perhaps


def require_told(question: Question, person: str, told: set[str]) -> None:
    """Where everybody in the file is said to have agreed, a column that may say otherwise has to be named. Raises Invalid.

    `told` are the headings of which somebody has said what they are.
    """
    perhaps = [each for each in unused_columns(question, person)[1] if each not in told] if question.same.get(EVERYONE) else []
    if perhaps:
        why = "It seems to say who agreed, or who wants nothing. Name what it is; an empty text says that it is not used."
        raise Invalid("Not everybody may have agreed.", details=[{"field": f"columns.{each}", "reason": why} for each in perhaps])
