"""Telephone numbers of a file at which nobody can be reached: they are imported as they are, and the preview says how many and which."""

from collections.abc import Mapping, Sequence
from typing import Any

from console.contacts.imports import REFUSED, Line, Plan
from console.core.contacting import Contact
from console.messages import file_opt_outs

SOME, LONGEST = 3, 40


def counted(plan: Plan, lines: Sequence[Line], before: Mapping[str, Any]) -> dict[str, Any]:
    """How many of these lines and those before bring such a number (`lines`), and `some` of them."""
    phone, country = plan.part("phone") or "", plan.part("country") or ""
    if phone not in {field.name for field in plan.fields.values()}:
        return {}
    brought = [line.values for line in lines if line.outcome != REFUSED and line.values.get(phone)]
    wrong = [str(each[phone]) for each in brought if not _is_number(str(each[phone]), each.get(country))]
    some = [*before.get("some", ()), *(number[:LONGEST] for number in wrong)]
    return {"lines": int(before.get("lines", 0)) + len(wrong), "some": [*dict.fromkeys(some)][:SOME]}


def _is_number(number: str, country: object) -> bool:
    return file_opt_outs.is_reachable(Contact("", "", phone=number, country=str(country) if country else None))
