"""What the preview of a file says beside what becomes of its lines: telephone numbers at which nobody can be reached, which are imported as they are, and several addresses, of which the first is."""

from collections.abc import Mapping, Sequence
from typing import Any

from console.auth import accounts
from console.core.contacting import Contact
from console.messaging.imports.imports import REFUSED, Line, Plan
from console.messaging.messages import file_opt_outs

SOME, LONGEST, MOST_OWNERS = 3, 40, 100


def count_lines(plan: Plan, lines: Sequence[Line], before: Mapping[str, Any]) -> dict[str, Any]:
    """How many of these lines and those before bring such (`lines`), and `some` of the cells: `unreachable` numbers and `several` addresses."""
    brought = [line for line in lines if line.outcome != REFUSED]
    told = {
        "unreachable": _unreachable(plan, brought),
        "several": [line.several_told["email"] for line in brought if "email" in line.several_told],
    }
    return {name: _with_more(before.get(name, {}), cells) for name, cells in told.items()} | {
        "strangers": _strangers(plan, brought, before.get("strangers", ()))
    }


def _strangers(plan: Plan, lines: Sequence[Line], before: Sequence[str]) -> list[str]:
    """The owners, each once and not very many, who have no account here: a run that needs one stops."""
    field = plan.part("owner") or ""
    told = [str(owner)[:LONGEST] for line in lines if (owner := line.values.get(field))]
    known = (
        accounts.AccountNames() if told and field in {each.name for each in plan.fields.values()} else None
    )
    return [
        *dict.fromkeys(
            [*before, *(owner for owner in told if known is not None and owner.casefold() not in known)]
        )
    ][:MOST_OWNERS]


def _with_more(before: Mapping[str, Any], told: Sequence[str]) -> dict[str, Any]:
    some = [*before.get("some", ()), *(cell[:LONGEST] for cell in told)]
    return {"lines": int(before.get("lines", 0)) + len(told), "some": [*dict.fromkeys(some)][:SOME]}


def _unreachable(plan: Plan, lines: Sequence[Line]) -> list[str]:
    phone, country = plan.part("phone") or "", plan.part("country") or ""
    if phone not in {field.name for field in plan.fields.values()}:
        return []
    told = [line.values for line in lines if line.values.get(phone)]
    return [str(each[phone]) for each in told if not _is_number(str(each[phone]), each.get(country))]


def _is_number(number: str, country: object) -> bool:
    return file_opt_outs.is_reachable(
        Contact("", "", phone=number, country=str(country) if country else None)
    )
