"""Sentences of events about people who are away and those who stand in for them."""

from collections.abc import Callable, Mapping

from console.formats.sentences.sentence_parts import Parts


def _planned(parts: Parts) -> str:
    did = "took back" if parts.open.get("taken_back") is True else "planned"
    return f"{{who}} {did} an absence{{person_person: of }}{{person_substitute:, in whose place stands }}"


def _passed_on(parts: Parts) -> str:
    absent = "{person_person}" if parts.person("person") else "somebody who is away"
    deputy = "{person_substitute}" if parts.person("substitute") else "Somebody"
    return f"{deputy}, who stands in, was told what waits for {absent}"


ABSENCES: Mapping[str, str | Callable[[Parts], str]] = {
    "absence_changed": _planned,
    "notice_passed_on": _passed_on,
}
"""Kind → the function that makes a template."""
