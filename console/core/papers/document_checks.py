"""Checks of a document against the run: each with an outcome and the places in the document.

Computed by code from the document's text. They decide nothing: a person sees them beside the form.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints, model_validator

from console.core import expressions
from console.core.documents.document_parts import NAME_PATTERN
from console.core.documents.fields import Definition, Located
from console.core.expressions.operands import UNKNOWN
from console.core.papers.extracting import Facts, places_of
from console.core.papers.mrz import Zone
from console.core.papers.pages import Box, Read

Outcome = Literal["pass", "fail", "unsure", "not_applicable"]
ZONE = "mrz"
MOST_PLACES = 6
MANY = ("dates", "amounts")
DIGITS = {
    "number": "of the number",
    "birth_date": "of the date of birth",
    "expires_on": "of the date of expiry",
    "optional": "of the personal number",
    "composite": "over all",
}
UNSURE_DIGITS = "The zone could not be read beyond doubt: read it yourself, and never assume a reading error."
NOT_READ = "The document could not be read by machine: look for yourself."
NO_ZONE = "The machine-readable zone could not be read: compare it by eye."
NOTHING_SEEN = "Nothing was found in the document that this could be judged by."


class Check(Definition):
    """One check. It passes where `pass` holds, fails where that certainly does not, and is unsure where it cannot be told."""

    id: str = Field(pattern=NAME_PATTERN, description="Name of the check; never changed once runs exist")
    label: Annotated[str, StringConstraints(min_length=1, max_length=200)] = Field(
        description="What people read"
    )
    if_: str | None = Field(None, alias="if", description="Expression; only where it holds the check applies")
    pass_: str | None = Field(
        None,
        alias="pass",
        description="Expression over `document`, `found` and what the run knows; none: `found`",
    )
    unsure: str | None = Field(
        None, description="Expression; where it holds, a person has to judge whatever `pass` says"
    )
    find: str | None = Field(
        None,
        description="Expression for a text, or a list of texts: whether one of them stands in the document is `found`",
    )
    at: list[str] = Field(
        default_factory=list,
        max_length=12,
        description="Names of what was found in the document whose places are shown",
    )
    said: str | None = Field(
        None, max_length=500, description="What is said beside the result; {{ expressions }} are filled in"
    )
    about: Literal["document", "values"] = Field(
        "document",
        description="values: judged once, by what the run knows, whether there is a document or not",
    )

    @model_validator(mode="after")
    def _whole(self) -> "Check":
        if self.pass_ is None and self.find is None:
            raise ValueError("nothing is judged: give it pass, or find")
        if self.about == "values" and (self.find or self.at):
            raise ValueError("find and at look into a document: leave them out, or about")
        return self


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a document."""

    page: int
    box: Box


@dataclass(frozen=True, slots=True)
class Result:
    """The result of a check: outcome, optional sentence, and places."""

    id: str
    label: str
    outcome: Outcome
    said: str = ""
    places: tuple[Place, ...] = ()


def document_of(facts: Facts, pages: Sequence[Read], title: str) -> dict[str, Any]:
    """The root `document` of expressions. Missing or ambiguous values are unknown."""
    known = {
        name: value
        for name in {fact.name for fact in facts.found}
        if (value := facts.value(name)) is not None
    }
    known |= {name: [fact.value for fact in facts.of(name)] for name in MANY}
    known |= {
        "ibans": [fact.value for fact in facts.of("iban")],
        "vat_ids": [fact.value for fact in facts.of("vat_id")],
        "title": title,
        "pages": len(pages),
        "read": facts.read,
        "recognised": facts.recognised,
        "unread": list(facts.unread),
    }
    known["text"] = facts.text
    zone = facts.zone
    if zone is not None:
        names = {
            "family_name",
            "given_names",
            "number",
            "nationality",
            "issuer",
            "birth_date",
            "expires_on",
            "sex",
            "code",
            "format",
        }
        mrz = {name: value for name in names if (value := getattr(zone, name))} | {
            "name": f"{zone.given_names} {zone.family_name}".strip()
        }
        known[ZONE] = mrz | (
            {"valid": zone.valid, "wrong": list(zone.wrong), "told": _digits(zone)}
            if facts.sure
            else {"told": UNSURE_DIGITS}
        )
    return known


def _digits(zone: Zone) -> str:
    """A sentence on the check digits of a zone that was read reliably."""
    if zone.valid:
        return ""
    names = [DIGITS[name] for name in zone.wrong]
    return f"Wrong: the check digit {' and that '.join(names)}. It was read more than once."


def check_results(
    checks: Sequence[Check], roots: Mapping[str, Any], facts: Facts, pages: Sequence[Read], title: str
) -> list[Result]:
    """The results of the checks of a document."""
    here = {**roots, "document": document_of(facts, pages, title)}
    return [_judged(check, here, facts, pages) for check in checks if check.about == "document"]


def of_values(checks: Sequence[Check], roots: Mapping[str, Any]) -> list[Result]:
    """The results of checks that need no document; those that do not apply are left out."""
    nothing = Facts()
    made = [_judged(check, roots, nothing, ()) for check in checks if check.about == "values"]
    return [result for result in made if result.outcome != "not_applicable"]


def _judged(check: Check, roots: Mapping[str, Any], facts: Facts, pages: Sequence[Read]) -> Result:
    if check.if_ is not None and not expressions.parse(check.if_).test(roots):
        return Result(check.id, check.label, "not_applicable")
    found, places = _search_text(check, roots, facts, pages)
    here = {**roots, "found": found}
    outcome = _outcome(check, here)
    said = _sentence(check, here, outcome)
    if outcome == "unsure" and check.about == "document":
        lacking = not said or expressions.lacks(check.said or "", here)
        if facts.read and facts.zone is None and f"document.{ZONE}" in f"{check.pass_} {check.find}":
            said = NO_ZONE if lacking else f"{said} {NO_ZONE}"
        elif lacking:
            said = NOTHING_SEEN if facts.read else NOT_READ
    return Result(check.id, check.label, outcome, said[:500], (*places, *_at(check, facts))[:MOST_PLACES])


def _sentence(check: Check, roots: Mapping[str, Any], outcome: Outcome) -> str:
    """The sentence beside the result. A failed check never has one with a gap: it names the text that the document lacks instead."""
    if outcome == "pass" and check.find and not check.pass_:
        return ""  # the text stands in it: another that stands there too would only confuse
    if outcome == "fail" and (not check.said or expressions.lacks(check.said, roots)):
        wanted = _wanted_texts(check, roots)
        return f"It does not say {wanted[0]}." if len(wanted) == 1 and not check.pass_ else ""
    return expressions.render(check.said, roots).strip() if check.said else ""


def _outcome(check: Check, roots: Mapping[str, Any]) -> Outcome:
    if check.unsure is not None and expressions.parse(check.unsure).test(roots):
        return "unsure"
    rule = expressions.parse(check.pass_ or "found")
    return "pass" if rule.test(roots) else "fail" if rule.denies(roots) else "unsure"


def _search_text(
    check: Check, roots: Mapping[str, Any], facts: Facts, pages: Sequence[Read]
) -> tuple[Any, tuple[Place, ...]]:
    """(whether one of the texts occurs, where). In a scanned or partly read document absence is unknown."""
    if check.find is None:
        return UNKNOWN, ()
    wanted = _wanted_texts(check, roots)
    if not wanted or not facts.read:
        return UNKNOWN, ()
    places = tuple(Place(page, box) for text in wanted for page, box in places_of(pages, text))
    return (True, places) if places else (UNKNOWN if facts.recognised or facts.unread else False, ())


def _wanted_texts(check: Check, roots: Mapping[str, Any]) -> list[str]:
    """The texts of which one has to stand in the document."""
    given = expressions.parse(check.find).evaluate(roots) if check.find else None
    return [str(text) for text in (given if isinstance(given, list) else [given]) if text not in (None, "")]


def _at(check: Check, facts: Facts) -> tuple[Place, ...]:
    at = [Place(*facts.zone_at)] if ZONE in check.at and facts.zone_at is not None else []
    return (*at, *(Place(fact.page, fact.box) for name in check.at for fact in facts.of(name)))


def texts_of_checks(checks: Sequence[Check]) -> list[Located]:
    """The expressions of the checks, with their place."""
    texts = []
    for number, check in enumerate(checks):
        for name, text in (
            ("if", check.if_),
            ("pass", check.pass_),
            ("unsure", check.unsure),
            ("find", check.find),
        ):
            if text is not None:
                texts.append(Located(f"checks[{number}].{name}", text, papers=check.about == "document"))
    return texts


def said_of_checks(checks: Sequence[Check]) -> list[Located]:
    """The templates of the checks, with their place."""
    return [
        Located(f"checks[{number}].said", check.said, papers=check.about == "document")
        for number, check in enumerate(checks)
        if check.said
    ]
