"""Sentences of events about people who are away and those who stand in for them."""

from collections.abc import Callable, Mapping

from console.formats.sentences.sentence_parts import Parts, after, escape_braces


def _planned(parts: Parts) -> str:
    words = after(" of ", parts.person("person")) + after(
        ", in whose place stands ", parts.person("substitute")
    )
    return (
        "{who} "
        + ("took back" if parts.open.get("taken_back") is True else "planned")
        + " an absence"
        + escape_braces(words)
    )


def _passed_on(parts: Parts) -> str:
    absent, deputy = (
        parts.person("person") or "somebody who is away",
        parts.person("substitute") or "Somebody",
    )
    return escape_braces(f"{deputy}, who stands in, was told what waits for {absent}")


ABSENCES: Mapping[str, str | Callable[[Parts], str]] = {
    "absence_changed": _planned,
    "notice_passed_on": _passed_on,
}
"""Kind → the function that makes a template."""
