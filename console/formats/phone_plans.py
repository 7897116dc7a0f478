"""One canonical form of a telephone number: what was renumbered as it is dialled now, and what two spellings of one number have in common.

The changes of numbering plans stand in `phone_plan_changes.json`, each with its source.
"""

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

_CHANGES = Path(__file__).with_name("phone_plan_changes.json")


@cache
def _changes() -> dict[int, list[dict[str, Any]]]:
    """Country code → the changes of its plan."""
    found: dict[int, list[dict[str, Any]]] = {}
    for change in json.loads(_CHANGES.read_text(encoding="utf-8")):
        found.setdefault(change["country_code"], []).append(change)
    return found


def renumbered(number: Any) -> Any:
    """The parsed number as it is dialled since its plan was changed; one that is valid today stays as it is."""
    import phonenumbers

    changes = _changes().get(number.country_code or 0, ())
    if not changes or phonenumbers.is_valid_number(number):
        return number
    national = phonenumbers.national_significant_number(number)
    for change in changes:
        if (match := re.fullmatch(change["former"], national)) is not None:
            now = phonenumbers.parse(f"+{number.country_code}{match.expand(change['now'])}")
            if phonenumbers.is_valid_number(now):
                return now
    return number


def canonical(address: str) -> str:
    """The address in the form in which two are compared: of a number (E.164) without the digit that only tells that it is mobile, in small letters otherwise."""
    code, national = _parts(address)
    token = _mobile_token(code)
    return f"+{code}{national.removeprefix(token)}" if code and token else address.lower()


def spellings(address: str) -> list[str]:
    """A number (E.164) in each form in which a plan has or had it, the canonical one first; another address alone."""
    first = canonical(address)
    code, national = _parts(first)
    token = _mobile_token(code)
    former = [
        re.fullmatch(change["back"][0], national) for change in _changes().get(code, ()) if "back" in change
    ]
    backs = [change["back"][1] for change in _changes().get(code, ()) if "back" in change]
    older = [
        f"+{code}{match.expand(back)}" for match, back in zip(former, backs, strict=True) if match is not None
    ]
    return list(dict.fromkeys([first, address, *([f"+{code}{token}{national}"] if token else []), *older]))


def _parts(address: str) -> tuple[int, str]:
    """(country code, national number) of a number in E.164; (0, the address) of what is none."""
    import phonenumbers

    if not address.startswith("+"):
        return 0, address
    try:
        number = phonenumbers.parse(address)
    except phonenumbers.NumberParseException:
        return 0, address
    return number.country_code or 0, phonenumbers.national_significant_number(number)


def _mobile_token(code: int) -> str:
    """The digit between country and area code that marks a mobile number, as Argentina's 9; empty where a plan has none."""
    import phonenumbers

    return str(phonenumbers.country_mobile_token(code)) if code else ""
