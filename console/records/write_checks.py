"""Checks of every write: required values, formats, and the rules of the collection.

Formats are checked by libraries. A rule is tested on the record as it would be; unknown counts as not met.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from console.core import expressions
from console.core.documents.collections import Collection, Rule
from console.core.papers import iban, vat
from console.core.scopes import Scope
from console.formats import phone_text

EMPTY: tuple[Any, ...] = ("", [], None)


def needed_columns(collection: Collection, changed: Mapping[str, Any]) -> frozenset[str]:
    """Columns to read before the change can be checked: those used by rules on a changed field."""
    return frozenset(
        name
        for rule in _rules(collection, changed, new=False)
        for name in (rule.inputs | expressions_in(rule.message))
    )


def expressions_in(message: str) -> frozenset[str]:
    """Columns used in a message."""
    paths = {path for found in expressions.templates(message) for path in expressions.paths(found)}
    return frozenset(path[1] for path in paths if path[0] == "record" and len(path) > 1)


def violations(
    collection: Collection,
    scope: Scope,
    former: Mapping[str, Any],
    changed: Mapping[str, Any],
    *,
    new: bool = False,
) -> list[dict[str, str]]:
    """A detail `{"field", "reason"}` for each violation; `former` has the JSON values of the columns of `needed`."""
    details = _fields(collection, changed, new=new)
    known = {detail["field"] for detail in details}
    record = collection.typed({**former, **changed})
    roots = {"record": record, "now": datetime.now(UTC)}
    shown = {
        "record": {name: value for name, value in record.items() if collection.visible(name, scope.hidden)},
        "now": roots["now"],
    }
    for rule in _rules(collection, changed, new=new):
        own = rule.field in changed and rule.field in {
            field.name for field in collection.stored_fields if rule in field.validation
        }
        if own and changed[str(rule.field)] in EMPTY:
            continue  # a rule of a field concerns its value
        if not expressions.parse(rule.if_).test(roots):
            places = [rule.field] if rule.field else sorted(rule.inputs & changed.keys()) or sorted(changed)
            reason = expressions.render(rule.message, shown)
            details += [{"field": str(place), "reason": reason} for place in places if place not in known]
    return list({(detail["field"], detail["reason"]): detail for detail in details}.values())


def _fields(collection: Collection, changed: Mapping[str, Any], *, new: bool) -> list[dict[str, str]]:
    details = []
    for field in collection.stored_fields:
        value = changed.get(field.name)
        empty = value in EMPTY or (isinstance(value, str) and not value.strip())
        if field.required and empty and (field.name in changed or new):
            details.append({"field": field.name, "reason": f"{field.label} is needed."})
        elif (
            field.format
            and not empty
            and isinstance(value, str)
            and (reason := misformed(field.format, value))
        ):
            details.append({"field": field.name, "reason": reason})
    return details


def _rules(collection: Collection, changed: Mapping[str, Any], *, new: bool) -> list[Rule]:
    """Rules of the changed fields, and rules of the record that use one of them (all of them for a new record)."""
    own = [rule for field in collection.stored_fields if field.name in changed for rule in field.validation]
    return [*own, *(rule for rule in collection.validation if new or rule.inputs & changed.keys())]


# ---------------------------------------------------------------------------------------------------------------- formats


def misformed(kind: str, text: str) -> str | None:
    """What is wrong with a text of this format and how to fix it; None if nothing is."""
    return _judges()[kind](text.strip())


@cache
def _judges() -> Mapping[str, Callable[[str], str | None]]:
    return {
        "email": _email,
        "phone": _phone,
        "iban": iban.problem,
        "bic": _bic,
        "vat": vat.problem,
        "url": _url,
    }


def _email(text: str) -> str | None:
    from email_validator import EmailNotValidError, validate_email

    try:
        validate_email(text, check_deliverability=False)
    except EmailNotValidError as error:
        return f"This is no e-mail address: {str(error).rstrip('.')}."
    return None


def _phone(text: str) -> str | None:
    import phonenumbers

    plain, cut = phone_text.plain_number(text)
    try:
        number = phonenumbers.parse("" if cut else plain, None)
    except phonenumbers.NumberParseException:
        return "This is no phone number: write it with the country, such as +31 20 794 6000."
    if phonenumbers.is_valid_number(number):
        return None
    region = phonenumbers.region_code_for_country_code(number.country_code or 0)
    example = phonenumbers.example_number(region)
    like = (
        f" One of {region} looks like {phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.INTERNATIONAL)}."
        if example
        else ""
    )
    return f"There is no such phone number: its length or beginning is wrong.{like}"


def _bic(text: str) -> str | None:
    from stdnum import bic

    if not bic.is_valid(text):
        return "This is no BIC: 8 or 11 characters such as ABNANL2A, with the country in the middle."
    return None


def _url(text: str) -> str | None:
    try:
        parts = urlsplit(text)
        fits = (
            parts.scheme in ("http", "https")
            and bool(parts.hostname)
            and "." in str(parts.hostname)
            and not any(map(str.isspace, text))
        )
    except ValueError:
        fits = False
    return None if fits else "This is no web address: it begins with https:// or http://, and names a host."
