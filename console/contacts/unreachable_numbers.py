"""Telephone numbers of a file at which nobody can be reached: they are imported as they are, and the preview says how many and which."""

from collections.abc import Mapping, Sequence
from typing import Any

from console.contacts.imports import REFUSED, Line, Plan
from console.messages import recipients

SOME, LONGEST = 3, 40


def counted(plan: Plan, lines: Sequence[Line], before: Mapping[str, Any]) -> dict[str, Any]:
    """How many of these lines and those before bring such a number (`lines`), and `some` of them."""
    phone, country = plan.part("phone"), plan.part("country") or ""
    told = {name for name in (field.name for field in plan.fields.values()) if name == phone}
    brought = [line.values for line in lines if line.outcome != REFUSED and told and line.values.get(phone)]
    wrong = [str(each[phone]) for each in brought if not recipients.addresses_of("sms", str(each[phone]), each.get(country) or None)]
    some = [*before.get("some", ()), *(number[:LONGEST] for number in wrong)]
    return {"lines": int(before.get("lines", 0)) + len(wrong), "some": [*dict.fromkeys(some)][:SOME]}
